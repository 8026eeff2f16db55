//! The endpoints that take the most time, in a table that one look reads.

use leptos::prelude::*;
use watchboard_wire::{EndpointRow, Unit, format};

use super::{
    cells::{flagged_count_cell, share},
    endpoints::{endpoint_name_cell, filter_and_sort, requests_over_time},
};
use crate::{
    components::{Cell, Column, Table, TableRow, numbers, words},
    figures::Figures,
    live::figures_memo,
    selection::{Selection, use_selection},
};

const COLUMNS: &[Column] = &[
    words("Endpoint"),
    numbers("Load", "the share of the time that all requests took"),
    numbers("Rate", "requests per second, and over time"),
    numbers("p50 to p99", "of requests that succeeded: the bar is on a scale that all rows share"),
    numbers("In time", "succeeded within the endpoint's objective"),
    numbers("5xx", "server errors: panics and broken bodies too"),
];

/// Rows that have room on the first screen.
const MAX_ROWS: usize = 8;

#[component]
pub(super) fn TopEndpoints() -> impl IntoView {
    let selection = use_selection();
    let rows = figures_memo(move |figures| {
        let ids = filter_and_sort(figures, &Selection::default());
        let shown = || ids.iter().take(MAX_ROWS).map(|id| &figures.endpoints[*id]);
        let succeeded = || shown().filter_map(|row| row.latency.succeeded.as_ref());
        let least = succeeded().map(|latency| latency.p50_us as f64).fold(f64::INFINITY, f64::min);
        let axis = Unit::log_axis(least, succeeded().map(|latency| latency.p99_us as f64).fold(0.0, f64::max));
        let place = |us: u64| 100.0 * axis.place(us as f64);
        Ok(selection.with(|selection| shown().map(|row| top_row(figures, row, selection, &place)).collect()))
    });
    let foot = figures_memo(|figures| match (figures.endpoints.len(), figures.snapshot.requests.endpoints as usize) {
        (0, _) => super::endpoints::no_request(figures),
        (_, all) if all > MAX_ROWS => format!("All {all} endpoints"),
        _ => String::new(),
    });
    let all = move || selection.with(|selection| selection.to_view(crate::selection::View::Requests).href());
    view! {
        <Table caption="Endpoints that take the most time" quiet=true columns=COLUMNS rows />
        <p class="more"><a href=all>{foot}</a></p>
    }
}

fn top_row(figures: &Figures, row: &EndpointRow, selection: &Selection, place: &dyn Fn(u64) -> f64) -> TableRow {
    let name = row.name.clone().unwrap_or_default();
    let totals = &figures.totals;
    let load = 100.0 * row.duration_sum_us as f64 / totals.duration_sum_us.max(1) as f64;
    let rate = row.requests as f64 / totals.seconds.max(1) as f64;
    let latency = row.latency.succeeded.as_ref().map_or_else(Cell::dash, |latency| {
        let [p50, p99] = [latency.p50_us, latency.p99_us].map(|us| format::duration_us(us as f64));
        Cell::range(format!("{p50} – {p99}"), (place(latency.p50_us), place(latency.p99_us)), String::new())
    });
    let within = row.within_percent();
    let within = match within {
        Some(percent) if percent < 99.0 => Cell::number(format::percent(percent), String::new()).class("number warn"),
        Some(percent) => Cell::number(format::percent(percent), String::new()),
        None => Cell::dash(),
    };
    vec![
        endpoint_name_cell(&name).with_link(selection.to_endpoint(&name.text()).href()),
        Cell::bar(share(row.duration_sum_us, totals.duration_sum_us), load, String::new()),
        Cell::number(format::per_second(rate), format!("{} requests", format::exact(row.requests)))
            .with_line(&requests_over_time(figures, row), "hue-rate"),
        latency,
        within,
        flagged_count_cell(row.server_errors, "number bad"),
    ]
}
