//! Request metrics: the endpoints, the status codes, the errors.

use leptos::prelude::*;

use super::charts::{ErrorsChart, LatencyChart, RequestRateChart};
use crate::{
    components::{Card, Cell, Column, Fact, Facts, Row, Table, numbers, words},
    format,
    live::{figure, text},
    wire::{Endpoint, ErrorEvent, Requests},
};

#[component]
pub(crate) fn RequestsPage() -> impl IntoView {
    view! {
        <div class="charts">
            <RequestRateChart />
            <LatencyChart />
            <ErrorsChart />
        </div>
        <div class="cards">
            <Card title="Endpoints" note="Since the start, by total time: what takes the most stands first." wide=true>
                <EndpointTable most=usize::MAX />
            </Card>
            <Card title="Errors" note="The last 100, the newest first." wide=true>
                <ErrorTable most=usize::MAX />
            </Card>
            <Card title="Application metrics" note="Since the start of the process.">
                <ApplicationFacts />
            </Card>
            <Card title="Status codes" note="Since the start; 499 is a client that left before there was a status.">
                <StatusCodes />
            </Card>
        </div>
    }
}

/// A count, short, with all its digits as title.
fn counted(count: u64) -> Cell {
    Cell::number(format::count(count as f64), format::exact(count))
}

fn share(count: u64, total: u64) -> String {
    format::percent(100.0 * count as f64 / total.max(1) as f64)
}

/// Totals since the start.
#[component]
pub(crate) fn ApplicationFacts() -> impl IntoView {
    view! { <Facts facts=figure(|snapshot| Ok(application_facts(&snapshot.requests))) /> }
}

fn application_facts(requests: &Requests) -> Vec<Fact> {
    let plain = |name, count: u64| (name, format::count(count as f64), format::exact(count));
    let of_all = |name, count: u64| {
        let text = format!("{} ({})", format::count(count as f64), share(count, requests.total));
        (name, text, format::exact(count))
    };
    let mean = requests.duration_mean_us.map_or_else(|| "–".to_owned(), |mean| format::duration_us(mean as f64));
    vec![
        plain("Requests", requests.total),
        plain("In flight", requests.in_flight),
        of_all("Server errors", requests.server_errors),
        of_all("Client errors", requests.client_errors),
        of_all("Dropped by clients", requests.dropped),
        ("Mean response time", mean, "from arrival to the last byte".to_owned()),
        ("Bytes sent", format::bytes(requests.response_bytes as f64), format::exact(requests.response_bytes)),
    ]
}

const STATUS_COLUMNS: &[Column] =
    &[words("Status"), numbers("Requests", "since the start"), numbers("Share", "of all requests")];

/// Requests by status code, each with its share.
#[component]
pub(crate) fn StatusCodes() -> impl IntoView {
    let rows = figure(|snapshot| {
        let Requests { total, statuses, .. } = &snapshot.requests;
        let row = |(status, count): &(u16, u64)| {
            let code = Cell::words(status.to_string()).class(code_class(*status));
            vec![code, counted(*count), Cell::number(share(*count, *total), String::new())]
        };
        Ok(statuses.iter().map(row).collect())
    });
    view! { <Table caption="Requests by status code" columns=STATUS_COLUMNS rows /> }
}

/// The class of a status that asks for attention.
fn code_class(status: u16) -> &'static str {
    match status / 100 {
        4 => "warn",
        5 => "bad",
        _ => "",
    }
}

const ENDPOINT_COLUMNS: &[Column] = &[
    words("Endpoint"),
    numbers("Requests", "that ended"),
    numbers("Server errors", "5xx and panics"),
    numbers("Client errors", "4xx"),
    numbers("Mean", "from arrival to the last byte"),
    numbers("p50", "half were at most this slow"),
    numbers("p95", "95 of 100 were at most this slow"),
    numbers("p99", "99 of 100 were at most this slow"),
    numbers("Max", "the slowest"),
    numbers("Sent", "bytes of bodies"),
    numbers("In flight", "under way now"),
];

/// A row per endpoint, the most total time first; at most `most` rows.
#[component]
pub(crate) fn EndpointTable(most: usize) -> impl IntoView {
    let rows = figure(move |snapshot| Ok(snapshot.requests.endpoints.iter().take(most).map(endpoint_row).collect()));
    let foot = text(move |snapshot| match snapshot.requests.endpoints.len() {
        0 => "No request yet. Requests count when they pass through the monitor's layer.".to_owned(),
        all if all > most => format!("The first {most} of {all}; the requests view has all."),
        _ => String::new(),
    });
    view! {
        <Table caption="Endpoints" quiet=true columns=ENDPOINT_COLUMNS rows />
        <p class="more">{foot}</p>
    }
}

fn endpoint_row(endpoint: &Endpoint) -> Row {
    let time = |us: Option<u64>| match us {
        Some(us) => Cell::number(format::duration_us(us as f64), format!("{}\u{a0}µs", format::exact(us))),
        None => Cell::number("–".to_owned(), String::new()),
    };
    let errors = |count: u64, class| if count > 0 { counted(count).class(class) } else { counted(count) };
    let latency = endpoint.latency;
    vec![
        Cell::words(endpoint.name()),
        counted(endpoint.requests),
        errors(endpoint.server_errors, "number bad"),
        errors(endpoint.client_errors, "number warn"),
        time(endpoint.mean_us()),
        time(latency.map(|latency| latency.p50_us)),
        time(latency.map(|latency| latency.p95_us)),
        time(latency.map(|latency| latency.p99_us)),
        time(latency.map(|latency| latency.max_us)),
        Cell::number(format::bytes(endpoint.response_bytes as f64), format::exact(endpoint.response_bytes)),
        counted(endpoint.in_flight),
    ]
}

const ERROR_COLUMNS: &[Column] = &[
    words("Time"),
    words("Status"),
    words("Kind"),
    words("Endpoint"),
    words("Message"),
    numbers("After", "from arrival to the end"),
];

/// The last errors, newest first; at most `most`.
#[component]
pub(crate) fn ErrorTable(most: usize) -> impl IntoView {
    let rows = figure(move |snapshot| Ok(snapshot.requests.errors.iter().take(most).map(error_row).collect()));
    let foot = text(move |snapshot| match snapshot.requests.errors_seen {
        0 => "No errors since the start.".to_owned(),
        seen => format!("{} of {} since the start.", snapshot.requests.errors.len().min(most), format::exact(seen)),
    });
    view! {
        <Table caption="Errors" quiet=true columns=ERROR_COLUMNS rows />
        <p class="more">{foot}</p>
    }
}

fn error_row(error: &ErrorEvent) -> Row {
    let message = error.message.clone().unwrap_or_else(|| "–".to_owned());
    vec![
        Cell::words(format::clock(error.at_unix_ms)).titled(format::date_time(error.at_unix_ms)),
        Cell::words(error.status.to_string()).class(code_class(error.status)),
        Cell::words(error.kind.word()),
        Cell::words(error.endpoint.clone()),
        Cell::words(message.clone()).titled(message).class("message"),
        Cell::number(format::duration_us(error.duration_us as f64), String::new()),
    ]
}
