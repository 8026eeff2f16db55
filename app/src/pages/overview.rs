//! The overview: the golden figures, the charts, and a card for each part of the whole.

use leptos::prelude::*;

use super::{
    charts::{self, CpuChart, ErrorsChart, LatencyChart, RequestRateChart, RssChart},
    memory::{ProcessFacts, ResourceBars, SystemMemory, ThreadTable},
    requests::{ApplicationFacts, EndpointTable, ErrorTable, StatusCodes},
};
use crate::{
    components::{Card, Facts, Stat},
    format,
    live::figure,
};

#[component]
pub(crate) fn Overview() -> impl IntoView {
    view! {
        <GoldenFigures />
        <div class="charts">
            <RequestRateChart />
            <LatencyChart />
            <ErrorsChart />
            <RssChart />
            <CpuChart />
        </div>
        <div class="cards">
            <Card title="System overview">
                <SystemFacts />
            </Card>
            <Card title="Resource usage" note="A bar that fills up is what will run out first.">
                <ResourceBars />
            </Card>
            <Card title="Application metrics" note="Since the start of the process.">
                <ApplicationFacts />
                <StatusCodes />
            </Card>
            <Card title="Memory analysis" note="Where the memory of this machine and of this process is.">
                <SystemMemory />
                <ProcessFacts />
                <ThreadTable most=5 />
            </Card>
            <Card title="Endpoint usage" note="Since the start, by total time: what takes the most stands first." wide=true>
                <EndpointTable most=10 />
            </Card>
            <Card title="Recent errors" note="The newest first." wide=true>
                <ErrorTable most=10 />
            </Card>
        </div>
    }
}

/// The four golden figures, each with its scope and its small line.
#[component]
fn GoldenFigures() -> impl IntoView {
    let recent = figure(|snapshot| snapshot.requests.last_minute.clone());
    let none = || "–".to_owned();
    let memory = figure(|snapshot| {
        snapshot.memory.headline().map(|headline| (headline.percent(), headline.scope, headline.limit_bytes))
    });
    let minute = move || recent.with(|recent| format!("mean of the last {}\u{a0}s", recent.seconds));
    view! {
        <div class="stats">
            <Stat
                label="Requests"
                value=Signal::derive(move || recent.with(|recent| format::per_second(recent.per_second())))
                detail=Signal::derive(minute)
                line=charts::request_rate()
            />
            <Stat
                label="Server error rate"
                value=Signal::derive(move || recent.with(|recent| recent.error_percent().map_or_else(none, format::percent)))
                detail=Signal::derive(move || recent.with(|recent| {
                    format!("{} of {} in the last {}\u{a0}s", recent.server_errors, recent.requests, recent.seconds)
                }))
                line=charts::server_errors()
            />
            <Stat
                label="Latency p99"
                value=Signal::derive(move || recent.with(|recent| {
                    recent.latency.map_or_else(none, |latency| format::duration_us(latency.p99_us as f64))
                }))
                detail=Signal::derive(move || recent.with(|recent| format!("of the last {}\u{a0}s", recent.seconds)))
                line=charts::latency_p99()
            />
            <Stat
                label="Memory"
                value=Signal::derive(move || memory.get().map_or_else(|_| none(), |(percent, ..)| format::percent(percent)))
                detail=Signal::derive(move || match memory.get() {
                    Ok((_, scope, limit)) => format!("of the {scope}'s {}", format::bytes(limit as f64)),
                    Err(unknown) => unknown.to_string(),
                })
                line=charts::memory_percent()
            />
        </div>
    }
}

/// What is watched, where, since when, and how its parts are.
#[component]
fn SystemFacts() -> impl IntoView {
    let facts = figure(|snapshot| {
        let started = format!("since {}", format::date_time(snapshot.started_at_unix_ms));
        let mut facts = vec![
            ("Status", snapshot.health.status.word().to_owned(), snapshot.health.reasons.join("; ")),
            ("Uptime", format::span(snapshot.tick), started),
            ("Database", snapshot.database.status_text(), snapshot.database.hosts.clone()),
        ];
        if let Ok(process) = &snapshot.memory.process {
            facts.push(("Process", format!("{} ({})", process.name, process.pid), "name and process id".to_owned()));
        }
        if let Ok(system) = &snapshot.memory.system {
            facts.push(("Host", system.host.clone(), format!("{} cores", system.cpus)));
            if let Some([one, five, fifteen]) = system.load {
                let load = format!("{one:.2}, {five:.2}, {fifteen:.2} of {} cores", system.cpus);
                facts.push(("Load", load, "runnable tasks, averaged over 1, 5 and 15 minutes".to_owned()));
            }
        }
        facts
    });
    view! { <Facts facts /> }
}
