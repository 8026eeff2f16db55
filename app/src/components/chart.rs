//! Lines over the window. plotters draws the paths, alike on the server and in the browser; all text is HTML,
//! so it neither scales nor needs fonts. Colours are classes: one hue per series, everywhere.

mod draw;

use leptos::prelude::*;

pub(crate) use draw::sparkline;

use watchboard_wire::{Window, format, format::Unit};

use crate::{figures::Figures, live::use_live};

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

    /// The value at a place of `points` (0 the oldest); a young series has none at the start.
    fn at(&self, place: usize, points: usize) -> Option<f64> {
        place
            .checked_sub(points.saturating_sub(self.values.len()))
            .and_then(|index| self.values.get(index).copied().flatten())
    }
}

/// What a chart draws.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ChartData {
    pub(crate) window: Window,
    pub(crate) unit: Unit,
    pub(crate) series: Vec<Series>,
    /// A line to stay under, with its name.
    pub(crate) limit: Option<(&'static str, f64)>,
    /// What happened, each at a place of the window.
    pub(crate) marks: Vec<(usize, String)>,
}

impl ChartData {
    /// Without a line yet.
    pub(crate) fn new(window: Window, unit: Unit) -> Self {
        Self { window, unit, series: vec![], limit: None, marks: vec![] }
    }

    fn axis_end(&self) -> f64 {
        let values = self.series.iter().flat_map(|series| series.values.iter().flatten().copied());
        let limit = self.limit.map(|(_, value)| value);
        self.unit.axis_end(values.chain(limit).fold(0.0, f64::max))
    }

    /// With a line to stay under, once the data comes near it: one far above would flatten the lines.
    pub(crate) fn with_limit_in_sight(mut self, name: &'static str, limit: Option<f64>) -> Self {
        let largest = self.series.iter().flat_map(|series| series.values.iter().flatten().copied()).fold(0.0, f64::max);
        self.limit = limit.map(|limit| (name, limit)).filter(|(_, limit)| *limit < largest * 4.0);
        self
    }

    /// The place that is "now": the newest, or while that has nothing yet the one before it.
    fn now(&self) -> usize {
        let points = self.points();
        let known = |place: &usize| self.series.iter().any(|series| series.at(*place, points).is_some());
        (points - 2..points).rev().find(known).unwrap_or(points - 1)
    }

    fn points(&self) -> usize {
        self.window.points()
    }
}

/// The point of the window that the viewer points at, on all charts of the page.
#[derive(Clone, Copy)]
pub(crate) struct Crosshair(RwSignal<Option<usize>>);

impl Crosshair {
    pub(crate) fn provide() {
        provide_context(Self(RwSignal::new(None)));
    }

    fn point_at(self, event: &leptos::ev::PointerEvent, points: usize) {
        let target: leptos::web_sys::HtmlElement = event_target(event);
        let width = f64::from(target.client_width()).max(1.0);
        let place = (f64::from(event.offset_x()) / width * (points - 1) as f64).round();
        self.0.set(Some((place.max(0.0) as usize).min(points - 1)));
    }

    fn step(self, event: &leptos::ev::KeyboardEvent, points: usize) {
        let by = match event.key().as_str() {
            "ArrowLeft" => -1,
            "ArrowRight" => 1,
            "Escape" => return self.0.set(None),
            _ => return,
        };
        event.prevent_default();
        let from = self.0.get_untracked().unwrap_or(points - 1);
        self.0.set(Some(from.saturating_add_signed(by).min(points - 1)));
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
    let points = move || data.with_untracked(ChartData::points);
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
                on:pointermove=move |event| crosshair.point_at(&event, points())
                on:pointerleave=move |_| place.set(None)
                on:keydown=move |event| crosshair.step(&event, points())
                on:blur=move |_| place.set(None)
            >
                <div class="drawing" inner_html=move || drawing.get()></div>
                <CrosshairLine />
            </div>
            <TimeAxis />
        </figure>
    }
}

/// Where the viewer points, drawn over a chart.
#[component]
pub(crate) fn CrosshairLine() -> impl IntoView {
    let figures = use_live().figures;
    let Crosshair(place) = expect_context();
    let line = move || place.get().map(|place| view! { <line x1=place x2=place y1="0" y2="1" /> });
    let view_box = move || format!("0 0 {} 1", figures.with(Figures::window).points() - 1);
    view! { <svg class="crosshair" viewBox=view_box preserveAspectRatio="none" aria-hidden="true">{line}</svg> }
}

/// The times below a chart.
#[component]
pub(crate) fn TimeAxis() -> impl IntoView {
    let figures = use_live().figures;
    let ticks = move || {
        let ticks: &[&str] = match figures.with(Figures::window) {
            Window::Minute => &["60\u{a0}s ago", "40", "20", "now"],
            Window::FiveMinutes => &["5\u{a0}min ago", "4", "3", "2", "1", "now"],
            Window::FifteenMinutes => &["15\u{a0}min ago", "10", "5", "now"],
            Window::Hour => &["60\u{a0}min ago", "40", "20", "now"],
            Window::SixHours => &["6\u{a0}h ago", "4", "2", "now"],
            Window::Day => &["24\u{a0}h ago", "16", "8", "now"],
        };
        ticks.iter().map(|tick| view! { <span>{*tick}</span> }).collect_view()
    };
    view! { <div class="x-axis" aria-hidden="true">{ticks}</div> }
}

/// The series' names with their values now or at the crosshair, and which of the two.
#[component]
fn Legend(data: Memo<ChartData>, crosshair: Crosshair) -> impl IntoView {
    let figures = use_live().figures;
    let place = crosshair.0;
    let when = move || match place.get() {
        None => "now".to_owned(),
        Some(place) => {
            let window = data.with(|data| data.window);
            let before = (window.points() - 1).saturating_sub(place) as u64 * window.step_seconds() * 1000;
            format::clock(figures.with(|figures| figures.snapshot.taken_at_unix_ms).saturating_sub(before))
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
            let values = data.series.iter().map(|series| (series.name, series.hue, series.at(at, data.points())));
            let limit = data.limit.map(|(name, value)| (name, "limit", Some(value)));
            values.chain(limit).map(|(name, hue, value)| item(data.unit, name, hue, value)).collect_view()
        })
    };
    let marks = move || {
        let mark = |(_, said): &(usize, String)| view! { <li class="mark">{said.clone()}</li> };
        data.with(|data| data.marks.iter().map(mark).collect_view())
    };
    view! {
        <ul class="legend">
            {items}
            {marks}
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
        let now = series.at(data.now(), data.points()).map_or_else(|| "unknown".to_owned(), text);
        format!("{}: now {now}, lowest {}, highest {}", series.name, text(lowest), text(highest))
    });
    let sentence = format!("{title}, last {}. {}.", data.window.long_word(), series.collect::<Vec<_>>().join("; "));
    let marks = data.marks.iter().map(|(_, said)| format!("It {said}."));
    std::iter::once(sentence).chain(marks).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_young_series_stands_at_the_right_end() {
        let series = Series::new("rate", "rate", &[Some(1.0f32), None, Some(3.0)]);
        let values: Vec<_> = (0..5).map(|place| series.at(place, 5)).collect();
        assert_eq!(values, [None, None, Some(1.0), None, Some(3.0)]);
    }

    #[test]
    fn what_stopped_is_not_now() {
        let data = |values: &[Option<f32>]| ChartData {
            window: Window::Minute,
            unit: Unit::Percent,
            series: vec![Series::new("process", "cpu", values)],
            ..ChartData::new(Window::Minute, Unit::Percent)
        };
        assert_eq!(data(&[Some(1.0), None]).now(), 58, "the newest point has only begun");
        let stopped = data(&[Some(1.0), None, None]);
        assert!(describe("CPU", &stopped).contains("process: now unknown, lowest 1"));
    }

    #[test]
    fn a_chart_reads_as_a_sentence() {
        let data = ChartData {
            window: Window::default(),
            unit: Unit::Percent,
            series: vec![
                Series::new("process", "cpu", &[Some(1.0f32), Some(5.0), Some(2.0)]),
                Series::new("system", "other", &[] as &[Option<f32>]),
            ],
            ..ChartData::new(Window::Minute, Unit::Percent)
        };
        let text = describe("CPU", &data).replace('\u{a0}', " ");
        assert_eq!(text, "CPU, last 15 minutes. process: now 2 %, lowest 1 %, highest 5 %; system: no data yet.");
    }
}
