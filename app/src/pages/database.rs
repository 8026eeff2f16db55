//! Database health: whether it answers, how fast, and what it is.

use leptos::prelude::*;

use super::charts::DatabaseLatencyChart;
use crate::{
    components::{Card, Fact, Facts},
    format,
    live::{figure, text},
    wire::{Database, DatabaseFile, DatabaseState},
};

#[component]
pub(crate) fn DatabasePage() -> impl IntoView {
    let configured = figure(|snapshot| snapshot.database.state != DatabaseState::NotConfigured);
    let chart = move || configured.get().then(|| view! { <div class="charts"><DatabaseLatencyChart /></div> });
    view! {
        {chart}
        <div class="cards">
            <Card title="Database" note="Asked once a second, by a client of the monitor's own.">
                <DatabaseFacts />
            </Card>
        </div>
    }
}

#[component]
fn DatabaseFacts() -> impl IntoView {
    let sentence = text(|snapshot| sentence(&snapshot.database, snapshot.taken_at_unix_ms));
    let class = text(|snapshot| {
        let class = match snapshot.database.state {
            DatabaseState::Healthy => "state fine",
            DatabaseState::Failed(_) => "state bad",
            DatabaseState::Connecting | DatabaseState::NotConfigured => "state unknown",
        };
        class.to_owned()
    });
    view! {
        <p class=move || class.get() id="database-state">{sentence}</p>
        <Facts facts=figure(|snapshot| Ok(facts(&snapshot.database, snapshot.taken_at_unix_ms))) />
    }
}

fn sentence(database: &Database, now_unix_ms: u64) -> String {
    let for_long = format::span(now_unix_ms.saturating_sub(database.since_unix_ms) / 1000);
    match &database.state {
        DatabaseState::NotConfigured => {
            "Not configured: give the monitor a MongoDB client or its options, or the binary --mongodb-uri or --sqlite."
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

fn facts(database: &Database, now_unix_ms: u64) -> Vec<Fact> {
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
