//! The charts of the overview, and the endpoints that take the most time, in a table that one look reads.

use leptos::prelude::*;
use watchboard_wire::{EndpointRow, format};

use super::{
    cells::{RangeScale, flagged_count_cell, rate},
    charts::{LatencyChart, OutcomesChart},
    endpoints::{endpoint_name_cell, filter_and_sort, load_cell, requests_over_time, within_cell},
};
use crate::{
    components::{Card, Cell, Column, Table, TableRow, numbers, words},
    figures::Figures,
    live::figures_memo,
    selection::{Selection, use_selection},
};

const COLUMNS: &[Column] = &[
    words("Endpoint"),
    numbers("Load", "the share of the time that all requests took").leads(),
    numbers("Rate", "requests per second, and over time"),
    numbers("p50 to p99", "of requests that succeeded: the bar is on a scale that all rows share").leads(),
    numbers("In time", "succeeded within the endpoint's objective"),
    numbers("5xx", "server errors: panics and broken bodies too").leads(),
];

/// Rows that have room on the first screen.
const MAX_ROWS: usize = 8;

/// The charts of the requests, and the endpoints that take the most.
#[component]
pub(super) fn ChartsAndTop() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    crate::selection::keep_viewer_state();
    view! {
        <div class="same-axis">
            <OutcomesChart compact=true />
            <LatencyChart compact=true />
        </div>
        <Card title="Endpoints that take the most">
            <TopEndpoints />
        </Card>
    }
}

#[component]
fn TopEndpoints() -> impl IntoView {
    let selection = use_selection();
    let rows = figures_memo(move |figures| {
        let ids = filter_and_sort(figures, &Selection::default());
        let shown = || ids.iter().take(MAX_ROWS).map(|id| &figures.endpoints[*id]);
        let scale = RangeScale::new(shown().filter_map(|row| row.latency.succeeded));
        Ok(selection.with(|selection| shown().map(|row| top_row(figures, row, selection, &scale)).collect()))
    });
    let foot = figures_memo(|figures| match (figures.endpoints.len(), figures.snapshot.requests.endpoints as usize) {
        (0, _) => super::endpoints::no_request(figures),
        (_, all) if all > MAX_ROWS => format!("All {all} endpoints"),
        _ => "More figures of these endpoints".to_owned(),
    });
    let all = move || selection.with(|selection| selection.to_view(crate::selection::View::Requests).href());
    view! {
        <Table caption="Endpoints that take the most time" quiet=true columns=COLUMNS rows />
        <p class="more"><a href=all>{foot}</a></p>
    }
}

fn top_row(figures: &Figures, row: &EndpointRow, selection: &Selection, scale: &RangeScale) -> TableRow {
    let name = row.name.clone().unwrap_or_default();
    let rate = rate(row.requests, figures.totals.seconds);
    vec![
        endpoint_name_cell(&name).with_link(selection.to_endpoint(&name.text()).href()),
        load_cell(row, &figures.totals),
        Cell::number(format::per_second(rate), format!("{} requests", format::exact(row.requests)))
            .with_line(&requests_over_time(figures, row), "hue-rate"),
        scale.cell(row.latency.succeeded.as_ref(), String::new()),
        within_cell(row, &name),
        flagged_count_cell(row.server_errors, "number bad"),
    ]
}
