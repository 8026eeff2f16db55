//! Memory analytics: the process, what it holds open, its threads, its container, the system.

use leptos::prelude::*;

use super::charts::{CpuChart, RssChart};
use crate::{
    components::{Bar, Card, Cell, Column, Fact, Facts, StackedBar, Table, Usage, numbers, words},
    format,
    live::{figure, text},
    wire::{Container, Process, Reading, Snapshot, System, Thread, known},
};

#[component]
pub(crate) fn MemoryPage() -> impl IntoView {
    view! {
        <div class="charts">
            <RssChart />
            <CpuChart />
        </div>
        <div class="cards">
            <Card title="Process" note="RSS is what it holds in RAM; VMS is address space, most of which costs nothing.">
                <ProcessFacts />
            </Card>
            <Card title="Resource usage" note="A bar that fills up is what will run out first.">
                <ResourceBars />
            </Card>
            <Card title="Threads" note="The busiest. Threads share one address space: RSS is the process's, CPU time their own.">
                <ThreadTable most=20 />
            </Card>
            <Card title="Container" note="Working set: in use, less the file cache that the kernel can take back at once.">
                <Facts facts=figure(|snapshot| known(&snapshot.memory.container).map(|container| container_facts(container.as_ref()))) />
            </Card>
            <Card title="System" note="The whole machine. Used is what programs cannot get without swapping.">
                <SystemMemory />
                <Facts facts=figure(|snapshot| known(&snapshot.memory.system).map(system_facts)) />
            </Card>
        </div>
    }
}

/// A size as a fact: short, with the exact bytes as its title.
fn size(name: &'static str, bytes: u64) -> Fact {
    (name, format::bytes(bytes as f64), format!("{} bytes", format::exact(bytes)))
}

#[component]
pub(crate) fn ProcessFacts() -> impl IntoView {
    view! { <Facts facts=figure(|snapshot| known(&snapshot.memory.process).map(process_facts)) /> }
}

fn process_facts(process: &Process) -> Vec<Fact> {
    let share = process.memory_percent.map_or_else(|| "–".to_owned(), format::percent);
    let rss = format!("{} ({share})", format::bytes(process.rss_bytes as f64));
    let exact = format!("{} bytes, and its share of the system's memory", format::exact(process.rss_bytes));
    let cpu = process.cpu_percent.map_or_else(|| "–".to_owned(), |cpu| format!("{} of a core", format::percent(cpu)));
    vec![
        ("RSS", rss, exact),
        size("of that its own", process.anonymous_bytes),
        size("of that shareable", process.shared_bytes),
        size("Peak RSS", process.peak_rss_bytes),
        size("Swapped out", process.swap_bytes),
        size("VMS", process.vms_bytes),
        size("Code", process.text_bytes),
        size("Data and stack", process.data_bytes),
        ("CPU", cpu, "over the last second".to_owned()),
    ]
}

/// Memory against its limit, and what the process holds open.
#[component]
pub(crate) fn ResourceBars() -> impl IntoView {
    let memory = figure(|snapshot| {
        snapshot.memory.headline().map(|headline| Usage {
            text: format!(
                "{} of {} ({})",
                format::bytes(headline.used_bytes as f64),
                format::bytes(headline.limit_bytes as f64),
                headline.scope
            ),
            percent: Some(headline.percent()),
        })
    });
    let descriptors = figure(|snapshot| {
        let process = known(&snapshot.memory.process)?;
        let of = process
            .descriptors_limit
            .map_or_else(|| " (no limit)".to_owned(), |limit| format!(" of {}", format::exact(limit)));
        Ok(Usage {
            text: format!("{}{of}", process.descriptors),
            percent: process.descriptors_limit.map(|limit| 100.0 * process.descriptors as f64 / limit.max(1) as f64),
        })
    });
    view! {
        <Bar label="Memory" usage=memory />
        <Bar label="File descriptors" usage=descriptors />
        <Facts facts=figure(open_facts) />
    }
}

fn open_facts(snapshot: &Snapshot) -> Reading<Vec<Fact>> {
    let process = known(&snapshot.memory.process)?;
    let handles = known(&snapshot.memory.handles)?;
    let age = snapshot.taken_at_unix_ms.saturating_sub(handles.read_at_unix_ms) / 1000;
    let read = format!("read {} before the rest", format::span(age));
    Ok(vec![
        ("Threads", process.num_threads.to_string(), String::new()),
        ("Open files", handles.open_files.to_string(), format!("regular files, {read}")),
        ("Connections", handles.connections.to_string(), format!("TCP and UDP sockets, {read}")),
    ])
}

const THREAD_COLUMNS: &[Column] = &[
    words("Name"),
    numbers("Id", "the kernel's"),
    numbers("CPU", "of one core, since the reading before"),
    numbers("CPU time", "since the thread started"),
];

#[component]
pub(crate) fn ThreadTable(most: usize) -> impl IntoView {
    let rows = figure(move |snapshot| {
        let threads = known(&snapshot.memory.threads)?;
        let row = |thread: &Thread| {
            vec![
                Cell::words(thread.name.clone()),
                Cell::number(thread.thread_id.to_string(), String::new()),
                Cell::number(thread.cpu_percent.map_or_else(|| "–".to_owned(), format::percent), String::new()),
                Cell::number(format!("{:.1}\u{a0}s", thread.cpu_seconds), String::new()),
            ]
        };
        Ok(threads.busiest.iter().take(most).map(row).collect())
    });
    let shared = text(|snapshot| {
        let rss = snapshot.memory.process.as_ref().map(|process| format::bytes(process.rss_bytes as f64));
        rss.map_or_else(|_| String::new(), |rss| format!("All threads share the process's {rss} of RSS."))
    });
    view! {
        <Table caption="Top threads by CPU" columns=THREAD_COLUMNS rows />
        <p class="more">{shared}</p>
    }
}

fn container_facts(container: Option<&Container>) -> Vec<Fact> {
    let none = |name, why: &str| (name, "none".to_owned(), why.to_owned());
    let Some(container) = container else {
        return vec![none("Container", "this process is in no control group that counts memory")];
    };
    let limit = match container.limit_bytes {
        Some(limit) => size("Limit", limit),
        None => none("Limit", "neither its control group nor one above it has a limit"),
    };
    let mut facts = vec![size("Working set", container.working_set_bytes), limit];
    if let Some(percent) = container.percent() {
        facts.push(("Used", format::percent(percent), "working set of the limit".to_owned()));
    }
    facts
}

/// The machine's memory in parts that add up to it.
#[component]
pub(crate) fn SystemMemory() -> impl IntoView {
    let names = ["this process", "other programs", "cache, reclaimable", "free"];
    let parts = figure(move |snapshot| {
        let parts = snapshot.memory.system_parts()?;
        Ok(names.into_iter().zip(parts.map(|bytes| bytes as f64)).collect())
    });
    view! { <StackedBar label="System memory" parts /> }
}

fn system_facts(system: &System) -> Vec<Fact> {
    let used = format!("{} ({})", format::bytes(system.used_bytes as f64), format::percent(system.percent));
    vec![
        ("Used", used, "total less available".to_owned()),
        size("Available", system.available_bytes),
        size("Free", system.free_bytes),
        size("Active", system.active_bytes),
        size("Inactive", system.inactive_bytes),
        size("Buffers", system.buffers_bytes),
        size("Cached", system.cached_bytes),
        size("Shared", system.shared_bytes),
        size("Swap", system.swap_total_bytes),
        size("Swap used", system.swap_used_bytes),
        size("Swapped in", system.swap_in_bytes),
        size("Swapped out", system.swap_out_bytes),
    ]
}
