//! Database health: the probe, the application's commands, and the server's own figures.

mod reading;
mod server;
mod storage;

use leptos::{either::Either, prelude::*};
use watchboard_wire::{DatabaseFile, DatabaseHealth, DatabaseState, Snapshot, format};

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
    view! {
        <div class="overview">
            <Card title="Database health" note="Asked once a second, by a client of the monitor's own.">
                <DatabaseFacts />
            </Card>
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
        {is_server.then(|| view! { <ServerFold /> })}
        <ExportLinks />
    }
}

/// The server's own figures, folded. While it does not answer, nobody asks it for them.
#[component]
fn ServerFold() -> impl IntoView {
    let answers = snapshot_memo(|snapshot| snapshot.database.state.answers());
    view! {
        <details class="more-cards">
            <summary>"Server, replication, running operations, storage"</summary>
            {move || if answers.get() {
                Either::Left(view! { <ServerCards /> })
            } else {
                Either::Right(view! { <p class="unknown">"Unknown while it does not answer."</p> })
            }}
        </details>
    }
}

/// The server's own figures, of all its clients.
#[component]
fn ServerCards() -> impl IntoView {
    view! {
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
        <ExplainedFacts facts=snapshot_memo(|snapshot| Ok(health_facts(snapshot))) />
    }
}

fn sentence(database: &DatabaseHealth, now_unix_ms: u64) -> String {
    // Of all instances together nobody knows since when.
    let for_long = match database.since_unix_ms {
        0 => String::new(),
        since => format!(" for {}", format::span(now_unix_ms.saturating_sub(since) / 1000)),
    };
    match &database.state {
        DatabaseState::NotConfigured => {
            "No database is watched. The program watches one with --mongodb-uri or --sqlite, an application in Rust with Builder::database."
                .to_owned()
        }
        DatabaseState::Connecting => format!("Connecting{for_long}."),
        DatabaseState::Healthy => format!("Healthy{for_long}."),
        DatabaseState::Failed(failure) => {
            let words = failure.kind.words();
            let (first, rest) = words.split_at(1);
            format!("{}{rest}{for_long}: {}", first.to_ascii_uppercase(), failure.detail)
        }
    }
}

/// During an outage what to do takes the place of figures of its last answer; the cause is in the sentence above.
fn health_facts(snapshot: &Snapshot) -> Vec<Fact> {
    let database = &snapshot.database;
    let failure = match &database.state {
        DatabaseState::NotConfigured => return vec![],
        DatabaseState::Failed(failure) => Some(failure),
        DatabaseState::Connecting | DatabaseState::Healthy => None,
    };
    let unknown = || "not known yet".to_owned();
    let ago = |at: u64| format::span(snapshot.taken_at_unix_ms.saturating_sub(at) / 1000) + " ago";
    let (answered, answered_date) = match database.answered_at_unix_ms {
        Some(at) if failure.is_some() => (format!("{}, {}", snapshot.clock(at), ago(at)), snapshot.date_time(at)),
        Some(at) => (ago(at), String::new()),
        None => ("never since the start of the monitor".to_owned(), String::new()),
    };
    let asked = database.probed_at_unix_ms.map_or_else(|| "never".to_owned(), ago);
    let round_trip = database.latency_us.map_or_else(unknown, |us| format::duration_us(us as f64));
    let mut facts = vec![
        ("Last answer", answered, answered_date),
        ("Last asked", asked, String::new()),
        ("Address", database.hosts.clone(), "as configured, without credentials".to_owned()),
        ("Kind", database.kind.clone(), String::new()),
        ("Version", database.server_version.clone().unwrap_or_else(unknown), String::new()),
    ];
    // What differs comes last: an outage moves none of the others.
    facts.extend(match failure {
        Some(failure) => vec![("What to do", failure.kind.advice().to_owned(), String::new())],
        None => vec![
            ("Round trip", round_trip, "of the last probe that was answered".to_owned()),
            ("Topology", database.topology.clone().unwrap_or_else(unknown), String::new()),
        ],
    });
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
