//! The database server's own figures: status, replication, running operations.

use leptos::prelude::*;
use watchboard_wire::{Cache, Operation, Reading, ReplicaMember, Replication, ServerStatus, format};

use super::reading::{reading_age, server_reading};
use crate::{
    components::{Bar, Cell, Column, ExplainedFacts, Fact, Table, TableRow, Usage, numbers, words},
    figures::Figures,
    live::figures_memo,
    pages::cells::optional_fact,
};

fn status(figures: &Figures) -> Reading<&ServerStatus> {
    server_reading(figures, |server| server.status.as_ref())
}

fn replication(figures: &Figures) -> Reading<&Replication> {
    server_reading(figures, |server| server.replication.as_ref())
}

#[component]
pub(super) fn StatusFacts() -> impl IntoView {
    view! {
        <Bar label="Connections" usage=figures_memo(|figures| status(figures).map(connections)) />
        <Bar label="Cache used" usage=figures_memo(|figures| status(figures).map(|status| cache(status, Cache::used_percent))) />
        <Bar label="Cache not on disk" usage=figures_memo(|figures| status(figures).map(|status| cache(status, Cache::dirty_percent))) />
        <ExplainedFacts facts=figures_memo(status_facts) />
        <p class="more">{figures_memo(|figures| reading_age(figures, |server| server.status.as_ref().map(|dated| dated.at_unix_ms)))}</p>
    }
}

fn connections(status: &ServerStatus) -> Usage {
    let connections = status.connections;
    let (open, all) = (format::exact(connections.current), format::exact(connections.current + connections.available));
    Usage { text: format!("{open} of {all}"), percent: Some(connections.percent()) }
}

fn cache(status: &ServerStatus, percent: fn(&Cache) -> f64) -> Usage {
    match &status.cache {
        None => Usage { text: "not told".to_owned(), percent: None },
        Some(cache) => {
            let percent = percent(cache);
            let max = format::bytes(cache.max_bytes as f64);
            Usage { text: format!("{} of {max}", format::percent(percent)), percent: Some(percent) }
        }
    }
}

fn status_facts(figures: &Figures) -> Reading<Vec<Fact>> {
    let status = status(figures)?;
    let kinds = ["inserts", "queries", "updates", "deletes", "getMores", "commands"];
    let each = |rates: [f64; 6]| {
        let rate = |(kind, rate): (&str, f64)| format!("{kind} {}", format::per_second(rate));
        kinds.into_iter().zip(rates).map(rate).collect::<Vec<_>>().join(", ")
    };
    let operations = status.operations_per_second;
    let latency = |at: usize| status.latency_us.and_then(|all| all[at]).map(|us| format::duration_us(us as f64));
    let bytes = |bytes: Option<u64>| bytes.map(|bytes| format::bytes(bytes as f64));
    let network = |at: usize| status.network_bytes_per_second.map(|all| format::bytes_per_second(all[at]));
    let [regular, warning, message, user] = status.assertions;
    let waits = "clients that wait for a lock or a ticket: more than a few for long is an overloaded server";
    Ok(vec![
        ("Name", status.host.clone(), "as the server knows itself".to_owned()),
        ("Up for", format::span(status.uptime_seconds), "since it was started".to_owned()),
        (
            "Operations",
            operations.map_or_else(|| "–".to_owned(), |rates| format::per_second(rates.iter().sum())),
            operations.map_or_else(|| "known from the second answer on".to_owned(), each),
        ),
        optional_fact("Mean read", latency(0), "within the server, without the network; – without any"),
        optional_fact("Mean write", latency(1), "within the server, without the network; – without any"),
        optional_fact("Active clients", status.active_clients.map(format::exact), "that read or write now"),
        optional_fact("Queued clients", status.queued_clients.map(format::exact), waits),
        optional_fact(
            "Evicted by clients",
            status.cache.and_then(|cache| cache.evicted_by_clients_per_second).map(format::per_second),
            "pages that clients' threads had to make room for: above zero for long, the cache is too small",
        ),
        optional_fact("Resident memory", bytes(status.resident_bytes), "of the server"),
        optional_fact("Network in", network(0), "to the server, of all clients"),
        optional_fact("Network out", network(1), "from the server, to all clients"),
        (
            "Assertions",
            format::exact(regular + warning + message),
            format!("since its start; worry when it grows. Beside these {} by users' errors", format::exact(user)),
        ),
        optional_fact("Storage engine", status.storage_engine.clone(), ""),
    ])
}

const MEMBERS: &[Column] = &[
    words("Member"),
    words("State"),
    numbers("Behind", "the primary: what a reader misses, and what would be lost or waited for if it took over"),
    numbers("Up for", "since it was started"),
];

#[component]
pub(super) fn ReplicationTable() -> impl IntoView {
    let member = |member: &ReplicaMember| -> TableRow {
        let name = if member.is_self { format!("{} (asked)", member.name) } else { member.name.clone() };
        let lag = member.lag_seconds;
        let delay = member.delay_seconds.filter(|delay| *delay > 0);
        let delay = delay.map_or_else(String::new, |delay| format!("beyond its delay of {}", format::span(delay)));
        let behind = lag.map_or_else(Cell::dash, |lag| Cell::number(format::span(lag), delay));
        vec![
            Cell::words(name),
            Cell::words(member.state.to_ascii_lowercase()).class(if member.healthy { "" } else { "bad" }),
            if lag.is_some_and(|lag| lag > 10) { behind.class("number warn") } else { behind },
            member.uptime_seconds.map_or_else(Cell::dash, |up| Cell::number(format::span(up), String::new())),
        ]
    };
    let rows = figures_memo(move |figures| Ok(replication(figures)?.members.iter().map(member).collect()));
    let foot = figures_memo(|figures| match replication(figures) {
        Err(_) => String::new(),
        Ok(set) if set.set.is_empty() => "A server by itself, or a router: it replicates nothing.".to_owned(),
        Ok(set) => {
            let elections = set.term.map_or_else(String::new, |term| match term {
                1 => ", one election so far".to_owned(),
                term => format!(", {term} elections so far"),
            });
            let window = match set.oplog_window_seconds {
                Some(seconds) => format!("its oplog reaches back {}", format::span(seconds)),
                None => "how far its oplog reaches back is not told".to_owned(),
            };
            let delays = set.delays_unknown.as_ref().map_or_else(String::new, |reason| {
                format!(". How far a member without priority may be behind is unknown: {reason}")
            });
            format!("Set {}{elections}; {window}{delays}", set.set)
        }
    });
    view! {
        <Table caption="Members" quiet=true columns=MEMBERS rows />
        <p class="more">{foot}</p>
    }
}

const OPERATIONS: &[Column] = &[
    words("Operation"),
    words("On"),
    numbers("Running for", ""),
    words("Reads by"),
    words("Waits for a lock"),
    words("Client"),
];

#[component]
pub(super) fn OperationTable() -> impl IntoView {
    let rows = figures_memo(|figures| {
        let row = |operation: &Operation| -> TableRow {
            vec![
                Cell::words(operation.kind.clone()),
                Cell::words(operation.namespace.clone()),
                Cell::number(format::duration_us(operation.running_us as f64), String::new()),
                Cell::words(operation.plan.clone()).class(if operation.plan == "COLLSCAN" { "warn" } else { "" }),
                Cell::words(if operation.waits_for_lock { "yes" } else { "no" }),
                Cell::words(operation.app_name.clone()),
            ]
        };
        Ok(server_reading(figures, |server| server.operations.as_ref())?.iter().map(row).collect())
    });
    let foot = figures_memo(|figures| match server_reading(figures, |server| server.operations.as_ref()) {
        Ok(running) if running.is_empty() => "None has been running for longer than 100 ms.".to_owned(),
        _ => String::new(),
    });
    view! {
        <Table caption="Running operations" quiet=true columns=OPERATIONS rows />
        <p class="more">{foot}</p>
    }
}
