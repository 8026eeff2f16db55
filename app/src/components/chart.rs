//! Lines over the window. plotters draws the paths, on the server and in the browser alike. All text is HTML, so it
//! neither scales nor needs fonts. Colours are classes, and a series has the same hue everywhere.

mod crosshair;
mod data;
mod draw;
mod time_axis;

use crate::context::context;
use leptos::prelude::*;
use watchboard_wire::{Axis, Unit, format};

pub(crate) use self::{
    crosshair::{ChartMark, ChartSpan, Crosshair, CrosshairLine},
    data::{ChartData, ChartLimit, ChartShape, EarlierSeries, Series},
    draw::{sparkline, stretches},
    time_axis::TimeAxis,
};

/// A chart with its title, a note on the meaning of growth, a legend with the values now or at the crosshair, and a
/// text equivalent.
#[component]
pub(crate) fn Chart(
    title: &'static str,
    note: &'static str,
    data: Memo<ChartData>,
    /// Shows the note to screen readers alone, and is lower.
    #[prop(optional)]
    compact: bool,
) -> impl IntoView {
    let crosshair: Crosshair = context();
    let index = crosshair.index;
    let handles = StoredValue::new(crosshair.clone());
    // The name of the series that is drawn alone; empty for all.
    let isolated = RwSignal::new("");
    let drawn = Memo::new(move |_| data.with(|data| data.only(isolated.get())));
    let drawing = Memo::new(move |_| drawn.with(draw::chart));
    let is_ribbon = move || data.with(|data| data.shape == ChartShape::Ribbon);
    // Without a value nobody knows where the axis ends.
    let axis = Memo::new(move |_| {
        let has_axis = data.with(|data| !data.is_empty() && data.shape != ChartShape::Ribbon);
        drawn.with(|drawn| (drawn.unit, has_axis.then(|| drawn.axis())))
    });
    // Text and not elements, as of drawings: it is as short, and needs no further code.
    let ticks = move || {
        axis.with(|(unit, axis)| {
            let label = |axis: &Axis, tick: f64| {
                format!(
                    "<text x=\"100%\" y=\"{:.2}%\">{}</text>",
                    100.0 - 100.0 * axis.place(tick),
                    unit.text(tick.abs())
                )
            };
            axis.iter().flat_map(|axis| axis.ticks.iter().map(|tick| label(axis, *tick))).collect::<String>()
        })
    };
    let points = move || data.with_untracked(ChartData::points);
    view! {
        <figure class="chart" class:compact=compact class:ribbon=is_ribbon>
            <figcaption>
                <h2>{title}</h2>
                <p class="note" class:unseen=compact>{note}</p>
                <Legend data crosshair isolated />
            </figcaption>
            <svg class="y-axis" aria-hidden="true" inner_html=ticks></svg>
            // A chart that leaves the page loses the pointer and the focus after its state is gone.
            <div
                class="plot"
                role="img"
                tabindex="0"
                aria-label=move || data.with(|data| handles.with_value(|it| describe(title, data, &(it.span)())))
                on:pointermove=move |event| crosshair::point_at(index, &event, points())
                on:pointerdown=move |event| _ = handles.try_with_value(|it| it.press(&event))
                on:pointerup=move |_| _ = handles.try_with_value(Crosshair::release)
                on:pointerleave=move |_| _ = handles.try_with_value(Crosshair::leave)
                on:keydown=move |event| _ = handles.try_with_value(|it| it.step(&event, points()))
                on:blur=move |_| _ = handles.try_with_value(Crosshair::leave)
            >
                <div class="drawing" inner_html=move || drawing.get()></div>
                <CrosshairLine />
            </div>
            <TimeAxis />
        </figure>
    }
}

/// The names of the series with their values now or at the crosshair, and that time. With scripts a click on a name draws its series alone.
#[component]
fn Legend(data: Memo<ChartData>, crosshair: Crosshair, isolated: RwSignal<&'static str>) -> impl IntoView {
    let Crosshair { index, span, marks, is_scripted, .. } = crosshair;
    let when = move || match (index.get(), span()) {
        (None, span) if !span.is_past => "now".to_owned(),
        (index, span) => span.clock(index.unwrap_or_else(|| data.with(ChartData::newest_point))),
    };
    let item = move |unit: Unit, (name, hue, value, is_choice): LegendItem| {
        let choose = move |_| isolated.update(|isolated| *isolated = if *isolated == name { "" } else { name });
        // What is no choice is a button that does nothing: a further kind of entry would be code of its own.
        view! {
            <li>
                <button
                    type="button"
                    disabled=move || !(is_choice && is_scripted.get())
                    aria-pressed=move || is_choice.then(|| (isolated.get() == name).to_string())
                    on:click=choose
                >
                    <svg class="swatch" aria-hidden="true">
                        <rect class=hue width="100%" height="100%" />
                    </svg>
                    {name}
                    <b>{value.map_or_else(|| "–".to_owned(), |value| unit.text(value))}</b>
                </button>
            </li>
        }
    };
    let items = move || {
        data.with(|data| {
            let at = index.get().unwrap_or_else(|| data.newest_point());
            let are_choices = data.series.len() > 1;
            let values = data
                .series
                .iter()
                .map(|series| (series.name, series.hue, series.value_at(at, data.points()), are_choices));
            let limit = data.limit.map(|limit| {
                let hue = if limit.is_drawn { "limit" } else { "total" };
                (limit.name, hue, Some(limit.value), false)
            });
            let total =
                (!data.total.is_empty()).then(|| (data.total, "total", data.sum_at(data.series.len(), at), false));
            total.into_iter().chain(values).chain(limit).map(|entry| item(data.unit, entry)).collect_view()
        })
    };
    let said = move || match index.get() {
        None => data.with(|data| data.warning.clone()),
        index => marks.with(|marks| said_at(marks, index).join("; ")),
    };
    view! {
        <ul class="legend">
            {items}
            <li class="when">{when}</li>
            <li class="mark" class:warn=move || index.get().is_none()>{said}</li>
        </ul>
    }
}

/// An entry of a legend: its name, its hue, its value, and whether it can be chosen.
type LegendItem = (&'static str, &'static str, Option<f64>, bool);

/// What the marks at an index say.
fn said_at(marks: &[ChartMark], index: Option<usize>) -> Vec<&str> {
    marks.iter().filter(|mark| Some(mark.index) == index).map(|mark| &*mark.said).collect()
}

/// The chart in a sentence.
fn describe(title: &str, data: &ChartData, shown: &ChartSpan) -> String {
    let newest = if shown.is_past { "at its end" } else { "now" };
    let series = data.series.iter().map(|series| {
        let known: Vec<f64> = series.values.iter().flatten().copied().collect();
        if known.is_empty() {
            return format!("{}: no data yet", series.name);
        }
        let lowest = known.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = known.iter().copied().fold(0.0, f64::max);
        let text = |value| data.unit.text(value);
        let now = series.value_at(data.newest_point(), data.points()).map_or_else(|| "unknown".to_owned(), text);
        format!("{}: {newest} {now}, lowest {}, highest {}", series.name, text(lowest), text(highest))
    });
    let span = match data.span {
        span if shown.is_past => format!("{} to {}", shown.clock(0), shown.clock(span.points - 1)),
        span if span.is_whole() => format!("last {}", span.window.long_word()),
        span => format!("last {}", format::span(span.seconds())),
    };
    format!("{title}, {span}. {}.", series.collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use watchboard_wire::{ShownSpan, Window};

    const MINUTE: ShownSpan = ShownSpan { window: Window::Minute, points: 60 };

    fn shown(data: &ChartData) -> ChartSpan {
        ChartSpan { span: data.span, is_past: false, started_ms: 0, end_ms: 7_200_000 }
    }

    #[test]
    fn a_part_of_the_window_has_its_times() {
        let data = ChartData::new(ShownSpan { window: Window::Minute, points: 30 }, Unit::Percent);
        let part = ChartSpan { is_past: true, ..shown(&data) };
        assert_eq!(describe("CPU", &data, &part), "CPU, 01:59:31 to 02:00:00. .");
    }

    #[test]
    fn what_stopped_is_not_now() {
        let data = |values: &[Option<f32>]| ChartData {
            series: vec![Series::new("process", "cpu", values)],
            ..ChartData::new(MINUTE, Unit::Percent)
        };
        assert_eq!(data(&[Some(1.0), None]).newest_point(), 58, "the newest point has only begun");
        let stopped = data(&[Some(1.0), None, None]);
        assert!(describe("CPU", &stopped, &shown(&stopped)).contains("process: now unknown, lowest 1"));
    }

    #[test]
    fn a_chart_reads_as_a_sentence() {
        let data = ChartData {
            series: vec![
                Series::new("process", "cpu", &[Some(1.0f32), Some(5.0), Some(2.0)]),
                Series::new("system", "other", &[] as &[Option<f32>]),
            ],
            ..ChartData::new(MINUTE, Unit::Percent)
        };
        let text = describe("CPU", &data, &shown(&data)).replace('\u{a0}', " ");
        assert_eq!(text, "CPU, last minute. process: now 2 %, lowest 1 %, highest 5 %; system: no data yet.");
    }
}
