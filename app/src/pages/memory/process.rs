//! The process and its limits.

use leptos::prelude::*;
use watchboard_wire::{Reading, Snapshot, format, reading_ref};

use crate::{
    components::{Bar, ExplainedFacts, Fact, Usage},
    live::snapshot_memo,
    pages::{
        cells::{fact_or_reason, size_fact},
        charts,
    },
};

#[component]
pub(crate) fn ProcessFacts() -> impl IntoView {
    view! { <ExplainedFacts facts=snapshot_memo(process_facts) lead=7 /> }
}

fn process_facts(snapshot: &Snapshot) -> Reading<Vec<Fact>> {
    let process = reading_ref(&snapshot.memory.process)?;
    let share = process.memory_percent.map_or_else(|| "–".to_owned(), format::percent);
    let rss = format!("{} ({share})", format::bytes(process.rss_bytes as f64));
    let exact = format!("{} bytes, and its share of the system's memory", format::exact(process.rss_bytes));
    let cpu = process.cpu_percent.map(|cpu| format!("{} of a core", format::percent(cpu)));
    let faults = process.major_faults_per_second.map(|rate| format!("{} major", format::per_second(rate)));
    let (uss, pss, read) = match &snapshot.memory.mapped {
        Ok(mapped) => {
            let [uss, pss] = [mapped.uss_bytes, mapped.pss_bytes].map(|bytes| format::bytes(bytes as f64));
            (uss, pss, read_before(snapshot, mapped.read_at_unix_ms))
        }
        Err(unknown) => ("–".to_owned(), "–".to_owned(), unknown.to_string()),
    };
    // Several processes may have had their peaks at different times.
    let whose = if snapshot.memory.application.is_some() { ", each process's own, added up" } else { "" };
    let peak = format!("{} bytes{whose}", format::exact(process.peak_rss_bytes));
    Ok(vec![
        ("RSS", rss, exact),
        ("Peak RSS", format::bytes(process.peak_rss_bytes as f64), peak),
        ("Its alone (USS)", uss, format!("what would be free if it ended; {read}")),
        ("Its share (PSS)", pss, format!("shared pages divided among those who share; {read}")),
        size_fact("Swapped out", process.swap_bytes),
        fact_or_reason("CPU", cpu, "from the second reading on"),
        fact_or_reason("Page faults", faults, "from the second reading on"),
        size_fact("of that heap and stacks", process.anonymous_bytes),
        size_fact("of that files", process.file_bytes),
        size_fact("of that shared memory", process.shmem_bytes),
        (
            "Huge pages",
            format::bytes(process.hugetlb_bytes as f64),
            format!("{} bytes of hugetlbfs, which are not in RSS", format::exact(process.hugetlb_bytes)),
        ),
        size_fact("VMS", process.vms_bytes),
        size_fact("Code", process.text_bytes),
        size_fact("Data and stack", process.data_bytes),
        (
            "Page faults so far",
            format!(
                "{} major, {} minor",
                format::count(process.major_faults as f64),
                format::count(process.minor_faults as f64)
            ),
            "major ones read from a disk: many of them are a machine short of memory".to_owned(),
        ),
    ])
}

/// The age of a figure that is not read every second.
fn read_before(snapshot: &Snapshot, read_at_unix_ms: u64) -> String {
    let age = snapshot.taken_at_unix_ms.saturating_sub(read_at_unix_ms) / 1000;
    format!("read {} before the rest", format::span(age))
}

/// Memory and descriptors against their limits, and the open files and connections.
#[component]
pub(crate) fn ResourceBars(
    /// Says when memory that grows reaches its limit.
    #[prop(optional)]
    growth: bool,
) -> impl IntoView {
    let memory = snapshot_memo(|snapshot| {
        snapshot.memory.headline().map(|headline| Usage {
            text: format!(
                "{} of the {}'s {}",
                format::bytes(headline.used_bytes as f64),
                headline.scope,
                format::bytes(headline.limit_bytes as f64),
            ),
            percent: Some(headline.percent()),
        })
    });
    let descriptors = snapshot_memo(|snapshot| {
        let descriptors = reading_ref(&snapshot.memory.descriptors)?;
        let of =
            descriptors.limit.map_or_else(|| " (no limit)".to_owned(), |limit| format!(" of {}", format::exact(limit)));
        let whose = descriptors.pid.map(|pid| format!(" in process {pid}")).unwrap_or_default();
        Ok(Usage {
            text: format!("{}{of}{whose}", descriptors.open),
            percent: descriptors.limit.map(|limit| 100.0 * descriptors.open as f64 / limit.max(1) as f64),
        })
    });
    view! {
        <Bar label="Memory" usage=memory />
        <Bar label="File descriptors" usage=descriptors />
        <ExplainedFacts facts=snapshot_memo(move |snapshot| open_facts(snapshot, growth)) />
    }
}

fn open_facts(snapshot: &Snapshot, growth: bool) -> Reading<Vec<Fact>> {
    let process = reading_ref(&snapshot.memory.process)?;
    let handles = reading_ref(&snapshot.memory.handles)?;
    let read = read_before(snapshot, handles.read_at_unix_ms);
    let growing = || match charts::growth(snapshot) {
        Some((words, sentence)) => (words.to_owned(), sentence.to_owned()),
        None => ("none that lasts".to_owned(), "of memory, towards its limit".to_owned()),
    };
    let growth = growth.then(growing).map(|(words, title)| ("Growth", words, title));
    let open = [
        ("Threads", process.num_threads.to_string(), String::new()),
        ("Open files", handles.open_files.to_string(), format!("regular files, {read}")),
        ("Connections", handles.connections.to_string(), format!("TCP and UDP sockets, {read}")),
    ];
    Ok(growth.into_iter().chain(open).collect())
}
