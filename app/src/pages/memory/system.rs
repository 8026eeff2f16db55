//! The machine: its memory, its devices, and its heaviest processes.

use leptos::prelude::*;
use watchboard_wire::{Devices, Disk, HeavyProcess, Network, Reading, format, reading_ref};

use super::{application::watches_another, detail::memory_detail};
use crate::{
    components::{Cell, Column, ExplainedFacts, Fact, Slice, StackedBar, Table, numbers, words},
    figures::Figures,
    live::{figures_memo, snapshot_memo},
    pages::cells::{fact_or_reason, size_fact},
};

/// The machine's memory in parts that add up to it.
#[component]
pub(crate) fn SystemMemory() -> impl IntoView {
    let own = if watches_another() { "the application" } else { "this process" };
    let parts = snapshot_memo(move |snapshot| {
        let parts = snapshot.memory.system_parts()?;
        // An unknown process is no part.
        let (names, unknown) = match snapshot.memory.process {
            Ok(_) => ([own, "other programs", "cache, reclaimable", "free"], 0),
            Err(_) => ([own, "programs", "cache, reclaimable", "free"], 1),
        };
        Ok(names
            .into_iter()
            .zip(parts)
            .skip(unknown)
            .map(|(name, bytes)| (name, bytes as f64, ""))
            .collect::<Vec<Slice>>())
    });
    view! { <StackedBar label="System memory" parts /> }
}

/// The cores now: the darker, the busier.
#[component]
pub(crate) fn CoreStrip() -> impl IntoView {
    let cores = figures_memo(|figures| -> Reading<Vec<f32>> {
        Ok(reading_ref(&memory_detail(figures)?.devices)?.cores_percent.clone())
    });
    let strip = move || {
        let cores = cores.get().unwrap_or_default();
        let width = 100.0 / cores.len().max(1) as f32;
        let rect = |(at, busy): (usize, &f32)| {
            // Of the five shades the first is that of an idle core.
            let shade = (busy / 20.0) as u8;
            format!(
                "<rect class=\"shade-{}\" x=\"{:.2}%\" width=\"{width:.2}%\" height=\"100%\"/>",
                shade.min(4) + 1,
                width * at as f32
            )
        };
        cores.iter().enumerate().map(rect).collect::<String>()
    };
    let words = move || {
        let cores = cores.get().unwrap_or_default();
        let busiest = cores.iter().copied().fold(0.0, f32::max);
        format!("Cores now, the busiest at {} of {}", format::percent(f64::from(busiest)), cores.len())
    };
    view! {
        <div class="card cores">
            <p class="note">{words}</p>
            <svg aria-hidden="true" inner_html=strip></svg>
        </div>
    }
}

#[component]
pub(crate) fn SystemFacts() -> impl IntoView {
    view! { <ExplainedFacts facts=figures_memo(system_facts) lead=10 /> }
}

fn system_facts(figures: &Figures) -> Reading<Vec<Fact>> {
    let system = reading_ref(&figures.snapshot.memory.system)?;
    let used = format!("{} ({})", format::bytes(system.used_bytes as f64), format::percent(system.percent));
    let rate = |rates: Option<[f64; 2]>, way: usize| rates.map(|rates| format::bytes_per_second(rates[way]));
    let later = "from the second reading on";
    let cores = |devices: &Devices| {
        let cores = devices.cores_percent.iter().map(|percent| format::percent(f64::from(*percent)));
        cores.collect::<Vec<_>>().join(", ")
    };
    let devices = memory_detail(figures).and_then(|detail| reading_ref(&detail.devices)).ok();
    let load = system.load.map(|[one, five, fifteen]| format!("{one:.2}, {five:.2}, {fifteen:.2}"));
    Ok(vec![
        ("Used", used, "total less available".to_owned()),
        size_fact("Available", system.available_bytes),
        size_fact("Swap", system.swap_total_bytes),
        size_fact("Swap used", system.swap_used_bytes),
        fact_or_reason("Swapping in", rate(system.swap_rates, 0), later),
        fact_or_reason("Swapping out", rate(system.swap_rates, 1), later),
        fact_or_reason(
            "Stalled for memory",
            system.pressure.map(|it| format::percent(it.some_percent)),
            "this kernel does not tell: it was built or started without PSI",
        ),
        fact_or_reason("Load", load, "the platform does not tell"),
        fact_or_reason("Cores", devices.map(cores).filter(|cores| !cores.is_empty()), later),
        fact_or_reason("Up", devices.map(|devices| format::span(devices.uptime_seconds)), "not read yet"),
        size_fact("Free", system.free_bytes),
        size_fact("Active", system.active_bytes),
        size_fact("Inactive", system.inactive_bytes),
        size_fact("Buffers", system.buffers_bytes),
        size_fact("Cached", system.cached_bytes),
        size_fact("Shared", system.shared_bytes),
        size_fact("Huge pages", system.hugetlb_bytes),
        size_fact("of that free", system.hugetlb_free_bytes),
        size_fact("Swapped in so far", system.swap_in_bytes),
        size_fact("Swapped out so far", system.swap_out_bytes),
    ])
}

/// One of the devices' lists as rows.
fn device_rows<T>(
    list: impl Fn(&Devices) -> &Vec<T> + Send + Sync + 'static,
    row: impl Fn(&T) -> Vec<Cell> + Send + Sync + 'static,
) -> Memo<Reading<Vec<Vec<Cell>>>> {
    figures_memo(move |figures| Ok(list(reading_ref(&memory_detail(figures)?.devices)?).iter().map(&row).collect()))
}

const HEAVIEST: &[Column] = &[words("Process"), numbers("Id", "the kernel's"), numbers("RSS", "resident memory")];

#[component]
pub(crate) fn HeaviestTable() -> impl IntoView {
    let row = |process: &HeavyProcess| {
        let pid = Cell::number(process.pid.to_string(), String::new());
        vec![Cell::words(process.name.clone()), pid, Cell::bytes(process.rss_bytes)]
    };
    view! { <Table caption="Processes by memory" quiet=true columns=HEAVIEST rows=device_rows(|devices| &devices.heaviest, row) /> }
}

const DISKS: &[Column] = &[
    words("Mounted at"),
    numbers("Size", ""),
    numbers("Available", "what can still be written"),
    numbers("Used", "of the size"),
];

#[component]
pub(crate) fn DiskTable() -> impl IntoView {
    let row = |disk: &Disk| {
        let used = disk.total_bytes.saturating_sub(disk.available_bytes);
        let percent = 100.0 * used as f64 / disk.total_bytes.max(1) as f64;
        let used = Cell::number(format::percent(percent), format::exact(used));
        vec![Cell::words(disk.mount.clone()), Cell::bytes(disk.total_bytes), Cell::bytes(disk.available_bytes), used]
    };
    let rows = figures_memo(move |figures| {
        Ok(reading_ref(&memory_detail(figures)?.disks)?.iter().map(row).collect::<Vec<_>>())
    });
    view! { <Table caption="Disks" columns=DISKS rows /> }
}

const NETWORKS: &[Column] = &[
    words("Interface"),
    numbers("Receives", "per second, since the reading before"),
    numbers("Sends", "per second, since the reading before"),
    numbers("Received", "since the machine started"),
    numbers("Sent", "since the machine started"),
];

#[component]
pub(crate) fn NetworkTable() -> impl IntoView {
    let row = |network: &Network| {
        let rate = |way: usize| {
            let rate = network.rates.map(|rates| format::bytes_per_second(rates[way]));
            Cell::number(rate.unwrap_or_else(|| "–".to_owned()), String::new())
        };
        vec![
            Cell::words(network.name.clone()),
            rate(0),
            rate(1),
            Cell::bytes(network.received_bytes),
            Cell::bytes(network.sent_bytes),
        ]
    };
    view! { <Table caption="Networks" columns=NETWORKS rows=device_rows(|devices| &devices.networks, row) /> }
}
