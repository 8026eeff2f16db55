//! The overview: what is wrong and where, on one screen; below it a card for each part.

use leptos::prelude::*;
use watchboard_wire::{DatabaseState, Process, Snapshot, format, reading_ref};

use super::{
    attention::Attention,
    charts::{CpuChart, LatencyChart, OutcomesChart, RssChart},
    commands::CommandsOfLate,
    database::DatabaseFacts,
    endpoints::BusiestTable,
    errors::CauseTable,
    memory::{ProcessFacts, ResourceBars, SystemMemory, ThreadTable, process_or_application, watches_another},
    requests::{ApplicationFacts, StatusCodes},
    tiles::Tiles,
    top::TopEndpoints,
};
use crate::{
    components::{Card, Fact, Facts},
    live::snapshot_memo,
};

#[component]
pub(crate) fn Overview() -> impl IntoView {
    view! {
        <div class="overview">
            <Tiles />
            <div class="column">
                <div class="same-axis">
                    <OutcomesChart compact=true />
                    <LatencyChart compact=true />
                </div>
                <Card title="Endpoints that take the most">
                    <TopEndpoints />
                </Card>
            </div>
            <div class="column">
                <Card title="Needs attention">
                    <Attention />
                </Card>
                <Card title="Memory">
                    <Facts facts=snapshot_memo(|snapshot| Ok(memory_in_brief(snapshot))) />
                </Card>
                <Card title="Database">
                    <Facts facts=snapshot_memo(|snapshot| Ok(database_in_brief(snapshot))) />
                </Card>
            </div>
        </div>
        <details class="more-cards">
            <summary>"All figures: system, resources, application, memory, status codes, errors"</summary>
            <AllCards />
        </details>
    }
}

/// The parts in full.
#[component]
fn AllCards() -> impl IntoView {
    view! {
        <div class="charts">
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
            <Card title="Database health" note="Whether it answers, and what the application asks of it; the database view has more.">
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

/// The memory of the process and of its limit.
fn memory_in_brief(snapshot: &Snapshot) -> Vec<Fact> {
    let memory = &snapshot.memory;
    let process = reading_ref(&memory.process);
    let size = |read: fn(&Process) -> u64| match &process {
        Ok(process) => (format::bytes(read(process) as f64), String::new()),
        Err(why) => ("–".to_owned(), why.to_string()),
    };
    let fact = |name, (value, title): (String, String)| (name, value, title);
    let limit = match memory.headline() {
        Ok(headline) => {
            let used = format!(
                "{} of {}",
                format::bytes(headline.used_bytes as f64),
                format::bytes(headline.limit_bytes as f64)
            );
            (used, format!("of the {}", headline.scope))
        }
        Err(why) => ("–".to_owned(), why.to_string()),
    };
    vec![
        fact("Heap and stacks", size(|process| process.anonymous_bytes)),
        fact("Peak RSS", size(|process| process.peak_rss_bytes)),
        fact(
            if matches!(memory.headline(), Ok(headline) if headline.scope == "container") {
                "Container"
            } else {
                "System"
            },
            limit,
        ),
    ]
}

/// Whether the database answers, and how fast.
fn database_in_brief(snapshot: &Snapshot) -> Vec<Fact> {
    let database = &snapshot.database;
    let age = |since: u64| format::span(snapshot.taken_at_unix_ms.saturating_sub(since) / 1000);
    let state = match &database.state {
        DatabaseState::NotConfigured => "not watched yet".to_owned(),
        DatabaseState::Connecting => "connecting".to_owned(),
        DatabaseState::Healthy => format!("answers, for {}", age(database.since_unix_ms)),
        DatabaseState::Failed(failure) => format!("{}, for {}", failure.kind.words(), age(database.since_unix_ms)),
    };
    let dash = || "–".to_owned();
    let round_trip = database.latency_us.map_or_else(dash, |us| format::duration_us(us as f64));
    let last = database.answered_at_unix_ms.map_or_else(dash, |at| format!("{} ago", age(at)));
    vec![
        ("State", state, database.hosts.clone()),
        ("Round trip", round_trip, "of the last probe that was answered".to_owned()),
        ("Last answer", last, String::new()),
    ]
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
