//! Memory analytics: the process, what it holds open, its threads, its container, the system.

use leptos::prelude::*;

use super::charts::{CpuChart, RssChart};
use crate::{
    components::{Bar, Card, Facts, StackedBar, why},
    format,
    live::figure,
    wire::{Memory, Reading, Thread},
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
                <ContainerFacts />
            </Card>
            <Card title="System" note="The whole machine. Used is what programs cannot get without swapping.">
                <SystemMemory />
                <SystemFacts />
            </Card>
        </div>
    }
}

type FactList = Vec<(&'static str, String, String)>;

/// A size as a fact: short, with the exact bytes as its title.
fn size(name: &'static str, bytes: u64) -> (&'static str, String, String) {
    (name, format::bytes(bytes as f64), format!("{} bytes", format::exact(bytes)))
}

/// Facts, or why there are none.
fn reading(facts: Memo<Reading<FactList>>) -> impl IntoView {
    let unknown = move || facts.get().err().map(why);
    view! {
        <Facts facts=Signal::derive(move || facts.get().unwrap_or_default()) />
        {unknown}
    }
}

#[component]
pub(crate) fn ProcessFacts() -> impl IntoView {
    reading(figure(|snapshot| {
        let process = snapshot.memory.process.as_ref().map_err(Clone::clone)?;
        let share = format::percent(process.memory_percent);
        let mut facts = vec![
            (
                "RSS",
                format!("{} ({share})", format::bytes(process.rss_bytes as f64)),
                format!("{} bytes, and its share of the system's memory", format::exact(process.rss_bytes)),
            ),
            size("of that its own", process.anonymous_bytes),
            size("of that shareable", process.shared_bytes),
            size("Peak RSS", process.peak_rss_bytes),
            size("Swapped out", process.swap_bytes),
            size("VMS", process.vms_bytes),
            size("Code", process.text_bytes),
            size("Data and stack", process.data_bytes),
            ("Threads", process.num_threads.to_string(), String::new()),
        ];
        if let Some(cpu) = process.cpu_percent {
            facts.push(("CPU", format!("{} of a core", format::percent(cpu)), "over the last second".to_owned()));
        }
        Ok(facts)
    }))
}

/// Memory against its limit, and what the process holds open.
#[component]
pub(crate) fn ResourceBars() -> impl IntoView {
    let memory = figure(|snapshot| {
        snapshot.memory.headline().map(|headline| {
            let text = format!(
                "{} of {}",
                format::bytes(headline.used_bytes as f64),
                format::bytes(headline.limit_bytes as f64)
            );
            (headline.scope, headline.percent(), text)
        })
    });
    let memory_text = move || memory.get().map(|(scope, _, text)| format!("{text} ({scope})"));
    let handles = figure(|snapshot| {
        snapshot.memory.handles.clone().map(|handles| {
            let age = snapshot.taken_at_unix_ms.saturating_sub(handles.read_at_unix_ms) / 1000;
            let read = format!("read {} before the rest", format::span(age));
            (handles, read)
        })
    });
    let threads =
        figure(|snapshot| snapshot.memory.process.as_ref().map(|process| process.num_threads).map_err(Clone::clone));
    let descriptors = move || {
        handles.get().ok().and_then(|(handles, _)| {
            handles.descriptors_limit.map(|limit| 100.0 * handles.descriptors as f64 / limit.max(1) as f64)
        })
    };
    let open: Memo<Reading<FactList>> = Memo::new(move |_| {
        let (handles, read) = handles.get()?;
        let threads = threads.get()?;
        let of = handles.descriptors_limit.map(|limit| format!(" of {}", format::exact(limit))).unwrap_or_default();
        Ok(vec![
            ("Threads", threads.to_string(), String::new()),
            ("Open files", handles.open_files.to_string(), format!("regular files, {read}")),
            ("Connections", handles.connections.to_string(), format!("TCP and UDP sockets, {read}")),
            (
                "File descriptors",
                format!("{}{of}", handles.descriptors),
                format!("of every kind, against the soft limit, {read}"),
            ),
        ])
    });
    view! {
        <p class="bar-label"><span>"Memory"</span> <b>{move || memory_text().unwrap_or_else(|unknown| unknown.to_string())}</b></p>
        <Bar label="Memory" percent=Signal::derive(move || memory.get().map_or(0.0, |(_, percent, _)| percent)) />
        <p class="bar-label"><span>"File descriptors"</span> <b>{move || descriptors().map_or_else(|| "no limit".to_owned(), format::percent)}</b></p>
        <Bar label="File descriptors" percent=Signal::derive(move || descriptors().unwrap_or(0.0)) />
        {reading(open)}
    }
}

#[component]
pub(crate) fn ThreadTable(most: usize) -> impl IntoView {
    let threads = figure(move |snapshot| {
        let rss = snapshot.memory.process.as_ref().map(|process| format::bytes(process.rss_bytes as f64)).ok();
        snapshot.memory.threads.clone().map(|threads| (threads.busiest.into_iter().take(most).collect::<Vec<_>>(), rss))
    });
    let row = |thread: Thread| {
        view! {
            <tr>
                <th scope="row">{thread.name}</th>
                <td class="number">{thread.thread_id}</td>
                <td class="number">{thread.cpu_percent.map_or_else(|| "–".to_owned(), format::percent)}</td>
                <td class="number">{format!("{:.1}\u{a0}s", thread.cpu_seconds)}</td>
            </tr>
        }
    };
    let rows = move || threads.get().ok().map(|(threads, _)| threads.into_iter().map(row).collect_view());
    let shared = move || {
        threads.get().ok().and_then(|(_, rss)| rss).map(|rss| format!("All threads share the process's {rss} of RSS."))
    };
    let unknown = move || threads.get().err().map(why);
    view! {
        <table class="threads">
            <caption>"Top threads by CPU"</caption>
            <thead>
                <tr>
                    <th scope="col">"Name"</th>
                    <th scope="col" class="number">"Id"</th>
                    <th scope="col" class="number" title="of one core, over the last five seconds">"CPU"</th>
                    <th scope="col" class="number" title="since the thread started">"CPU time"</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
        <p class="note">{shared}</p>
        {unknown}
    }
}

#[component]
fn ContainerFacts() -> impl IntoView {
    reading(figure(|snapshot| {
        let container = snapshot.memory.container.as_ref().map_err(Clone::clone)?;
        let none = |text: &str| text.to_owned();
        let Some(container) = container else {
            return Ok(vec![(
                "Container",
                none("none"),
                none("this process is in no control group that counts memory"),
            )]);
        };
        let limit = match container.limit_bytes {
            Some(limit) => size("Limit", limit),
            None => ("Limit", none("none"), none("neither its control group nor one above it has a limit")),
        };
        let mut facts = vec![size("Working set", container.working_set_bytes), limit];
        if let Some(percent) = container.percent() {
            facts.push(("Used", format::percent(percent), none("working set of the limit")));
        }
        Ok(facts)
    }))
}

/// The machine's memory in parts that add up to it.
#[component]
pub(crate) fn SystemMemory() -> impl IntoView {
    let parts = figure(|snapshot| snapshot.memory.system_parts());
    let names = ["this process", "other programs", "cache, reclaimable", "free"];
    let shown = Signal::derive(move || match parts.get() {
        Ok(parts) => names.into_iter().zip(parts.map(|bytes| bytes as f64)).collect(),
        Err(_) => vec![],
    });
    view! {
        <p class="bar-label"><span>"System memory"</span> <b>{move || total(parts.get())}</b></p>
        <StackedBar label="System memory in parts" parts=shown />
        {move || parts.get().err().map(why)}
    }
}

fn total(parts: Reading<[u64; 4]>) -> String {
    parts.map_or_else(|_| "–".to_owned(), |parts| format::bytes(parts.iter().sum::<u64>() as f64))
}

#[component]
fn SystemFacts() -> impl IntoView {
    reading(figure(|snapshot| system_facts(&snapshot.memory)))
}

fn system_facts(memory: &Memory) -> Reading<FactList> {
    let system = memory.system.as_ref().map_err(Clone::clone)?;
    Ok(vec![
        (
            "Used",
            format!("{} ({})", format::bytes(system.used_bytes as f64), format::percent(system.percent)),
            "total less available".to_owned(),
        ),
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
    ])
}
