//! The threads: the busiest, and all by name.

use leptos::prelude::*;
use watchboard_wire::{Thread, ThreadGroup, format, reading_ref};

use super::{application::watches_another, detail::memory_detail};
use crate::{
    components::{Cell, Column, Table, numbers, words},
    live::{figures_memo, snapshot_memo, snapshot_text},
};

const COLUMNS: &[Column] = &[
    words("Name"),
    numbers("Id", "the kernel's"),
    numbers("CPU", "of one core, since the reading before"),
    numbers("CPU time", "since the thread started"),
];

/// The busiest threads.
#[component]
pub(crate) fn ThreadTable() -> impl IntoView {
    let rows = snapshot_memo(move |snapshot| {
        let threads = reading_ref(&snapshot.memory.threads)?;
        let row = |thread: &Thread| {
            vec![
                Cell::words(thread.name.clone()),
                Cell::number(thread.thread_id.to_string(), String::new()),
                cpu(thread),
                cpu_time(thread),
            ]
        };
        Ok(threads.busiest.iter().map(row).collect())
    });
    let shared = snapshot_text(|snapshot| {
        let Ok(process) = &snapshot.memory.process else { return String::new() };
        let rss = format::bytes(process.rss_bytes as f64);
        match &snapshot.memory.application {
            None => format!("All threads share the process's {rss} of RSS."),
            Some(_) => format!("Threads share their process's memory; all processes together have {rss} of RSS."),
        }
    });
    view! {
        <Table caption="Top threads by CPU" columns=COLUMNS rows />
        <p class="more">{shared}</p>
    }
}

fn cpu(thread: &Thread) -> Cell {
    Cell::number(thread.cpu_percent.map_or_else(|| "–".to_owned(), format::percent), String::new())
}

fn cpu_time(thread: &Thread) -> Cell {
    Cell::number(format!("{:.1}\u{a0}s", thread.cpu_seconds), String::new())
}

const GROUP_COLUMNS: &[Column] = &[
    words("Name"),
    numbers("Threads", "of this name"),
    numbers("CPU", "of one core, since the reading before"),
    numbers("CPU time", "since they started"),
    numbers("Allocates", "per second, since the reading before"),
    numbers("Frees", "per second, whoever had allocated it"),
    numbers("Allocated", "since they started"),
    numbers("Freed", "since they started, whoever had allocated it"),
];

/// Every thread, by name.
#[component]
pub(crate) fn ThreadGroupTable() -> impl IntoView {
    let rows = figures_memo(|figures| {
        let groups = reading_ref(&memory_detail(figures)?.threads)?;
        let rate = |rate: Option<f64>| {
            Cell::number(rate.map_or_else(|| "–".to_owned(), format::bytes_per_second), String::new())
        };
        let size =
            |bytes: Option<u64>| bytes.map_or_else(|| Cell::dash().with_title("not counted".to_owned()), Cell::bytes);
        let row = |group: &ThreadGroup| {
            let ThreadGroup { sum, threads, .. } = group;
            let id = if sum.thread_id == 0 { String::new() } else { format!("thread {}", sum.thread_id) };
            let own = vec![
                Cell::words(sum.name.clone()).with_title(id),
                Cell::number(threads.to_string(), String::new()),
                cpu(sum),
                cpu_time(sum),
            ];
            if figures.snapshot.memory.application.is_some() {
                return own;
            }
            let allocated = [
                rate(group.allocated_per_second),
                rate(group.freed_per_second),
                size(sum.allocated_bytes),
                size(sum.freed_bytes),
            ];
            own.into_iter().chain(allocated).collect()
        };
        Ok(groups.iter().map(row).collect())
    });
    // The allocations of other processes' threads are unknown.
    let columns = if watches_another() { &GROUP_COLUMNS[..4] } else { GROUP_COLUMNS };
    view! { <Table caption="Threads by name" quiet=true columns rows /> }
}
