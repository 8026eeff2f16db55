//! Request metrics: the endpoints, errors and slowest requests of the window.

use leptos::prelude::*;
use watchboard_wire::{InstanceScope, LongLivedKind, Reading, Requests, Unknown, format};

use super::{
    cells::{code_class, count_cell, fact_or_reason, share},
    charts::{LatencyChart, OutcomesChart},
    endpoints::EndpointTable,
    errors::CauseTable,
    export_links::ExportLinks,
    long_lived::LongLivedCard,
    slowest::SlowestTable,
    strips::Strips,
};
use crate::{
    components::{Card, Cell, Column, ExplainedFacts, Fact, Table, numbers, words},
    figures::Figures,
    live::{figures_memo, snapshot_memo},
    selection::use_selection,
};

#[component]
pub(crate) fn RequestsPage() -> impl IntoView {
    view! {
        <div class="charts">
            <OutcomesChart />
            <LatencyChart />
        </div>
        <div class="cards">
            <Strips />
            <Card title="Endpoints" note="Of the window. First what takes the most time in all: there a gain is felt most." wide=true>
                <EndpointTable />
            </Card>
            <LongLivedCard />
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
        <ExportLinks />
    }
}

/// Totals since the start.
#[component]
pub(crate) fn ApplicationFacts() -> impl IntoView {
    let known = known_since_start();
    let facts = snapshot_memo(move |snapshot| known().map(|()| application_facts(&snapshot.requests)));
    view! { <ExplainedFacts facts /> }
}

/// What counts from the start of a process is unknown of several.
fn known_since_start() -> impl Fn() -> Reading<()> + Copy {
    let selection = use_selection();
    move || {
        if selection.with(|selection| selection.scope == InstanceScope::All) {
            return Err(Unknown::because("Each instance counts from its own start: choose one."));
        }
        Ok(())
    }
}

fn application_facts(requests: &Requests) -> Vec<Fact> {
    let plain = |name, count: u64| (name, format::count(count as f64), format::exact(count));
    let of_all = |name, count: u64| {
        let text = format!("{} ({})", format::count(count as f64), share(count, requests.total));
        (name, text, format::exact(count))
    };
    let mean = requests.latency_mean_us.map_or_else(|| "–".to_owned(), |mean| format::duration_us(mean as f64));
    let mut facts = vec![
        plain("Requests", requests.total),
        plain("In flight", requests.in_flight),
        of_all("Server errors", requests.server_errors),
        of_all("Client errors", requests.client_errors),
        of_all("Dropped by clients", requests.dropped),
        ("Mean response time", mean, "from arrival to the last byte, of requests that succeeded".to_owned()),
        ("Bytes sent", format::bytes(requests.response_bytes as f64), format::exact(requests.response_bytes)),
    ];
    for (kind, open) in &requests.open {
        let name = match kind {
            LongLivedKind::WebSocket => "Open WebSockets",
            LongLivedKind::Upgrade => "Open upgrades",
            LongLivedKind::Stream => "Open streams",
        };
        let unseen = "the application handles them itself: their end cannot be seen";
        facts.push(fact_or_reason(name, open.map(|open| format::count(open as f64)), unseen));
    }
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
    let known = known_since_start();
    view! { <StatusTable statuses=move |figures| known().map(|()| figures.snapshot.requests.statuses.clone()) /> }
}

/// Counts by status code, each with its share.
#[component]
pub(super) fn StatusTable(
    statuses: impl Fn(&Figures) -> Reading<Vec<(u16, u64)>> + Send + Sync + 'static,
) -> impl IntoView {
    let rows = figures_memo(move |figures| {
        let statuses = statuses(figures)?;
        let total = statuses.iter().map(|(_, count)| count).sum();
        let row = |(status, count): &(u16, u64)| {
            let code = Cell::words(status.to_string()).class(code_class(*status));
            vec![code, count_cell(*count), Cell::number(share(*count, total), String::new())]
        };
        Ok(statuses.iter().map(row).collect())
    });
    view! { <Table caption="Requests by status code" columns=STATUS_COLUMNS rows /> }
}
