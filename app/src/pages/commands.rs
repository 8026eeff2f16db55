//! The application's database client: its commands, its connections, and its view of the deployment.

mod charts;
mod table;

use leptos::prelude::*;
use watchboard_wire::{
    AppCommands, CommandError, CommandRow, Deployment, DeploymentMember, EndpointCommand, Pool, Reading, Unknown,
    format,
};

use super::cells::{count_cell, duration_cell, flagged_count_cell, optional_fact, rate, share};
use crate::{
    components::{Card, Cell, Column, ExplainedFacts, Fact, Table, TableRow, numbers, words},
    figures::Figures,
    live::figures_memo,
};

pub(super) use self::{
    charts::{CommandLatencyChart, CommandRateChart, ConnectionsChart, WaitsChart},
    table::CommandTable,
};

/// The latest figures of the commands, for the overview.
#[component]
pub(super) fn CommandsOfLate() -> impl IntoView {
    let facts = figures_memo(|figures| {
        if !figures.snapshot.listens {
            return Ok(vec![]);
        }
        // The newest point has only begun.
        let columns = &figures.timeline.columns;
        let of_late = |column: &[Option<f32>]| column.iter().rev().skip(1).find_map(|value| *value).map(f64::from);
        let whole = |column: &[Option<u32>]| column.iter().rev().skip(1).find_map(|value| *value).map(f64::from);
        Ok(vec![
            optional_fact(
                "Commands",
                of_late(&columns.commands_per_second).map(format::per_second),
                "of the application, by the last point of the charts",
            ),
            optional_fact(
                "Command p99",
                whole(&columns.command_p99_us).map(format::duration_us),
                "from sending to the answer, by the last point that had any",
            ),
            optional_fact(
                "Connections in use",
                whole(&columns.connections_in_use).map(format::count),
                "the most of the last point, of the application's pools",
            ),
        ])
    });
    view! { <ExplainedFacts facts /> }
}

/// The sums over all commands, or the way to turn them on.
#[component]
pub(super) fn CommandFacts() -> impl IntoView {
    view! { <ExplainedFacts facts=figures_memo(command_facts) /> }
}

/// The tables of the command listener.
#[component]
pub(super) fn CommandCards() -> impl IntoView {
    view! {
        <div class="cards">
            <Card title="Connection pools" note="The application's own. Those who wait for a connection wait before their command is sent." wide=true>
                <PoolTable />
            </Card>
            <Card title="Refused commands" note="Since the start, by the server's code. What it said is not kept: it can hold data.">
                <ErrorTable />
            </Card>
            <Card title="Deployment" note="As the application's client sees it. A new primary breaks off what was under way.">
                <MemberTable />
            </Card>
        </div>
    }
}

fn app_commands(figures: &Figures) -> Reading<&AppCommands> {
    // Beside another process there is no client to listen to.
    let how = match figures.snapshot.memory.application {
        Some(_) => {
            "The commands of an application in another process are not seen. An axum application that embeds the library shows them."
        }
        None => {
            "No client of the database is listened to. An application in Rust that embeds the library makes it of `monitor.listen(options)`."
        }
    };
    let detail = figures.database.as_ref().and_then(|database| database.commands.as_ref());
    detail.ok_or_else(|| Unknown::because(how))
}

fn command_facts(figures: &Figures) -> Reading<Vec<Fact>> {
    let all = app_commands(figures)?;
    let CommandRow { calls, failed, cancelled, documents, latency, .. } = &all.whole;
    let plain = |name, count: u64, title: &str| (name, format::count(count as f64), title.to_owned());
    let time = |us: Option<u64>| us.map_or_else(|| "–".to_owned(), |us| format::duration_us(us as f64));
    let rate = rate(*calls, figures.totals.seconds);
    let sent = all.sent_for_requests + all.sent_by_others;
    let mut facts = vec![
        ("Commands", format!("{} ({})", format::count(*calls as f64), format::per_second(rate)), figures.window_text()),
        (
            "Failed",
            format!("{} ({})", format::count(*failed as f64), share(*failed, *calls)),
            "refused in whole or in part, or without an answer".to_owned(),
        ),
        plain("Cancelled", *cancelled, "their senders did not wait for the answer"),
        plain("Documents", *documents, "that came back or were written; the driver does not tell bytes"),
        ("p50", time(latency.map(|latency| latency.p50_us)), "half were at most this slow".to_owned()),
        ("p99", time(latency.map(|latency| latency.p99_us)), "99 of 100 were at most this slow".to_owned()),
        plain("Under way", all.in_flight, "now"),
        (
            "Sent by requests",
            share(all.sent_for_requests, sent),
            format!(
                "{} of {} since the start; the rest by other tasks: spawned, or in the background",
                format::exact(all.sent_for_requests),
                format::exact(sent)
            ),
        ),
    ];
    if all.faults > 0 {
        facts.push(plain("Faults", all.faults, "panics in the monitor's own code that were kept from the application"));
    }
    Ok(facts)
}

const POOLS: &[Column] = &[
    words("Server"),
    numbers("In use", "that somebody has now"),
    numbers("Open", "connections"),
    numbers("At most", "maxPoolSize"),
    numbers("Waiting", "for a connection now"),
    numbers("Given out", "since the start"),
    numbers("Failed", "none could be given out"),
    numbers("Made", "connections, since the start"),
    numbers("Idle", "closed, since nobody used them"),
    numbers("Stale", "closed, since the server had failed"),
    numbers("Broken", "closed after an error"),
    numbers("Given up", "closed, since their user went away in the middle of a command"),
    numbers("Cleared", "how often all were thrown away"),
];

#[component]
fn PoolTable() -> impl IntoView {
    let pool = |pool: &Pool| -> TableRow {
        let in_use = count_cell(pool.in_use);
        let bad = |count| flagged_count_cell(count, "number warn");
        vec![
            Cell::words(pool.address.clone()),
            if pool.is_full() { in_use.class("number warn") } else { in_use },
            count_cell(pool.size),
            if pool.max > 0 { count_cell(pool.max) } else { Cell::number("no limit".to_owned(), String::new()) },
            bad(pool.waiting),
            count_cell(pool.checked_out),
            bad(pool.failed),
            count_cell(pool.created),
            count_cell(pool.closed[0]),
            count_cell(pool.closed[1]),
            bad(pool.closed[2]),
            bad(pool.closed[3]),
            bad(pool.cleared),
        ]
    };
    let rows = figures_memo(move |figures| Ok(app_commands(figures)?.pools.iter().map(pool).collect()));
    let foot = figures_memo(|figures| {
        let waits = app_commands(figures).ok().map(|all| all.waits.clone()).unwrap_or_default();
        let Some(latency) = waits.latency else { return "No connection was asked for in this window.".to_owned() };
        let [p50, p99, max] = [latency.p50_us, latency.p99_us, latency.max_us].map(|us| format::duration_us(us as f64));
        let calls = format::exact(waits.calls);
        format!("{calls} waits for a connection in this window: p50 {p50}, p99 {p99}, at most {max}.")
    });
    view! {
        <Table caption="Connection pools" quiet=true columns=POOLS rows />
        <p class="more">{foot}</p>
    }
}

const ERRORS: &[Column] = &[words("Command"), words("Code"), numbers("Count", "since the start")];

#[component]
fn ErrorTable() -> impl IntoView {
    let error = |error: &CommandError| -> TableRow {
        let code = match (error.code, &*error.word) {
            (0, _) => "no answer".to_owned(),
            (11000, "") => "11000 DuplicateKey".to_owned(),
            (code, word) => format!("{code} {word}"),
        };
        vec![Cell::words(error.name.text()), Cell::words(code), count_cell(error.count)]
    };
    let rows = figures_memo(move |figures| Ok(app_commands(figures)?.errors.iter().map(error).collect()));
    let foot = figures_memo(|figures| {
        let none = app_commands(figures).is_ok_and(|all| all.errors.is_empty());
        if none { "None.".to_owned() } else { String::new() }
    });
    view! {
        <Table caption="Refused commands" quiet=true columns=ERRORS rows />
        <p class="more">{foot}</p>
    }
}

const MEMBERS: &[Column] =
    &[words("Server"), words("Is"), numbers("Round trip", "the driver's mean, as of the last change")];

#[component]
fn MemberTable() -> impl IntoView {
    let member = |member: &DeploymentMember| -> TableRow {
        let kind = match (&*member.kind, member.failure) {
            (_, Some(failure)) => Cell::words(failure.words()).class("bad"),
            ("RSPrimary", _) => Cell::words("primary"),
            ("RSSecondary", _) => Cell::words("secondary"),
            ("Unknown", _) => Cell::words("unknown").class("warn"),
            (kind, _) => Cell::words(kind),
        };
        vec![Cell::words(member.address.clone()), kind, duration_cell(member.round_trip_us)]
    };
    let rows = figures_memo(move |figures| {
        Ok(app_commands(figures)?.deployments.iter().flat_map(|deployment| &deployment.members).map(member).collect())
    });
    let foot = figures_memo(move |figures| {
        let deployment = |deployment: &Deployment| {
            let name = deployment.set_name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
            let changed = figures.snapshot.date_time(deployment.changed_at_unix_ms);
            let primaries = format::exact(deployment.new_primaries);
            let kind = &deployment.kind;
            format!("{kind}{name}: {primaries} new primaries since the start, last changed {changed}.")
        };
        let all: Vec<String> =
            app_commands(figures).map(|all| all.deployments.iter().map(deployment).collect()).unwrap_or_default();
        if all.is_empty() { "Not looked at yet.".to_owned() } else { all.join(" ") }
    });
    view! {
        <Table caption="Deployment" quiet=true columns=MEMBERS rows />
        <p class="more">{foot}</p>
    }
}

const OF_ENDPOINT: &[Column] = &[
    words("Command"),
    numbers("Total time", "of all of them together"),
    numbers("Calls", "since the start"),
    numbers("Requests", "that sent any"),
    numbers("A request", "sent by one that sent any, the mean"),
    numbers("Most", "sent by one request"),
    numbers("N+1", "requests that sent it at least ten times: one question would do"),
    numbers("Mean", "from sending to the answer"),
];

/// The commands of the requests of the endpoint on the page.
#[component]
pub(super) fn EndpointCommandTable() -> impl IntoView {
    let command = |command: &EndpointCommand| -> TableRow {
        let each = command.calls as f64 / command.requests.max(1) as f64;
        vec![
            Cell::words(command.name.text()),
            duration_cell(Some(command.duration_sum_us)),
            count_cell(command.calls),
            count_cell(command.requests),
            Cell::number(format::count(each), String::new()),
            count_cell(command.most.into()),
            flagged_count_cell(command.repeated, "number warn"),
            duration_cell(command.duration_sum_us.checked_div(command.calls)),
        ]
    };
    let all =
        |figures: &Figures| figures.endpoint.as_ref().map(|endpoint| endpoint.commands.clone()).unwrap_or_default();
    let rows = figures_memo(move |figures| Ok(all(figures).iter().map(command).collect()));
    let foot = figures_memo(move |figures| {
        if all(figures).is_empty() { "None of its requests has asked anything.".to_owned() } else { String::new() }
    });
    view! {
        <Table caption="Database commands" quiet=true columns=OF_ENDPOINT rows />
        <p class="more">{foot}</p>
    }
}
