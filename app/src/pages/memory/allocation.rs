//! The endpoints that allocate the most, in a table that one look reads.

use leptos::prelude::*;
use watchboard_wire::{EndpointName, format};

use crate::{
    components::{Cell, Column, Table, numbers, words},
    live::figures_memo,
    pages::{cells::share, endpoints::filter_and_sort},
    selection::{Selection, Sort, use_selection},
};

pub(super) const NO_COUNTING_ALLOCATOR: &str = "The program's allocator does not count. With #[global_allocator] static ALLOCATOR: watchboard::alloc::Tracking = \
    watchboard::alloc::Tracking::system(); in its main file, each endpoint shows here what it allocates.";

const COLUMNS: &[Column] = &[
    words("Endpoint"),
    numbers("Allocated", "by all requests of the window together: the bar is its share"),
    numbers("A request", "the mean: the bar is of the largest"),
    numbers("Largest", "what one request allocated at most"),
    numbers("Not freed", "a request, when its response had ended: allocated, less freed, less its body"),
];

/// Rows that have room on the first screen.
const MAX_ROWS: usize = 8;

#[component]
pub(super) fn AllocationTable() -> impl IntoView {
    let selection = use_selection();
    let rows = figures_memo(move |figures| {
        let all = figures.totals.memory.map_or(0, |all| all.allocated_bytes);
        let order = Selection { sort: Sort::Allocated, ..Selection::default() };
        let sorted = filter_and_sort(figures, &order).into_iter().map(|at| &figures.endpoints[at]);
        // `None` before the first of its requests has ended.
        let shown: Vec<_> = sorted.filter_map(|row| Some((row, row.memory?))).take(MAX_ROWS).collect();
        let largest = shown.iter().map(|(_, memory)| memory.mean_bytes()).max().unwrap_or_default();
        let percent = |part: u64, whole: u64| 100.0 * part as f64 / whole.max(1) as f64;
        let rows = shown.into_iter().map(|(row, memory)| {
            let name = row.name.as_ref().map(EndpointName::text).unwrap_or_default();
            let (sum, mean) = (memory.allocated_bytes, memory.mean_bytes());
            let title = format!("{} of what all requests allocated", share(sum, all));
            let spread = [memory.p50_bytes, memory.p99_bytes].map(|bytes| format::bytes(bytes as f64));
            vec![
                Cell::words(name.clone()).with_link(selection.with(|selection| selection.to_endpoint(&name).href())),
                Cell::bar(format::bytes(sum as f64), percent(sum, all), title),
                Cell::bar(
                    format::bytes(mean as f64),
                    percent(mean, largest),
                    format!("p50 {}, p99 {}", spread[0], spread[1]),
                ),
                Cell::bytes(memory.max_bytes),
                Cell::bytes(memory.kept_bytes(row.response_bytes) / memory.requests.max(1)),
            ]
        });
        Ok(rows.collect())
    });
    view! { <Table caption="Endpoints that allocate the most" quiet=true columns=COLUMNS rows /> }
}
