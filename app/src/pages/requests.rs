//! Request metrics: the endpoints, the status codes, the errors.

use leptos::prelude::*;

use super::charts::{ErrorsChart, LatencyChart, RequestRateChart};
use crate::{
    components::{Card, Facts},
    format,
    live::figure,
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

/// Totals since the start.
#[component]
pub(crate) fn ApplicationFacts() -> impl IntoView {
    let facts = figure(|snapshot| application_facts(&snapshot.requests));
    view! { <Facts facts /> }
}

fn application_facts(requests: &Requests) -> Vec<(&'static str, String, String)> {
    let counted = |name, count: u64| (name, format::count(count as f64), format::exact(count));
    let share = |name, count: u64| {
        let share = (requests.total > 0).then(|| format::percent(100.0 * count as f64 / requests.total as f64));
        let text = share.map_or_else(|| "0".to_owned(), |share| format!("{} ({share})", format::count(count as f64)));
        (name, text, format::exact(count))
    };
    let mean = requests.duration_mean_us.map_or_else(|| "–".to_owned(), |mean| format::duration_us(mean as f64));
    vec![
        counted("Requests", requests.total),
        counted("In flight", requests.in_flight),
        share("Server errors", requests.server_errors),
        share("Client errors", requests.client_errors),
        share("Dropped by clients", requests.dropped),
        ("Mean response time", mean, "from arrival to the last byte".to_owned()),
        ("Bytes sent", format::bytes(requests.response_bytes as f64), format::exact(requests.response_bytes)),
    ]
}

/// Requests by status code, each with its share.
#[component]
pub(crate) fn StatusCodes() -> impl IntoView {
    let statuses = figure(|snapshot| (snapshot.requests.total, snapshot.requests.statuses.clone()));
    let rows = move || {
        let (total, statuses) = statuses.get();
        statuses.into_iter().map(|(status, count)| {
            let width = format!("{:.2}%", 100.0 * count as f64 / total.max(1) as f64);
            view! {
                <tr>
                    <th scope="row" class=format!("code code-{}xx", status / 100)>{status}</th>
                    <td class="number" title=format::exact(count)>{format::count(count as f64)}</td>
                    <td class="share"><svg class="bar" aria-hidden="true"><rect class=format!("code-{}xx", status / 100) height="100%" width=width /></svg></td>
                </tr>
            }
        }).collect_view()
    };
    let empty = move || statuses.with(|(_, statuses)| statuses.is_empty()).then(no_requests);
    view! {
        <table class="codes">
            <caption class="unseen">"Requests by status code"</caption>
            <tbody>{rows}</tbody>
        </table>
        {empty}
    }
}

fn no_requests() -> impl IntoView {
    view! { <p class="unknown">"No request has ended yet. Requests count when they pass through the monitor's layer."</p> }
}

/// A row per endpoint, the most total time first; at most `most` rows.
#[component]
pub(crate) fn EndpointTable(most: usize) -> impl IntoView {
    let endpoints = figure(move |snapshot| {
        let endpoints = &snapshot.requests.endpoints;
        (endpoints.len(), endpoints.iter().take(most).cloned().collect::<Vec<_>>())
    });
    let rows = move || endpoints.get().1.into_iter().map(endpoint_row).collect_view();
    let counts = move || endpoints.with(|(all, shown)| (*all, shown.len()));
    let empty = move || (counts().0 == 0).then(no_requests);
    let more = move || {
        let (all, shown) = counts();
        (shown < all)
            .then(|| view! { <p class="more"><a href="?view=requests">{format!("All {all} endpoints")}</a></p> })
    };
    view! {
        <div class="scroll">
            <table class="endpoints">
                <thead>
                    <tr>
                        <th scope="col">"Endpoint"</th>
                        <th scope="col" class="number">"Requests"</th>
                        <th scope="col" class="number" title="5xx and panics">"Server errors"</th>
                        <th scope="col" class="number" title="4xx">"Client errors"</th>
                        <th scope="col" class="number">"Mean"</th>
                        <th scope="col" class="number">"p50"</th>
                        <th scope="col" class="number">"p95"</th>
                        <th scope="col" class="number">"p99"</th>
                        <th scope="col" class="number">"Max"</th>
                        <th scope="col" class="number">"Sent"</th>
                        <th scope="col" class="number">"In flight"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        {empty}
        {more}
    }
}

fn endpoint_row(endpoint: Endpoint) -> impl IntoView {
    let counted = |count: u64, class: &'static str| {
        view! {
            <td class="number" class=(class, count > 0) title=format::exact(count)>{format::count(count as f64)}</td>
        }
    };
    let time = |us: Option<u64>| {
        view! {
            <td class="number" title=us.map(|us| format!("{}\u{a0}µs", format::exact(us)))>
                {us.map_or_else(|| "–".to_owned(), |us| format::duration_us(us as f64))}
            </td>
        }
    };
    let latency = endpoint.latency;
    view! {
        <tr>
            <th scope="row">
                <span class="method">{endpoint.method.clone()}</span>
                " "
                {endpoint.route.clone()}
            </th>
            {counted(endpoint.requests, "some")}
            {counted(endpoint.server_errors, "bad")}
            {counted(endpoint.client_errors, "warn")}
            {time(endpoint.mean_us())}
            {time(latency.map(|latency| latency.p50_us))}
            {time(latency.map(|latency| latency.p95_us))}
            {time(latency.map(|latency| latency.p99_us))}
            {time(latency.map(|latency| latency.max_us))}
            <td class="number" title=format::exact(endpoint.response_bytes)>{format::bytes(endpoint.response_bytes as f64)}</td>
            {counted(endpoint.in_flight, "some")}
        </tr>
    }
}

/// The last errors, newest first; at most `most`.
#[component]
pub(crate) fn ErrorTable(most: usize) -> impl IntoView {
    let errors = figure(move |snapshot| {
        let requests = &snapshot.requests;
        (requests.errors_seen, requests.errors.iter().take(most).cloned().collect::<Vec<_>>())
    });
    let rows = move || errors.get().1.into_iter().map(error_row).collect_view();
    let foot = move || match errors.with(|(seen, shown)| (*seen, shown.len())) {
        (0, _) => "No errors since the start.".to_owned(),
        (seen, shown) => format!("{shown} of {} since the start.", format::exact(seen)),
    };
    view! {
        <div class="scroll" class:hidden=move || errors.with(|(seen, _)| *seen == 0)>
            <table class="errors">
                <thead>
                    <tr>
                        <th scope="col">"Time"</th>
                        <th scope="col">"Status"</th>
                        <th scope="col">"Kind"</th>
                        <th scope="col">"Endpoint"</th>
                        <th scope="col">"Message"</th>
                        <th scope="col" class="number">"After"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        <p class="more">{foot}</p>
    }
}

fn error_row(error: ErrorEvent) -> impl IntoView {
    view! {
        <tr>
            <td><time title=format::date_time(error.at_unix_ms)>{format::clock(error.at_unix_ms)}</time></td>
            <td class=format!("code code-{}xx", error.status / 100)>{error.status}</td>
            <td>{error.kind.word()}</td>
            <td class="endpoint">{error.endpoint}</td>
            <td class="message">{error.message.unwrap_or_else(|| "–".to_owned())}</td>
            <td class="number">{format::duration_us(error.duration_us as f64)}</td>
        </tr>
    }
}
