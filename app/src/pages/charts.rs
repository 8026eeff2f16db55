//! The charts of the board. Each has a title, a note on the meaning of growth, a unit and its columns of the timeline.

use leptos::prelude::*;
use watchboard_wire::{TimelineColumns, Unit};

use super::memory::watches_another;
use crate::{
    components::{Chart, ChartData, ChartShape, Series},
    figures::Figures,
    live::figures_memo,
};

/// A chart's data from columns of the timeline.
pub(super) fn columns(
    unit: Unit,
    read: impl Fn(&TimelineColumns) -> Vec<Series> + Send + Sync + 'static,
) -> Memo<ChartData> {
    figures_memo(move |figures| ChartData {
        series: read(&figures.timeline.columns),
        ..ChartData::new(figures.span(), unit)
    })
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
fn shaped(
    shape: ChartShape,
    unit: Unit,
    read: impl Fn(&TimelineColumns) -> Vec<Series> + Send + Sync + 'static,
) -> Memo<ChartData> {
    figures_memo(move |figures| ChartData {
        shape,
        series: read(&figures.timeline.columns),
        ..ChartData::new(figures.span(), unit)
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

/// The restarts of the application, at places of the window.
fn restarts(figures: &Figures) -> Vec<(usize, String)> {
    let (snapshot, window) = (&figures.snapshot, figures.window());
    let index = |at_unix_ms: u64| {
        // Ticks come a little sooner or later than whole seconds.
        let ago = (snapshot.taken_at_unix_ms.saturating_sub(at_unix_ms) + 500) / 1000;
        let [point, now] = [snapshot.tick.checked_sub(ago)?, snapshot.tick].map(|tick| tick / window.step_seconds());
        (figures.span().points - 1).checked_sub((now - point) as usize)
    };
    let restarts = snapshot.memory.application.iter().flat_map(|application| &application.restarted_at_unix_ms);
    restarts.filter_map(|at| Some((index(*at)?, format!("restarted at {}", snapshot.clock(*at))))).collect()
}

#[component]
pub(crate) fn RssChart() -> impl IntoView {
    let data = figures_memo(|figures| {
        let columns = &figures.timeline.columns;
        let mut series = vec![
            byte_series("RSS", "hue-memory", &columns.rss_bytes),
            byte_series("of that heap and stacks", "hue-cpu", &columns.anonymous_bytes),
        ];
        if figures.snapshot.memory.heap.is_some() {
            series.push(byte_series("allocated and not freed", "hue-p99", &columns.live_heap_bytes));
        }
        let limit = match &figures.snapshot.memory.container {
            Ok(Some(container)) => container.nearest_limit_bytes().map(|limit| limit as f64),
            _ => None,
        };
        let marks = restarts(figures);
        let data = ChartData { series, marks, ..ChartData::new(figures.span(), Unit::Bytes) };
        data.with_limit_in_sight("container limit", limit)
    });
    let title = if watches_another() { "Application memory" } else { "Process memory" };
    view! { <Chart title note="Resident memory: growth that never comes back is a leak." data=data /> }
}

/// The chart of a counting allocator.
#[component]
pub(crate) fn AllocationChart() -> impl IntoView {
    let data = columns(Unit::BytesPerSecond, |columns| {
        vec![
            byte_series("by requests", "hue-rate", &columns.requests_allocated_per_second),
            byte_series("elsewhere", "hue-system", &columns.other_allocated_per_second),
        ]
    });
    view! { <Chart title="Allocation" note="Bytes asked for per second: what makes the allocator work, kept or not." data=data /> }
}

#[component]
pub(crate) fn CpuChart() -> impl IntoView {
    let whose = if watches_another() { "application, of one core" } else { "process, of one core" };
    let data = figures_memo(move |figures| {
        let columns = &figures.timeline.columns;
        let series = vec![
            Series::new(whose, "hue-cpu", &columns.process_cpu_percent),
            Series::new("system, of all", "hue-system", &columns.system_cpu_percent),
        ];
        ChartData { series, marks: restarts(figures), ..ChartData::new(figures.span(), Unit::Percent) }
    });
    view! { <Chart title="CPU" note="Near 100 % the work is waiting for a core." data=data /> }
}

#[component]
pub(crate) fn DatabaseLatencyChart() -> impl IntoView {
    let data = columns(Unit::DurationUs, |columns| {
        vec![Series::new("round trip", "hue-database", &columns.database_latency_us)]
    });
    view! { <Chart title="Database round trip" note="The slowest probe of each step; a gap is a probe without an answer." data=data /> }
}
