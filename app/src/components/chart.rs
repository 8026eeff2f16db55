//! Lines over the last fifteen minutes. plotters draws the paths, alike on the server and in the browser; all text is HTML,
//! so it neither scales nor needs fonts. Colours are classes: one hue per series, everywhere.

mod draw;

use leptos::prelude::*;

pub(crate) use draw::sparkline;

use crate::{
    format::{self, Unit},
    live::use_live,
    wire::{POINTS, STEP_SECONDS},
};

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Series {
    pub(crate) name: &'static str,
    /// The class that gives the line its colour.
    pub(crate) hue: &'static str,
    /// Oldest first; `None` is a gap.
    pub(crate) values: Vec<Option<f64>>,
}

impl Series {
    pub(crate) fn new<T: Copy + Into<f64>>(name: &'static str, hue: &'static str, column: &[Option<T>]) -> Self {
        Self { name, hue, values: column.iter().map(|value| value.map(Into::into)).collect() }
    }

    /// The value at a place of the window (0 the oldest, `POINTS - 1` the newest); a young series has none at the start.
    fn at(&self, place: usize) -> Option<f64> {
        place.checked_sub(POINTS - self.values.len()).and_then(|index| self.values.get(index).copied().flatten())
    }
}

/// What a chart draws.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ChartData {
    pub(crate) unit: Unit,
    pub(crate) series: Vec<Series>,
    /// A line to stay under, with its name.
    pub(crate) limit: Option<(&'static str, f64)>,
}

impl ChartData {
    fn axis_end(&self) -> f64 {
        let values = self.series.iter().flat_map(|series| series.values.iter().flatten().copied());
        let limit = self.limit.map(|(_, value)| value);
        self.unit.axis_end(values.chain(limit).fold(0.0, f64::max))
    }

    /// The place that is "now": the newest, or while that has nothing yet the one before it.
    fn now(&self) -> usize {
        let known = |place: &usize| self.series.iter().any(|series| series.at(*place).is_some());
        (POINTS - 2..POINTS).rev().find(known).unwrap_or(POINTS - 1)
    }
}

/// The place of the window that the viewer points at, on all charts of the page.
#[derive(Clone, Copy)]
pub(crate) struct Crosshair(RwSignal<Option<usize>>);

impl Crosshair {
    pub(crate) fn provide() {
        provide_context(Self(RwSignal::new(None)));
    }

    fn point_at(self, event: &leptos::ev::PointerEvent) {
        let target: leptos::web_sys::HtmlElement = event_target(event);
        let width = f64::from(target.client_width()).max(1.0);
        let place = (f64::from(event.offset_x()) / width * (POINTS - 1) as f64).round();
        self.0.set(Some((place.max(0.0) as usize).min(POINTS - 1)));
    }

    fn step(self, event: &leptos::ev::KeyboardEvent) {
        let by = match event.key().as_str() {
            "ArrowLeft" => -1,
            "ArrowRight" => 1,
            "Escape" => return self.0.set(None),
            _ => return,
        };
        event.prevent_default();
        let from = self.0.get_untracked().unwrap_or(POINTS - 1);
        self.0.set(Some(from.saturating_add_signed(by).min(POINTS - 1)));
    }
}

/// A chart with its title, one line on what growth means, a legend with the value now or under the crosshair, and a text equivalent.
#[component]
pub(crate) fn Chart(title: &'static str, note: &'static str, data: Memo<ChartData>) -> impl IntoView {
    let crosshair: Crosshair = expect_context();
    let place = crosshair.0;
    let drawing = Memo::new(move |_| data.with(draw::chart));
    let axis = Memo::new(move |_| data.with(|data| (data.unit, data.axis_end())));
    let ticks = move || {
        let (unit, end) = axis.get();
        [1.0, 0.75, 0.5, 0.25, 0.0].map(|part| view! { <span>{unit.text(end * part)}</span> }).collect_view()
    };
    let line = move || place.get().map(|place| view! { <line x1=place x2=place y1="0" y2="1" /> });
    view! {
        <figure class="chart">
            <figcaption>
                <h3>{title}</h3>
                <p class="note">{note}</p>
                <Legend data crosshair />
            </figcaption>
            <div class="y-axis" aria-hidden="true">{ticks}</div>
            <div
                class="plot"
                role="img"
                tabindex="0"
                aria-label=move || data.with(|data| describe(title, data))
                on:pointermove=move |event| crosshair.point_at(&event)
                on:pointerleave=move |_| place.set(None)
                on:keydown=move |event| crosshair.step(&event)
                on:blur=move |_| place.set(None)
            >
                <div class="drawing" inner_html=move || drawing.get()></div>
                <svg class="crosshair" viewBox=format!("0 0 {} 1", POINTS - 1) preserveAspectRatio="none" aria-hidden="true">{line}</svg>
            </div>
            <div class="x-axis" aria-hidden="true">
                <span>"15\u{a0}min ago"</span>
                <span>"10"</span>
                <span>"5"</span>
                <span>"now"</span>
            </div>
        </figure>
    }
}

/// The series' names with their values now or at the crosshair, and which of the two.
#[component]
fn Legend(data: Memo<ChartData>, crosshair: Crosshair) -> impl IntoView {
    let snapshot = use_live().snapshot;
    let place = crosshair.0;
    let when = move || match place.get() {
        None => "now".to_owned(),
        Some(place) => {
            let before = (POINTS - 1 - place) as u64 * STEP_SECONDS * 1000;
            format::clock(snapshot.with(|snapshot| snapshot.taken_at_unix_ms).saturating_sub(before))
        }
    };
    let item = |unit: Unit, name: &'static str, hue: &'static str, value: Option<f64>| {
        view! {
            <li>
                <svg class="swatch" aria-hidden="true">
                    <rect class=hue width="100%" height="100%" />
                </svg>
                {name}
                <b>{value.map_or_else(|| "–".to_owned(), |value| unit.text(value))}</b>
            </li>
        }
    };
    let items = move || {
        data.with(|data| {
            let at = place.get().unwrap_or_else(|| data.now());
            let values = data.series.iter().map(|series| (series.name, series.hue, series.at(at)));
            let limit = data.limit.map(|(name, value)| (name, "limit", Some(value)));
            values.chain(limit).map(|(name, hue, value)| item(data.unit, name, hue, value)).collect_view()
        })
    };
    view! {
        <ul class="legend">
            {items}
            <li class="when">{when}</li>
        </ul>
    }
}

/// The chart in a sentence.
fn describe(title: &str, data: &ChartData) -> String {
    let series = data.series.iter().map(|series| {
        let known: Vec<f64> = series.values.iter().flatten().copied().collect();
        if known.is_empty() {
            return format!("{}: no data yet", series.name);
        }
        let lowest = known.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = known.iter().copied().fold(0.0, f64::max);
        let text = |value| data.unit.text(value);
        let now = series.at(data.now()).map_or_else(|| "unknown".to_owned(), text);
        format!("{}: now {now}, lowest {}, highest {}", series.name, text(lowest), text(highest))
    });
    format!("{title}, last 15 minutes. {}.", series.collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_young_series_stands_at_the_right_end() {
        let series = Series::new("rate", "rate", &[Some(1.0f32), None, Some(3.0)]);
        assert_eq!(series.at(POINTS - 1), Some(3.0));
        assert_eq!(series.at(POINTS - 2), None);
        assert_eq!(series.at(POINTS - 3), Some(1.0));
        assert_eq!(series.at(0), None);
    }

    #[test]
    fn what_stopped_is_not_now() {
        let data = |values: &[Option<f32>]| ChartData {
            unit: Unit::Percent,
            series: vec![Series::new("process", "cpu", values)],
            limit: None,
        };
        assert_eq!(data(&[Some(1.0), None]).now(), POINTS - 2, "the newest point has only begun");
        let stopped = data(&[Some(1.0), None, None]);
        assert!(describe("CPU", &stopped).contains("process: now unknown, lowest 1"));
    }

    #[test]
    fn a_chart_reads_as_a_sentence() {
        let data = ChartData {
            unit: Unit::Percent,
            series: vec![
                Series::new("process", "cpu", &[Some(1.0f32), Some(5.0), Some(2.0)]),
                Series::new("system", "other", &[] as &[Option<f32>]),
            ],
            limit: None,
        };
        let text = describe("CPU", &data).replace('\u{a0}', " ");
        assert_eq!(text, "CPU, last 15 minutes. process: now 2 %, lowest 1 %, highest 5 %; system: no data yet.");
    }
}
