//! One endpoint: its latency over time, the outcomes of its requests, its errors and its slowest requests.

mod columns;
mod tiles;
mod time;

use leptos::{either::Either, prelude::*};
use watchboard_wire::{
    EndpointColumns, EndpointDetail, EndpointLatency, Latency, Reading, RequestUpstream, Unit, Unknown, format,
};

use self::{
    columns::{NO_ENDPOINT, columns, detail},
    tiles::EndpointTiles,
    time::TimeChart,
};
use super::{
    cells::{rate, share},
    charts::byte_series,
    commands::EndpointCommandTable,
    errors::{CauseTable, SampleTable},
    export_links::ExportLinks,
    long_lived::LongLivedCard,
    memory::watches_another,
    requests::StatusTable,
    slowest::SlowestTable,
};
use crate::{
    components::{Card, Chart, ChartData, ChartShape, ExplainedFacts, Fact, HeatData, HeatMap, Series},
    figures::Figures,
    live::{figures_memo, use_live},
    selection::use_selection,
};

#[component]
pub(crate) fn EndpointPage() -> impl IntoView {
    let selection = use_selection();
    let (counts, listens) =
        use_live().figures.with_untracked(|figures| (figures.snapshot.memory.heap.is_some(), figures.snapshot.listens));
    let name = move || selection.with(|selection| selection.endpoint.clone().unwrap_or_default());
    let is_known = figures_memo(|figures| figures.endpoint.is_some());
    view! {
        <p class="crumbs">
            <a href=move || selection.with(|selection| selection.to_endpoints().href())>"Requests"</a>
            <span aria-hidden="true">"›"</span>
            <b id="endpoint-name">{name}</b>
            <span class="note">{figures_memo(subtitle)}</span>
        </p>
        {move || if is_known.get() {
            Either::Left(view! { <KnownEndpoint counts listens /> })
        } else {
            Either::Right(view! { <p class="unknown" id="no-endpoint">{NO_ENDPOINT}</p> })
        }}
    }
}

/// Its objective, and what named it.
fn subtitle(figures: &Figures) -> String {
    let Some(name) = figures.endpoint.as_ref().and_then(|detail| detail.row.name.as_ref()) else {
        return String::new();
    };
    let objective = format!("objective {}", format::duration_us(name.objective_us as f64));
    match name.named_by.words() {
        Some(rule) => format!("{objective}; named by {rule}"),
        None => objective,
    }
}

/// The charts and cards of an endpoint.
#[component]
fn KnownEndpoint(counts: bool, listens: bool) -> impl IntoView {
    view! {
        <EndpointTiles />
        <div class="charts wide-first">
            <LatencyMap />
            <OutcomesOfEndpoint />
            <EndpointLatencyChart />
            {(listens || watches_another()).then(|| view! { <TimeChart /> })}
            {counts.then(|| view! { <EndpointAllocationChart /> })}
        </div>
        <div class="cards">
            <Card title="Endpoint" note="Of the window.">
                <ExplainedFacts facts=figures_memo(endpoint_facts) />
            </Card>
            {listens
                .then(|| view! {
                    <Card title="What it asks" note="Of the window: its requests and the database.">
                        <ExplainedFacts facts=figures_memo(database_facts) />
                    </Card>
                })}
            {counts
                .then(|| view! {
                    <Card title="What it allocates" note="Of the window: its requests and the program's memory.">
                        <ExplainedFacts facts=figures_memo(memory_facts) />
                    </Card>
                })}
            <Card title="Status codes" note="Since the start; 499 is a client that left before there was a status.">
                <StatusTable statuses=|figures: &Figures| Ok(detail(figures).map(|detail| detail.statuses.clone()).unwrap_or_default()) />
            </Card>
            {listens
                .then(|| view! {
                    <Card title="Database commands" note="Since the start: what its requests ask. Many of one kind in one request could be one question." wide=true>
                        <EndpointCommandTable />
                    </Card>
                })}
            <LongLivedCard />
            <Card title="Errors by cause" note="# stands for what differs from request to request." wide=true>
                <CauseTable most=usize::MAX />
                <SampleTable />
            </Card>
            <Card title="Slowest requests" note="Of the window, from arrival to the last byte." wide=true>
                <SlowestTable of_endpoint=true />
            </Card>
        </div>
        <ExportLinks />
    }
}

fn endpoint_facts(figures: &Figures) -> Reading<Vec<Fact>> {
    let EndpointDetail { row, .. } = detail(figures)?;
    let totals = &figures.totals;
    let plain = |name, count: u64| (name, format::count(count as f64), format::exact(count));
    let of_own = |name, count: u64| {
        (name, format!("{} ({})", format::count(count as f64), share(count, row.requests)), format::exact(count))
    };
    let time = |us: Option<u64>| us.map_or_else(|| "–".to_owned(), |us| format::duration_us(us as f64));
    let latency = |name, read: fn(&Latency) -> u64, title: &str| {
        let EndpointLatency { succeeded, failed } = &row.latency;
        let failed = failed.as_ref().map(|failed| format!(" (failed: {})", time(Some(read(failed)))));
        let text = time(succeeded.as_ref().map(read)) + &failed.unwrap_or_default();
        (name, text, format!("{title}, of requests that succeeded"))
    };
    let objective = row.name.as_ref().map(|name| name.objective_us);
    let within = row.within_percent().map_or_else(|| "–".to_owned(), format::percent);
    let rate = rate(row.requests, totals.seconds);
    let total = share(row.duration_sum_us, totals.duration_sum_us);
    let mut facts = vec![
        plain("Requests", row.requests),
        ("Rate", format::per_second(rate), format!("{} of all requests", share(row.requests, totals.requests))),
        of_own("Server errors", row.server_errors),
        of_own("Client errors", row.client_errors),
        of_own("Dropped by clients", row.dropped),
        plain("In flight", row.in_flight),
        latency("Mean", |latency| latency.mean_us, "from arrival to the last byte"),
        latency("p50", |latency| latency.p50_us, "half were at most this slow"),
        latency("p95", |latency| latency.p95_us, "95 of 100 were at most this slow"),
        latency("p99", |latency| latency.p99_us, "99 of 100 were at most this slow"),
        latency("Max", |latency| latency.max_us, "the slowest"),
        (
            "In time",
            format!("{within} within {}", time(objective)),
            "succeeded within the objective: a server error is not in time, however fast".to_owned(),
        ),
        (
            "Time taken",
            format!("{} ({total})", time(Some(row.duration_sum_us))),
            "by all its requests, and the share of all endpoints".to_owned(),
        ),
        ("Sent", format::bytes(row.response_bytes as f64), format::exact(row.response_bytes)),
    ];
    facts.extend(row.upstream.map(upstream_facts).into_iter().flatten());
    if let Some(rule) = row.name.as_ref().and_then(|name| name.named_by.words()) {
        facts.push(("Named by", rule.to_owned(), "what made this name of the paths that were asked for".to_owned()));
    }
    Ok(facts)
}

/// The time of the application behind the proxy.
fn upstream_facts(upstream: RequestUpstream) -> [Fact; 2] {
    let mean = |sum_us: u64, count: u64| match count {
        0 => "–".to_owned(),
        _ => format::duration_us(sum_us as f64 / count as f64),
    };
    let RequestUpstream { answered, first_byte_sum_us, connects, connect_sum_us } = upstream;
    [
        (
            "Upstream's first byte",
            mean(first_byte_sum_us, answered),
            "from asking the application until its answer began, the mean".to_owned(),
        ),
        (
            "Upstream connections",
            format!("{} made, {} each", format::count(connects as f64), mean(connect_sum_us, connects)),
            format!("for {} requests: the others used one that was there", format::exact(answered)),
        ),
    ]
}

fn database_facts(figures: &Figures) -> Reading<Vec<Fact>> {
    let EndpointDetail { row, .. } = detail(figures)?;
    let database = row.database.ok_or_else(|| Unknown::because("None of its requests has asked the database."))?;
    let time = |name, us: u64, title: &str| (name, format::duration_us(us as f64), title.to_owned());
    let requests = row.requests.max(1);
    let part = share(database.elapsed_us, row.duration_sum_us);
    let mut facts = vec![
        (
            "Commands",
            format!("{} a request", format::count(database.commands as f64 / requests as f64)),
            format!("{} in all, sent to the database", format::exact(database.commands)),
        ),
        (
            "Database",
            format!("{} a request ({part})", format::duration_us(database.elapsed_us as f64 / requests as f64)),
            "the time in which a command was under way, the mean, and its share of the time taken".to_owned(),
        ),
        time("p99 database", database.p99_us, "of requests that asked it, 99 of 100 waited at most this"),
        time("Max database", database.max_us, "the longest that one request waited for it"),
    ];
    if database.waited_us > 0 {
        let each = format::duration_us(database.waited_us as f64 / requests as f64);
        let part = share(database.waited_us, row.duration_sum_us);
        let title =
            "the time without a free connection of the client's pool, the mean, and its share of the time taken";
        facts.push(("Wait for a connection", format!("{each} a request ({part})"), title.to_owned()));
    }
    if database.repeated > 0 {
        facts.push((
            "N+1",
            format!("{} requests", format::count(database.repeated as f64)),
            "sent the same command at least ten times: one question would do".to_owned(),
        ));
    }
    Ok(facts)
}

fn memory_facts(figures: &Figures) -> Reading<Vec<Fact>> {
    let EndpointDetail { row, .. } = detail(figures)?;
    let memory = row.memory.ok_or_else(|| Unknown::because("None of its requests has ended."))?;
    let size = |name, bytes: u64, title: &str| (name, format::bytes(bytes as f64), title.to_owned());
    let total = share(memory.allocated_bytes, figures.totals.memory.map_or(0, |all| all.allocated_bytes));
    let kept = memory.kept_bytes(row.response_bytes) / memory.requests.max(1);
    Ok(vec![
        (
            "Allocated",
            format!("{} ({total})", format::bytes(memory.allocated_bytes as f64)),
            "by all its requests while they were handled, and the share of all endpoints".to_owned(),
        ),
        size("A request allocates", memory.mean_bytes(), "the mean"),
        size("p50 allocated", memory.p50_bytes, "half allocated at most this"),
        size("p99 allocated", memory.p99_bytes, "99 of 100 allocated at most this"),
        size("Largest request", memory.max_bytes, "what one request allocated at most: memory has to suffice for it"),
        (
            "Allocations",
            format!("{} a request", format::count(memory.allocations_each())),
            "calls of the allocator, the mean".to_owned(),
        ),
        (
            "Not freed",
            format!("{} a request", format::bytes(kept as f64)),
            "when the response had ended, but for its body: what stays so request after request is kept".to_owned(),
        ),
    ])
}

#[component]
fn EndpointLatencyChart() -> impl IntoView {
    let data = figures_memo(|figures| {
        let series = columns(figures, Unit::DurationUs, |columns| {
            vec![
                Series::new("p50", "hue-p50", &columns.latency_p50_us),
                Series::new("p95", "hue-p95", &columns.latency_p95_us),
                Series::new("p99", "hue-p99", &columns.latency_p99_us),
            ]
        });
        let name = detail(figures).ok().and_then(|detail| detail.row.name.as_ref());
        let bands = ChartData { shape: ChartShape::Bands, ..series };
        bands.with_limit_in_sight("objective", name.map(|name| name.objective_us as f64))
    });
    view! { <Chart title="Latency" note="Of requests that succeeded, until the last byte: p99 far above p50 means that some wait." data /> }
}

#[component]
fn LatencyMap() -> impl IntoView {
    let data = figures_memo(|figures| HeatData {
        span: figures.span(),
        points: detail(figures).map(|detail| detail.timeline.columns.latency_counts.clone()).unwrap_or_default(),
        lines: detail(figures).map(|detail| percentile_lines(&detail.timeline.columns)).unwrap_or_default(),
    });
    view! { <HeatMap title="Latency distribution" note="How many that succeeded took how long: two bands are two kinds of requests." data /> }
}

fn percentile_lines(columns: &EndpointColumns) -> Vec<Series> {
    vec![Series::new("p50", "hue-p50", &columns.latency_p50_us), Series::new("p99", "hue-p99", &columns.latency_p99_us)]
}

#[component]
fn EndpointAllocationChart() -> impl IntoView {
    let data = figures_memo(|figures| {
        columns(figures, Unit::Bytes, |columns| {
            vec![
                byte_series("mean", "hue-memory", &columns.allocated_mean_bytes),
                byte_series("largest", "hue-p99", &columns.allocated_max_bytes),
            ]
        })
    });
    view! { <Chart title="Allocated by a request" note="While it was handled, kept or not: memory has to suffice for the largest." data /> }
}

#[component]
fn OutcomesOfEndpoint() -> impl IntoView {
    let data = figures_memo(|figures| {
        let series = columns(figures, Unit::PerSecond, |columns| {
            vec![
                Series::new("server errors", "hue-server", &columns.server_errors_per_second),
                Series::new("client errors", "hue-client", &columns.client_errors_per_second),
                Series::new("dropped by clients", "hue-system", &columns.dropped_per_second),
                Series::new("succeeded", "hue-rate", &columns.fine_per_second),
            ]
        });
        ChartData { shape: ChartShape::Stack, ..series }
    });
    view! { <Chart title="Requests by outcome" note="Per second: how the requests ended." data /> }
}
