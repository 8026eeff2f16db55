//! The instances over time: a row of colours for each, by a figure that the URL names.

use std::fmt::Write;

use leptos::prelude::*;
use watchboard_wire::{InstanceList, InstanceRow, InstanceScope, InstanceStrip, format};

use super::InstanceFigure;
use crate::{
    components::{Card, Cell, Column, FULL_PERCENT, TIGHT_PERCENT, Table, TableRow, numbers, words},
    selection::{Selection, View, use_selection},
};

const COLUMNS: &[Column] = &[
    words("Instance"),
    words("Over the window"),
    numbers("Now", "the last point of the window"),
    numbers("Highest", "of the window"),
];

/// The shades of a figure, by the largest value of each; what is beyond has the last one.
const SHADES: [&str; 5] = ["calm-1", "calm-2", "calm-3", "beyond-1", "beyond-2"];

#[component]
pub(super) fn InstanceMap(list: Memo<InstanceList>) -> impl IntoView {
    let selection = use_selection();
    let rows = Memo::new(move |_| {
        Ok(list.with(|list| {
            let strips = list.instances.iter().zip(&list.strips);
            selection.with(|selection| {
                let figure = InstanceFigure::from_word(&selection.heat);
                let most = ends(figure, &list.strips);
                strips.map(|(row, strip)| map_row(row, strip, (figure, most), selection)).collect()
            })
        }))
    });
    let link = move |figure: InstanceFigure| {
        let href = move || {
            selection.with(|selection| Selection { heat: figure.word().to_owned(), ..selection.clone() }.href())
        };
        let current =
            move || selection.with(|selection| InstanceFigure::from_word(&selection.heat) == figure).then_some("true");
        view! { <a href=href aria-current=current>{figure.title()}</a> }
    };
    let note = move || selection.with(|selection| note(InstanceFigure::from_word(&selection.heat)));
    let hidden = move || list.with(|list| list.instances.len().saturating_sub(list.strips.len()));
    let more = move || match hidden() {
        0 => String::new(),
        hidden => format!("The {hidden} others are better than these."),
    };
    view! {
        <Card title="Instances over time" wide=true>
            <nav class="figures" aria-label="Figure of the map">{InstanceFigure::ALL.map(link)}</nav>
            <p class="note">{note}</p>
            <Table caption="Instances over time" quiet=true columns=COLUMNS rows />
            <p class="more">{more}</p>
        </Card>
    }
}

fn note(figure: InstanceFigure) -> &'static str {
    match figure {
        InstanceFigure::P99 => {
            "The highest p99 of ten seconds. Blue: up to twice the median of all, darker as it comes nearer. Orange: beyond. Red: beyond four times. Empty: no request that succeeded."
        }
        InstanceFigure::Errors => {
            "Server errors of the requests. Blue: up to 1 %. Orange: beyond. Red: beyond 5 %. Empty: no request."
        }
        InstanceFigure::Memory => {
            "The use of the container's or the system's limit. Orange and red: what is tight, and what is full."
        }
        InstanceFigure::Cpu => "The highest of ten seconds, of one core. Orange: beyond 75 %. Red: beyond 90 %.",
    }
}

/// The ends of the first four shades.
fn ends(figure: InstanceFigure, strips: &[InstanceStrip]) -> [f64; 4] {
    match figure {
        InstanceFigure::P99 => {
            let mut all: Vec<u32> = strips.iter().flat_map(|strip| strip.p99_us.iter().flatten().copied()).collect();
            all.sort_unstable();
            let median = all.get(all.len() / 2).copied().map_or(1.0, f64::from);
            [0.5, 1.0, 2.0, 4.0].map(|times| times * median)
        }
        InstanceFigure::Errors => [0.0, 0.1, 1.0, 5.0],
        InstanceFigure::Memory => [25.0, 50.0, TIGHT_PERCENT, FULL_PERCENT],
        InstanceFigure::Cpu => [25.0, 50.0, 75.0, 90.0],
    }
}

fn values(figure: InstanceFigure, strip: &InstanceStrip) -> Vec<Option<f64>> {
    let of = |values: &[Option<f32>]| values.iter().map(|value| value.map(f64::from)).collect();
    match figure {
        InstanceFigure::P99 => strip.p99_us.iter().map(|us| us.map(f64::from)).collect(),
        InstanceFigure::Errors => of(&strip.error_percent),
        InstanceFigure::Memory => of(&strip.memory_percent),
        InstanceFigure::Cpu => of(&strip.cpu_percent),
    }
}

fn map_row(
    row: &InstanceRow,
    strip: &InstanceStrip,
    (figure, ends): (InstanceFigure, [f64; 4]),
    selection: &Selection,
) -> TableRow {
    let values = values(figure, strip);
    let text = |value: Option<f64>| match (value, figure) {
        (None, _) => Cell::dash(),
        (Some(us), InstanceFigure::P99) => Cell::number(format::duration_us(us), String::new()),
        (Some(percent), _) => Cell::number(format::percent(percent), String::new()),
    };
    let highest = values.iter().flatten().copied().reduce(f64::max);
    let scope = InstanceScope::One(row.name.clone());
    vec![
        Cell::words(row.name.clone()).with_link(selection.to_view(View::Overview).to_scope(scope).href()),
        Cell::strip(drawn(&values, ends)),
        text(values.last().copied().flatten()),
        text(highest),
    ]
}

/// The shades of the points as an SVG: a path for each shade, a rectangle for each run.
fn drawn(values: &[Option<f64>], ends: [f64; 4]) -> String {
    let shade = |value: f64| ends.iter().filter(|end| value > **end).count();
    let shades: Vec<Option<usize>> = values.iter().map(|value| value.map(shade)).collect();
    let mut paths = SHADES.map(|_| String::new());
    let mut x = 0;
    for run in shades.chunk_by(PartialEq::eq) {
        let width = run.len();
        if let Some(shade) = run[0] {
            // Here and below: writing into a string cannot fail.
            let _ = write!(paths[shade], "M{x} 0h{width}v1h-{width}");
        }
        x += width;
    }
    let drawn = SHADES.iter().zip(&paths).filter(|(_, path)| !path.is_empty());
    let mut svg = format!("<svg viewBox=\"0 0 {} 1\" preserveAspectRatio=\"none\">", values.len().max(1));
    for (shade, path) in drawn {
        let _ = write!(svg, "<path class=\"{shade}\" d=\"{path}\"/>");
    }
    svg + "</svg>"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_the_shade_of_its_range() {
        let strip = InstanceStrip {
            p99_us: [Some(10), None, Some(20), Some(20), Some(90)].to_vec(),
            error_percent: vec![Some(7.0)],
            ..InstanceStrip::default()
        };
        let most = ends(InstanceFigure::P99, std::slice::from_ref(&strip));
        assert_eq!(most.map(|end| end as u32), [10, 20, 40, 80]);
        let cells = map_row(&InstanceRow::default(), &strip, (InstanceFigure::P99, most), &Selection::default());
        assert_eq!((cells.len(), &cells[3]), (COLUMNS.len(), &Cell::number(format::duration_us(90.0), String::new())));
        let svg = drawn(&values(InstanceFigure::P99, &strip), most);
        let has = |shade: &str, path: &str| svg.contains(&format!("<path class=\"{shade}\" d=\"{path}\"/>"));
        assert!(
            has("calm-1", "M0 0h1v1h-1") && has("calm-2", "M2 0h2v1h-2") && has("beyond-2", "M4 0h1v1h-1"),
            "{svg}"
        );
        assert_eq!(ends(InstanceFigure::Errors, &[]).iter().filter(|end| 7.0 > **end).count(), 4);
    }
}
