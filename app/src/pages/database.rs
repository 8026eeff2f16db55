//! Database health: the probe, the application's commands, and the server's own figures.

mod reading;
mod server;
mod storage;

use leptos::prelude::*;
use watchboard_wire::{DatabaseFile, DatabaseHealth, DatabaseState, FailureKind, Snapshot, format};

use self::{
    server::{OperationTable, ReplicationTable, StatusFacts},
    storage::{CollectionTable, DatabaseTable},
};
use super::{
    charts::{AvailabilityRibbon, DatabaseLatencyChart},
    commands::{
        CommandCards, CommandFacts, CommandLatencyChart, CommandRateChart, CommandTable, ConnectionsChart, WaitsChart,
    },
    export_links::ExportLinks,
};
use crate::{
    components::{Card, ExplainedFacts, Fact},
    live::{snapshot_memo, snapshot_text, use_live},
};

#[component]
pub(crate) fn DatabasePage() -> impl IntoView {
    // The kind of database hardly ever changes while a page is open. A file has no server that could report more.
    let (configured, is_file, listens) = use_live().figures.with_untracked(|figures| {
        let Snapshot { database, listens, .. } = &figures.snapshot;
        (database.state != DatabaseState::NotConfigured, database.kind == "SQLite", *listens)
    });
    let is_server = configured && !is_file;
    // While it does not answer, nobody asks it for its own figures.
    let answers = snapshot_memo(|snapshot| snapshot.database.state.answers());
    view! {
        <Outage />
        <div class="overview">
            {configured
                .then(|| view! {
                    <div class="column">
                        <div class="same-axis">
                            <AvailabilityRibbon />
                            <DatabaseLatencyChart />
                            {listens.then(|| view! { <CommandRateChart /><CommandLatencyChart /> })}
                        </div>
                        {listens
                            .then(|| view! {
                                <Card title="Commands" note="Of the window, by total time: from sending to the answer.">
                                    <CommandTable />
                                </Card>
                            })}
                    </div>
                })}
            <div class="column">
                <Card title="Database" note="Asked once a second, by a client of the monitor's own.">
                    <DatabaseFacts />
                </Card>
                {listens.then(|| view! { <ConnectionsChart /><WaitsChart /> })}
                {(!is_file)
                    .then(|| view! {
                        <Card title="Commands of the application" note="Of the window: what it asks through its own client.">
                            <CommandFacts />
                        </Card>
                    })}
            </div>
        </div>
        {listens.then(|| view! { <CommandCards /> })}
        {move || (is_server && answers.get()).then(|| view! { <ServerCards /> })}
        <ExportLinks />
    }
}

/// During an outage: its cause, since when, the last answer, and what to do.
#[component]
fn Outage() -> impl IntoView {
    let kind = snapshot_memo(|snapshot| match &snapshot.database.state {
        DatabaseState::Failed(failure) => Some(failure.kind),
        _ => None,
    });
    let facts = snapshot_memo(|snapshot| Ok(outage_facts(snapshot)));
    let panel = move |kind: FailureKind| {
        view! {
            <section class="card outage" id="outage" aria-labelledby="outage-title">
                <h2 id="outage-title">"Database " {kind.words()}</h2>
                <ExplainedFacts facts />
            </section>
        }
    };
    move || kind.get().map(panel)
}

fn outage_facts(snapshot: &Snapshot) -> Vec<Fact> {
    let database = &snapshot.database;
    let DatabaseState::Failed(failure) = &database.state else { return vec![] };
    let at = |at: u64| {
        let age = format::span(snapshot.taken_at_unix_ms.saturating_sub(at) / 1000);
        (format!("{}, {age} ago", snapshot.clock(at)), snapshot.date_time(at))
    };
    let (since, since_date) = at(database.since_unix_ms);
    let never = || ("never since the start of the monitor".to_owned(), String::new());
    let (answered, answered_date) = database.answered_at_unix_ms.map_or_else(never, at);
    vec![
        ("Cause", failure.detail.clone(), String::new()),
        ("What to do", failure.kind.advice().to_owned(), String::new()),
        ("Since", since, since_date),
        ("Last answer", answered, answered_date),
        ("Address", database.hosts.clone(), "as configured, without credentials".to_owned()),
    ]
}

/// The server's own figures, of all its clients.
#[component]
fn ServerCards() -> impl IntoView {
    view! {
        <details class="more-cards">
            <summary>"Server, replication, running operations, storage"</summary>
            <div class="cards">
                <Card title="Server" note="Its own figures, of all its clients. A bar that fills up is what it will run out of.">
                    <StatusFacts />
                </Card>
                <Card title="Replication" note="Behind by more than some seconds, a member serves old data and is long in taking over.">
                    <ReplicationTable />
                </Card>
                <Card title="Running operations" note="Those of all clients that have been running for 100 ms; what they ask is not told." wide=true>
                    <OperationTable />
                </Card>
                <Card title="Storage" note="By size. Data that outgrows the cache is read from disk." wide=true>
                    <DatabaseTable />
                    <CollectionTable />
                </Card>
            </div>
        </details>
    }
}

#[component]
pub(super) fn DatabaseFacts() -> impl IntoView {
    let sentence = snapshot_text(|snapshot| sentence(&snapshot.database, snapshot.taken_at_unix_ms));
    let class = snapshot_text(|snapshot| {
        let class = match snapshot.database.state {
            DatabaseState::Healthy => "state fine",
            DatabaseState::Failed(_) => "state bad",
            DatabaseState::Connecting | DatabaseState::NotConfigured => "state unknown",
        };
        class.to_owned()
    });
    view! {
        <p class=move || class.get() id="database-state">{sentence}</p>
        <ExplainedFacts facts=snapshot_memo(|snapshot| Ok(health_facts(&snapshot.database, snapshot.taken_at_unix_ms))) />
    }
}

fn sentence(database: &DatabaseHealth, now_unix_ms: u64) -> String {
    let for_long = format::span(now_unix_ms.saturating_sub(database.since_unix_ms) / 1000);
    match &database.state {
        DatabaseState::NotConfigured => {
            "No database is watched. The program watches one with --mongodb-uri or --sqlite, an application in Rust with Builder::database."
                .to_owned()
        }
        DatabaseState::Connecting => format!("Connecting for {for_long}."),
        DatabaseState::Healthy => format!("Healthy for {for_long}."),
        DatabaseState::Failed(failure) => {
            let words = failure.kind.words();
            let (first, rest) = words.split_at(1);
            format!("{}{rest} for {for_long}: {}", first.to_ascii_uppercase(), failure.detail)
        }
    }
}

fn health_facts(database: &DatabaseHealth, now_unix_ms: u64) -> Vec<Fact> {
    if database.state == DatabaseState::NotConfigured {
        return vec![];
    }
    let unknown = || "not known yet".to_owned();
    let ago = |at: Option<u64>| {
        at.map_or_else(|| "never".to_owned(), |at| format::span(now_unix_ms.saturating_sub(at) / 1000) + " ago")
    };
    let round_trip = database.latency_us.map_or_else(unknown, |us| format::duration_us(us as f64));
    let mut facts = vec![
        ("Kind", database.kind.clone(), String::new()),
        ("Address", database.hosts.clone(), "as configured, without credentials".to_owned()),
        ("Version", database.server_version.clone().unwrap_or_else(unknown), String::new()),
        ("Topology", database.topology.clone().unwrap_or_else(unknown), String::new()),
        ("Round trip", round_trip, "of the last probe that was answered".to_owned()),
        ("Last answer", ago(database.answered_at_unix_ms), String::new()),
        ("Last asked", ago(database.probed_at_unix_ms), String::new()),
    ];
    if let Some(file) = &database.file {
        facts.extend(file_facts(file));
    }
    facts
}

fn file_facts(file: &DatabaseFile) -> Vec<Fact> {
    let log = file.log_bytes.map_or_else(|| "none".to_owned(), |bytes| format::bytes(bytes as f64));
    vec![
        (
            "Size",
            format::bytes(file.size_bytes as f64),
            "grows with what is kept, and shrinks only by VACUUM".to_owned(),
        ),
        ("Free within", format::bytes(file.free_bytes as f64), "pages that are used again before it grows".to_owned()),
        ("Write-ahead log", log, "grows while a reader keeps it from being folded in".to_owned()),
        ("Journal", file.journal_mode.clone(), String::new()),
    ]
}
