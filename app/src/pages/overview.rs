//! The overview: the golden figures, the charts, and a card for each part.

use leptos::prelude::*;
use watchboard_wire::{Headline, Unknown, WindowTotals, format};

use super::{
    charts::{self, CpuChart, ErrorsChart, LatencyChart, RequestRateChart, RssChart},
    commands::CommandsOfLate,
    database::DatabaseFacts,
    endpoints::BusiestTable,
    errors::CauseTable,
    memory::{ProcessFacts, ResourceBars, SystemMemory, ThreadTable, process_or_application, watches_another},
    requests::{ApplicationFacts, StatusCodes},
};
use crate::{
    components::{Card, Facts, StatTile},
    figures::Figures,
    live::{figures_memo, snapshot_memo, snapshot_text},
};

/// Stands for a missing figure.
fn dash() -> String {
    "–".to_owned()
}

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
                <OverviewSystemFacts />
            </Card>
            <Card title="Resource usage" note="A bar that fills up is what will run out first.">
                <ResourceBars />
            </Card>
            <Card title="Application metrics" note="Since the start of the process.">
                <ApplicationFacts />
                <StatusCodes />
            </Card>
            <Card title="Database" note="Whether it answers, and what the application asks of it; the database view has more.">
                <DatabaseFacts />
                <CommandsOfLate />
            </Card>
            <Card
                title="Memory analysis"
                note=if watches_another() {
                    "Where the memory of this machine and of the application is."
                } else {
                    "Where the memory of this machine and of this process is."
                }
            >
                <SystemMemory />
                <ProcessFacts />
                <ThreadTable />
            </Card>
            <Card title="Endpoint usage" note="Of the window, by total time: what takes the most stands first." wide=true>
                <BusiestTable />
            </Card>
            <Card title="Recent errors" note="Of the window, by cause: # stands for what differs from request to request." wide=true>
                <CauseTable most=10 />
            </Card>
        </div>
    }
}

/// The four golden figures, each with its scope and its small line.
#[component]
fn GoldenFigures() -> impl IntoView {
    let window = |read: fn(&WindowTotals) -> String| figures_memo(move |figures| read(&figures.totals));
    let memory = |read: fn(Headline) -> String, unknown: fn(Unknown) -> String| {
        snapshot_text(move |snapshot| snapshot.memory.headline().map_or_else(unknown, read))
    };
    view! {
        <div class="stats">
            <StatTile
                label="Requests"
                value=window(|totals| format::per_second(totals.per_second()))
                detail=figures_memo(|figures| {
                    format!("{} in the {}", format::count(figures.totals.requests as f64), figures.window_text())
                })
                line=charts::request_rate()
            />
            <StatTile
                label="Server error rate"
                value=window(|totals| totals.error_percent().map_or_else(dash, format::percent))
                detail=figures_memo(|figures| {
                    let WindowTotals { server_errors, requests, .. } = figures.totals;
                    let (errors, all) = (format::count(server_errors as f64), format::count(requests as f64));
                    format!("{errors} of {all} in the {}", figures.window_text())
                })
                line=charts::server_errors()
            />
            <StatTile
                label="Latency p99"
                value=window(|totals| {
                    totals.latency.map_or_else(dash, |latency| format::duration_us(latency.p99_us as f64))
                })
                detail=figures_memo(Figures::window_text)
                line=charts::latency_p99()
            />
            <StatTile
                label="Memory"
                value=memory(|headline| format::percent(headline.percent()), |_| dash())
                detail=memory(
                    |headline| format!("of the {}'s {}", headline.scope, format::bytes(headline.limit_bytes as f64)),
                    |unknown| unknown.to_string(),
                )
                line=charts::memory_percent()
            />
        </div>
    }
}

/// The watched application: its status, its uptime, its database and its host.
#[component]
fn OverviewSystemFacts() -> impl IntoView {
    let facts = snapshot_memo(|snapshot| {
        let uptime = match (snapshot.uptime_seconds(), snapshot.application_started_at_unix_ms()) {
            (Ok(seconds), Ok(started)) => (format::span(seconds), format!("since {}", snapshot.date_time(started))),
            (Err(why), _) | (_, Err(why)) => ("–".to_owned(), why.to_string()),
        };
        let mut facts = vec![
            (
                "Status",
                snapshot.health.status.word().to_owned(),
                snapshot.health.sentences().collect::<Vec<_>>().join("; "),
            ),
            ("Uptime", uptime.0, uptime.1),
            ("Database", snapshot.database.status_text(), snapshot.database.hosts.clone()),
        ];
        facts.extend(process_or_application(snapshot));
        if let Ok(system) = &snapshot.memory.system {
            facts.push(("Host", system.host.clone(), format!("{} cores", system.cpus)));
            if let Some([one, five, fifteen]) = system.load {
                let load = format!("{one:.2}, {five:.2}, {fifteen:.2} of {} cores", system.cpus);
                facts.push(("Load", load, "runnable tasks, averaged over 1, 5 and 15 minutes".to_owned()));
            }
        }
        Ok(facts)
    });
    view! { <Facts facts /> }
}
