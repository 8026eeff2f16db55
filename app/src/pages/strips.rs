//! The endpoints that take the most time, each as a strip of colours over the window: where and when it was slow.

use std::fmt::Write;

use leptos::prelude::*;
use watchboard_wire::{EndpointStrip, format};

use crate::{
    components::{Card, Cell, Column, Table, TableRow, words},
    figures::Figures,
    live::figures_memo,
    selection::{Selection, use_selection},
};

const COLUMNS: &[Column] = &[words("Endpoint"), words("p95 over the window"), words("p95 now"), words("Slowest point")];

/// The shades, by the p95 as a part of the objective.
const SHADES: [(f64, &str); 4] = [(0.25, "calm-1"), (0.5, "calm-2"), (1.0, "calm-3"), (2.0, "beyond-1")];

#[component]
pub(super) fn Strips() -> impl IntoView {
    let selection = use_selection();
    let rows = figures_memo(move |figures| {
        Ok(selection
            .with(|selection| figures.strips.iter().filter_map(|strip| strip_row(figures, strip, selection)).collect()))
    });
    view! {
        <Card
            title="Endpoints over time"
            note="Those that take the most time. Blue: the p95 is within the objective, darker as it comes nearer. Orange: beyond it. Red: more than twice. Empty: no request that succeeded."
            wide=true
        >
            <Table caption="Endpoints over time" quiet=true columns=COLUMNS rows />
        </Card>
    }
}

fn strip_row(figures: &Figures, strip: &EndpointStrip, selection: &Selection) -> Option<TableRow> {
    let row = figures.endpoints.iter().find(|row| row.id == strip.id)?;
    let name = row.name.as_ref()?;
    let points = figures.span().line_points();
    let young = points.saturating_sub(strip.p95_us.len());
    let mut svg = format!("<svg viewBox=\"0 0 {points} 1\" preserveAspectRatio=\"none\">");
    for (index, p95) in strip.p95_us.iter().enumerate() {
        if let Some(us) = p95 {
            let part = f64::from(*us) / name.objective_us.max(1) as f64;
            let shade = SHADES.iter().find(|(most, _)| part <= *most).map_or("beyond-2", |(_, shade)| *shade);
            let x = young + index;
            // Writing into a string cannot fail.
            let _ = write!(svg, "<rect class=\"{shade}\" x=\"{x}\" width=\"1\" height=\"1\"/>");
        }
    }
    let time = |us: Option<u32>| us.map_or_else(|| "–".to_owned(), |us| format::duration_us(us.into()));
    let worst = strip.p95_us.iter().enumerate().filter_map(|(index, us)| Some((us.as_ref()?, index))).max();
    let slowest = worst.map_or_else(
        || "–".to_owned(),
        |(us, index)| {
            let ago = (strip.p95_us.len() - 1 - index) as u64 * figures.window().line_step_seconds();
            let snapshot = &figures.snapshot;
            let newest_ms = figures.past.map_or(snapshot.taken_at_unix_ms, |_| figures.newest_tick() * 1000);
            let at_ms = newest_ms.saturating_sub(ago * 1000);
            let at = if figures.window().is_of_days() { snapshot.date_time(at_ms) } else { snapshot.clock(at_ms) };
            format!("{} at {at}", format::duration_us(f64::from(*us)))
        },
    );
    Some(vec![
        Cell::words(name.text()).with_link(selection.to_endpoint(&name.text()).href()).with_title(name.text()),
        Cell::strip(svg + "</svg>"),
        Cell::words(time(strip.p95_us.last().copied().flatten())),
        Cell::words(slowest).with_title(format!("objective {}", format::duration_us(name.objective_us as f64))),
    ])
}
