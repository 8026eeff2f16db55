//! Request metrics: the endpoints of the window, what went wrong in it, and what was slow.

use leptos::prelude::*;
use watchboard_wire::{Requests, format};

use super::{
    charts::{ErrorsChart, LatencyChart, RequestRateChart},
    endpoints::EndpointTable,
    errors::CauseTable,
    slowest::SlowestTable,
};
use crate::{
    components::{Card, Cell, Column, Fact, Facts, Table, numbers, words},
    figures::Figures,
    live::{figure, of_figures},
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
            <Card title="Endpoints" note="Of the window. First what takes the most time in all: there a gain is felt most." wide=true>
                <EndpointTable />
            </Card>
            <Card title="Errors by cause" note="One endpoint, status and message are one cause; # stands for what differs from request to request." wide=true>
                <CauseTable most=usize::MAX />
            </Card>
            <Card title="Slowest requests" note="Of the window, from arrival to the last byte: the id finds each in your traces and logs." wide=true>
                <SlowestTable of_endpoint=false />
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
pub(super) fn counted(count: u64) -> Cell {
    Cell::number(format::count(count as f64), format::exact(count))
}

/// A count of what there should be none of: with a class where there is any.
pub(super) fn marked(count: u64, class: &'static str) -> Cell {
    if count > 0 { counted(count).class(class) } else { counted(count) }
}

/// A time, short, with its microseconds as title; a dash for none.
pub(super) fn timed(us: Option<u64>) -> Cell {
    match us {
        Some(us) => Cell::number(format::duration_us(us as f64), format!("{}\u{a0}µs", format::exact(us))),
        None => Cell::none(),
    }
}

pub(super) fn share(count: u64, total: u64) -> String {
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
    let mut facts = vec![
        plain("Requests", requests.total),
        plain("In flight", requests.in_flight),
        of_all("Server errors", requests.server_errors),
        of_all("Client errors", requests.client_errors),
        of_all("Dropped by clients", requests.dropped),
        ("Mean response time", mean, "from arrival to the last byte".to_owned()),
        ("Bytes sent", format::bytes(requests.response_bytes as f64), format::exact(requests.response_bytes)),
    ];
    if requests.faults > 0 {
        let why = "panics of the monitor or of the host's policy for it, kept from the requests".to_owned();
        facts.push(("Not recorded", format::count(requests.faults as f64), why));
    }
    facts
}

const STATUS_COLUMNS: &[Column] =
    &[words("Status"), numbers("Requests", "since the start"), numbers("Share", "of all requests")];

/// Requests by status code, each with its share.
#[component]
pub(crate) fn StatusCodes() -> impl IntoView {
    view! { <StatusTable statuses=|figures| figures.snapshot.requests.statuses.clone() /> }
}

/// Counts by status code, each with its share.
#[component]
pub(super) fn StatusTable(statuses: fn(&Figures) -> Vec<(u16, u64)>) -> impl IntoView {
    let rows = of_figures(move |figures| {
        let statuses = statuses(figures);
        let total = statuses.iter().map(|(_, count)| count).sum();
        let row = |(status, count): &(u16, u64)| {
            let code = Cell::words(status.to_string()).class(code_class(*status));
            vec![code, counted(*count), Cell::number(share(*count, total), String::new())]
        };
        Ok(statuses.iter().map(row).collect())
    });
    view! { <Table caption="Requests by status code" columns=STATUS_COLUMNS rows /> }
}

/// The class of a status that asks for attention.
pub(super) fn code_class(status: u16) -> &'static str {
    match status / 100 {
        4 => "warn",
        5 => "bad",
        _ => "",
    }
}
