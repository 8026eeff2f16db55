//! The cost of the monitor, and the load of the async runtime.

use leptos::prelude::*;
use watchboard_wire::{Cost, Reading, Snapshot, Unknown, format};

use super::detail::memory_detail;
use crate::{
    components::{Cell, Column, ExplainedFacts, Fact, Table, numbers, words},
    figures::Figures,
    live::{figures_memo, snapshot_memo},
    pages::cells::fact_or_reason,
};

#[component]
pub(crate) fn RuntimeFacts() -> impl IntoView {
    view! { <ExplainedFacts facts=snapshot_memo(runtime_facts) /> }
}

fn runtime_facts(snapshot: &Snapshot) -> Reading<Vec<Fact>> {
    let unknown = "The monitor was built outside of a tokio runtime: build it within the one that serves.";
    let runtime = snapshot.runtime.ok_or_else(|| Unknown::because(unknown))?;
    Ok(vec![
        ("Workers", runtime.workers.to_string(), "threads that run tasks".to_owned()),
        fact_or_reason("Busy", runtime.busy_percent.map(format::percent), "from the second reading on"),
        (
            "Waiting tasks",
            format::count(runtime.global_queue as f64),
            "in the queue of all workers; those in a worker's own are not counted".to_owned(),
        ),
        ("Alive tasks", format::count(runtime.alive_tasks as f64), "spawned and not ended".to_owned()),
    ])
}

const COLUMNS: &[Column] = &[words("Reading"), numbers("Took", "the last time that it was read")];

#[component]
pub(crate) fn CostFacts() -> impl IntoView {
    let probes = figures_memo(|figures| {
        let probes = &memory_detail(figures)?.cost.probes;
        let row = |(name, us): &(String, u64)| {
            vec![Cell::words(name.clone()), Cell::number(format::duration_us(*us as f64), String::new())]
        };
        Ok(probes.iter().map(row).collect())
    });
    view! {
        <ExplainedFacts facts=figures_memo(cost_facts) />
        <Table caption="Readings" columns=COLUMNS rows=probes />
    }
}

fn cost_facts(figures: &Figures) -> Reading<Vec<Fact>> {
    let Cost { request_ns, cpu_us_per_second, held, dropped_log_lines, .. } = &memory_detail(figures)?.cost;
    let sizes = held.iter().map(|(name, bytes)| format!("{name} {}", format::bytes(*bytes as f64)));
    let all: u64 = held.iter().map(|(_, bytes)| bytes).sum();
    let round_trip = figures.snapshot.database.latency_us.map(|us| format::duration_us(us as f64));
    Ok(vec![
        (
            "To count a request",
            format!("{request_ns}\u{a0}ns"),
            "to find its endpoint, read the clock and count, measured here once; beside it is what axum takes for any layer"
                .to_owned(),
        ),
        fact_or_reason(
            "CPU a second",
            cpu_us_per_second.map(|us| format!("{} of a core", format::duration_us(us as f64))),
            "from the second reading on",
        ),
        fact_or_reason("Database probe", round_trip, "no database has answered"),
        (
            "Memory",
            format!("{} ({})", format::bytes(all as f64), sizes.collect::<Vec<_>>().join(", ")),
            format::exact(all),
        ),
        (
            "Dropped log lines",
            format::count(*dropped_log_lines as f64),
            "since the start, of the program's log: nobody read it in time, or it could not be written".to_owned(),
        ),
    ])
}
