//! The charts of the board. Each has a title, a note on the meaning of growth, a unit and its columns of the timeline.

use leptos::{either::Either, prelude::*};
use watchboard_wire::{FindingSubject, Snapshot, TimelineColumns, Unit};

use super::memory::watches_another;
use crate::{
    components::{Chart, ChartData, ChartShape, EarlierSeries, Series},
    figures::Figures,
    live::{figures_memo, use_live},
};

/// A chart's data from columns of the timeline.
pub(super) fn columns(
    unit: Unit,
    read: impl Fn(&TimelineColumns) -> Vec<Series> + Send + Sync + 'static,
) -> Memo<ChartData> {
    shaped(ChartShape::Lines, unit, read)
}

/// A chart's data, with that of the earlier span under it.
pub(super) fn over_earlier(figures: &Figures, unit: Unit, read: impl Fn(&Figures) -> Vec<Series>) -> ChartData {
    let earlier = figures.earlier.as_ref().zip(figures.place_of_earlier());
    let earlier =
        earlier.map(|(earlier, place)| EarlierSeries { series: read(earlier), points: earlier.span().points, place });
    ChartData { series: read(figures), earlier, ..ChartData::new(figures.span(), unit) }
}

/// A series of a column of 64-bit numbers, for which there is no lossless `Into<f64>`.
pub(super) fn byte_series(name: &'static str, hue: &'static str, column: &[Option<u64>]) -> Series {
    Series { name, hue, values: column.iter().map(|value| value.map(|value| value as f64)).collect() }
}

pub(crate) fn request_rate() -> Memo<ChartData> {
    columns(Unit::PerSecond, |columns| vec![Series::new("requests", "hue-rate", &columns.requests_per_second)])
}

pub(crate) fn rss() -> Memo<ChartData> {
    columns(Unit::Bytes, |columns| vec![byte_series("RSS", "hue-memory", &columns.rss_bytes)])
}

pub(crate) fn cpu() -> Memo<ChartData> {
    columns(Unit::Percent, |columns| vec![Series::new("CPU", "hue-cpu", &columns.process_cpu_percent)])
}

pub(crate) fn server_errors() -> Memo<ChartData> {
    columns(Unit::PerSecond, |columns| {
        vec![Series::new("server errors", "hue-server", &columns.server_errors_per_second)]
    })
}

pub(crate) fn latency() -> Memo<ChartData> {
    shaped(ChartShape::Bands, Unit::DurationUs, |columns| {
        vec![
            Series::new("p50", "hue-p50", &columns.latency_p50_us),
            Series::new("p95", "hue-p95", &columns.latency_p95_us),
            Series::new("p99", "hue-p99", &columns.latency_p99_us),
        ]
    })
}

/// The requests by outcome: they add up to all.
fn outcomes() -> Memo<ChartData> {
    shaped(ChartShape::Stack, Unit::PerSecond, |columns| {
        let known = columns.requests_per_second.iter();
        let failed =
            [&columns.client_errors_per_second, &columns.server_errors_per_second, &columns.dropped_per_second];
        let succeeded = known.enumerate().map(|(at, all)| {
            let others: f32 = failed.iter().filter_map(|column| column.get(at).copied().flatten()).sum();
            all.map(|all| (all - others).max(0.0))
        });
        vec![
            Series::new("server errors", "hue-server", &columns.server_errors_per_second),
            Series::new("client errors", "hue-client", &columns.client_errors_per_second),
            Series::new("dropped by clients", "hue-system", &columns.dropped_per_second),
            Series::new("succeeded", "hue-rate", &succeeded.collect::<Vec<_>>()),
        ]
    })
}

/// As [`columns`], in another shape than lines.
pub(super) fn shaped(
    shape: ChartShape,
    unit: Unit,
    read: impl Fn(&TimelineColumns) -> Vec<Series> + Send + Sync + 'static,
) -> Memo<ChartData> {
    figures_memo(move |figures| ChartData {
        shape,
        ..over_earlier(figures, unit, |figures| read(&figures.timeline.columns))
    })
}

pub(crate) fn latency_p99() -> Memo<ChartData> {
    columns(Unit::DurationUs, |columns| vec![Series::new("p99", "hue-p99", &columns.latency_p99_us)])
}

/// The requests by outcome.
#[component]
pub(crate) fn OutcomesChart(#[prop(optional)] compact: bool) -> impl IntoView {
    view! { <Chart title="Requests" note="Ended per second, by outcome: 5xx and panics are ours, 4xx the clients'." data=outcomes() compact /> }
}

/// Percentiles of latency.
#[component]
pub(crate) fn LatencyChart(#[prop(optional)] compact: bool) -> impl IntoView {
    view! { <Chart title="Latency" note="Of requests that succeeded, until the last byte: p99 far above p50 means that some wait." data=latency() compact /> }
}

#[component]
pub(crate) fn RssChart() -> impl IntoView {
    let data = figures_memo(|figures| {
        let limit = match &figures.snapshot.memory.container {
            Ok(Some(container)) => container.nearest_limit_bytes().map(|limit| limit as f64),
            _ => None,
        };
        let counts = figures.snapshot.memory.heap.is_some();
        let data = ChartData {
            shape: ChartShape::Stack,
            total: "RSS",
            warning: growth(&figures.snapshot).map(|(words, _)| words.to_owned()).unwrap_or_default(),
            ..over_earlier(figures, Unit::Bytes, |figures| rss_parts(&figures.timeline.columns, counts))
        };
        data.with_limit_in_sight("container limit", limit)
    });
    let title = if watches_another() { "Application memory" } else { "Process memory" };
    view! { <Chart title note="Resident memory in its parts: growth that never comes back is a leak." data=data /> }
}

/// The parts of RSS. They add up to it.
fn rss_parts(columns: &TimelineColumns, counts: bool) -> Vec<Series> {
    let own = &columns.anonymous_bytes;
    let live = |at: usize| columns.live_heap_bytes.get(at).copied().flatten();
    // Swapped-out and untouched pages are not resident.
    let allocated = |at: usize, own: u64| live(at).unwrap_or_default().min(own);
    let part = |read: &dyn Fn(usize, u64) -> u64| -> Vec<Option<u64>> {
        own.iter().enumerate().map(|(at, own)| own.map(|own| read(at, own))).collect()
    };
    let mut parts = if counts {
        vec![
            byte_series("allocated", "hue-memory", &part(&allocated)),
            byte_series("around it", "hue-p99", &part(&|at, own| own - allocated(at, own))),
        ]
    } else {
        vec![byte_series("heap and stacks", "hue-memory", own)]
    };
    parts.push(byte_series("files", "hue-p50", &columns.file_bytes));
    parts.push(byte_series("shared memory", "hue-system", &columns.shmem_bytes));
    parts
}

/// When memory that grows reaches its limit, and the whole sentence of that finding.
pub(super) fn growth(snapshot: &Snapshot) -> Option<(&str, &str)> {
    let findings = snapshot.health.findings.iter().filter(|finding| finding.over_since_unix_ms.is_none());
    let (words, sentence) = findings
        .filter(|finding| finding.about == FindingSubject::Memory)
        .find_map(|finding| Some((finding.sentence.split_once("at this pace it ")?.1, &*finding.sentence)))?;
    Some((words, sentence))
}

/// The chart of a counting allocator.
#[component]
pub(crate) fn AllocationChart() -> impl IntoView {
    let data = shaped(ChartShape::Mirror, Unit::BytesPerSecond, |columns| {
        vec![
            byte_series("allocated by requests", "hue-rate", &columns.requests_allocated_per_second),
            byte_series("elsewhere", "hue-system", &columns.other_allocated_per_second),
            byte_series("freed, below zero", "hue-memory", &columns.freed_per_second),
        ]
    });
    view! { <Chart title="Allocation" note="Per second: what makes the allocator work, and below zero what it gets back." data=data compact=true /> }
}

#[component]
pub(crate) fn CpuChart() -> impl IntoView {
    let whose = if watches_another() { "application, of one core" } else { "process, of one core" };
    let data = columns(Unit::Percent, move |columns| {
        vec![
            Series::new(whose, "hue-cpu", &columns.process_cpu_percent),
            Series::new("system, of all", "hue-system", &columns.system_cpu_percent),
        ]
    });
    view! { <Chart title="CPU" note="Near 100 % the work is waiting for a core." data=data compact=true /> }
}

/// The stalls for lack of memory, or why they are unknown.
#[component]
pub(crate) fn PressureChart() -> impl IntoView {
    let data = columns(Unit::Percent, |columns| {
        vec![Series::new("some task waited", "hue-cpu", &columns.memory_pressure_percent)]
    });
    let told = use_live().figures.with_untracked(|figures| figures.snapshot.memory.pressure().is_some());
    if told {
        Either::Left(
            view! { <Chart title="Memory pressure" note="Time in which tasks waited for memory." data=data compact=true /> },
        )
    } else {
        Either::Right(
            view! { <p class="unknown">"Memory pressure is unknown: this kernel has no PSI, or was started without psi=1."</p> },
        )
    }
}

/// The database's state at its probes: a cell for each point.
#[component]
pub(crate) fn AvailabilityRibbon() -> impl IntoView {
    let data = shaped(ChartShape::Ribbon, Unit::Percent, |columns| {
        let failed = &columns.database_failed_percent;
        let answered: Vec<Option<f32>> = failed.iter().map(|failed| failed.map(|failed| 100.0 - failed)).collect();
        vec![Series::new("failed", "hue-server", failed), Series::new("answered", "hue-memory", &answered)]
    });
    view! { <Chart title="Availability" note="By the monitor's probe, once a second; a gap is an unknown state." data=data compact=true /> }
}

#[component]
pub(crate) fn DatabaseLatencyChart() -> impl IntoView {
    let data =
        columns(Unit::DurationUs, |columns| vec![Series::new("slowest", "hue-database", &columns.database_latency_us)]);
    view! { <Chart title="Round trip" note="The slowest probe of each step; a gap is a probe without an answer." data=data compact=true /> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_resident_memory_add_up_to_it() {
        let columns = TimelineColumns {
            rss_bytes: vec![None, Some(100), Some(120)],
            anonymous_bytes: vec![None, Some(60), Some(80)],
            live_heap_bytes: vec![None, Some(50), Some(90)],
            file_bytes: vec![None, Some(30), Some(30)],
            shmem_bytes: vec![None, Some(10), Some(10)],
            ..TimelineColumns::default()
        };
        for counts in [true, false] {
            let parts = rss_parts(&columns, counts);
            let sum = |at: usize| parts.iter().map(|part| part.values[at]).sum::<Option<f64>>();
            assert_eq!([0, 1, 2].map(sum), [None, Some(100.0), Some(120.0)], "{parts:?}");
        }
        assert_eq!(rss_parts(&columns, true)[0].values[2], Some(80.0), "what is swapped out is not resident");
    }
}
