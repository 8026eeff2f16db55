//! Requests by endpoint: OpenTelemetry's `http.server.*`, with exemplars, within a bound of series.

use std::sync::Arc;

use watchboard_wire::{EndpointTotals, Exemplar, FullSnapshot, StatusTotals};

use super::{
    exposition::{Exposition, Kind},
    long_lived,
    text::{escape_label, number, seconds},
};
use crate::histograms::BOUNDS_US;

/// Endpoints with series of their own, in the order of their first requests. A scraper stores some twenty series for each.
const MAX_ENDPOINTS: usize = 200;
/// Statuses of an endpoint with a histogram of their own. A client cannot make more of them than the application has.
const MAX_STATUSES: usize = 12;
/// The route of all endpoints past the bound.
const REST: &str = "(rest)";

const DURATION: &str = "http_server_request_duration_seconds";

pub(super) fn write(out: &mut Exposition, frozen: &FullSnapshot) {
    let endpoints = &frozen.endpoints;
    let (own, rest) = endpoints.split_at(endpoints.len().min(MAX_ENDPOINTS));
    let mut shown = own.to_vec();
    if let Some(sum) = sum(rest) {
        shown.push(Arc::new(sum));
    }
    write_durations(out, &shown, &frozen.exemplars);
    let by_endpoint = |out: &mut Exposition, family, read: fn(&EndpointTotals) -> u64| {
        out.all(family, shown.iter().map(|endpoint| (labels(endpoint), read(endpoint))));
    };
    by_endpoint(out, (Kind::Gauge, "http_server_active_requests", "Requests in flight, without open streams."), |it| {
        it.in_flight
    });
    let bytes = (Kind::Counter, "http_server_response_body_bytes_total", "Bytes of response bodies.");
    by_endpoint(out, bytes, |it| it.response_bytes);
    if frozen.snapshot.memory.heap.is_some() {
        let help = "Bytes that requests allocated while they were handled.";
        by_endpoint(out, (Kind::Counter, "watchboard_request_allocated_bytes_total", help), |it| it.allocated_bytes);
    }
    if frozen.commands.is_some() {
        let help = "Commands that requests sent to the database.";
        by_endpoint(out, (Kind::Counter, "watchboard_request_database_commands_total", help), |it| it.commands);
    }
    long_lived::write(out, &shown, labels);
    let help = "Endpoints without series of their own: the route (rest) has their sums.";
    out.one((Kind::Gauge, "watchboard_rest_endpoints", help), Some(rest.len()));
}

/// OpenTelemetry's `http.server.request.duration`.
fn write_durations(out: &mut Exposition, endpoints: &[Arc<EndpointTotals>], exemplars: &[Exemplar]) {
    out.family(Kind::Histogram, DURATION, "Time from a request's arrival to the end of its response.");
    for endpoint in endpoints {
        for status in bounded_statuses(&endpoint.statuses) {
            let labels = labels(endpoint) + &status_labels(&status);
            let is_of_it =
                |it: &&Exemplar| it.endpoint == endpoint.id && it.status == status.status && endpoint.route != REST;
            let exemplars: Vec<&Exemplar> =
                if out.has_exemplars() { exemplars.iter().filter(is_of_it).collect() } else { vec![] };
            let (mut so_far, mut above_us) = (0, 0);
            let bounds = BOUNDS_US.into_iter().map(Some).chain([None]);
            for (count, bound) in status.bounded.iter().zip(bounds) {
                so_far += count;
                let within =
                    |it: &&&Exemplar| it.duration_us > above_us && bound.is_none_or(|bound| it.duration_us <= bound);
                let exemplar = exemplars.iter().find(within).filter(|_| *count > 0);
                let exemplar = exemplar.map(|it| exemplar_text(it)).unwrap_or_default();
                let le = bound.map_or_else(|| "+Inf".to_owned(), |bound| number(seconds(bound)));
                let labels = format!("{labels},le=\"{le}\"");
                out.sample_with_exemplar(&format!("{DURATION}_bucket"), &labels, so_far, &exemplar);
                above_us = bound.unwrap_or(u64::MAX);
            }
            out.sample(&format!("{DURATION}_sum"), &labels, seconds(status.duration_sum_us));
            out.sample(&format!("{DURATION}_count"), &labels, status.requests);
        }
    }
}

/// ` # {trace_id="…"} 0.42 1700000000.123`.
fn exemplar_text(exemplar: &Exemplar) -> String {
    let is_trace = exemplar.id.len() == 32 && exemplar.id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let name = if is_trace { "trace_id" } else { "request_id" };
    let at = exemplar.at_unix_ms as f64 / 1000.0;
    format!(" # {{{name}=\"{}\"}} {} {at:.3}", escape_label(&exemplar.id), seconds(exemplar.duration_us))
}

/// All statuses; those past the bound as one, `(rest)`.
fn bounded_statuses(statuses: &[StatusTotals]) -> Vec<StatusTotals> {
    let (own, rest) = statuses.split_at(statuses.len().min(MAX_STATUSES));
    let mut shown = own.to_vec();
    let sum = rest.iter().cloned().reduce(|mut sum, status| {
        sum.add(&status);
        sum
    });
    shown.extend(sum.map(|sum| StatusTotals { error: Some(REST.to_owned()), ..sum }));
    shown
}

/// All of these as one endpoint; `None` if there are none.
fn sum(endpoints: &[Arc<EndpointTotals>]) -> Option<EndpointTotals> {
    let mut sum = EndpointTotals { route: REST.to_owned(), ..EndpointTotals::default() };
    for endpoint in endpoints {
        sum.add(endpoint);
    }
    (!endpoints.is_empty()).then_some(sum)
}

fn labels(endpoint: &EndpointTotals) -> String {
    let route = escape_label(&endpoint.route);
    let method = endpoint.method.as_deref().unwrap_or_default();
    format!("http_request_method=\"{method}\",http_route=\"{route}\"")
}

fn status_labels(status: &StatusTotals) -> String {
    let error = status.error.as_ref().map(|error| format!(",error_type=\"{}\"", escape_label(error)));
    format!(",http_response_status_code=\"{}\"{}", status.status, error.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{super::exposition::Format, *};

    fn endpoint(route: &str, status: u16, requests: u64) -> Arc<EndpointTotals> {
        let mut bounded = [0; 15];
        bounded[7] = requests;
        let statuses = vec![StatusTotals { status, requests, bounded, ..StatusTotals::default() }];
        Arc::new(EndpointTotals { method: Some("GET".into()), route: route.into(), statuses, ..Default::default() })
    }

    fn written(format: Format, frozen: &FullSnapshot) -> String {
        let mut out = Exposition::new(format);
        write(&mut out, frozen);
        out.finish()
    }

    #[test]
    fn what_a_label_must_not_hold_is_escaped() {
        assert_eq!(labels(&endpoint("/a\"b\\c\nd", 200, 1)), r#"http_request_method="GET",http_route="/a\"b\\c\nd""#);
    }

    #[test]
    fn endpoints_past_the_bound_are_in_the_rest_and_no_request_is_lost() {
        let endpoints = (0..MAX_ENDPOINTS + 50).map(|number| endpoint(&format!("/{number}"), 200, 2)).collect();
        let text = written(Format::Text, &FullSnapshot { endpoints, ..FullSnapshot::default() });
        let counts = text.lines().filter(|line| line.starts_with("http_server_request_duration_seconds_count"));
        let requests: u64 = counts.clone().filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum();
        assert_eq!((counts.count(), requests), (MAX_ENDPOINTS + 1, 2 * (MAX_ENDPOINTS as u64 + 50)));
        assert!(text.contains("watchboard_rest_endpoints 50\n"), "{text}");
        assert!(
            text.contains(
                "_count{http_request_method=\"\",http_route=\"(rest)\",http_response_status_code=\"200\"} 100"
            )
        );
    }

    #[test]
    fn statuses_past_the_bound_are_one() {
        let statuses = (0..20).map(|number| StatusTotals { status: 200 + number, requests: 1, ..Default::default() });
        let shown = bounded_statuses(&statuses.collect::<Vec<_>>());
        assert_eq!((shown.len(), shown[MAX_STATUSES].requests), (MAX_STATUSES + 1, 20 - MAX_STATUSES as u64));
    }

    #[test]
    fn an_exemplar_is_in_the_bucket_of_its_duration_and_in_openmetrics_alone() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736".to_owned();
        let exemplar = Exemplar { endpoint: 0, status: 500, duration_us: 420_000, id: trace, at_unix_ms: 1_500 };
        let exemplars = Arc::new(vec![exemplar]);
        let frozen = FullSnapshot { endpoints: vec![endpoint("/a", 500, 1)], exemplars, ..FullSnapshot::default() };
        let text = written(Format::OpenMetrics, &frozen);
        let with: Vec<&str> = text.lines().filter(|line| line.contains("trace_id")).collect();
        let [line] = with[..] else { panic!("{text}") };
        assert!(line.contains("le=\"0.5\"} 1 # {trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\"} 0.42 1.500"), "{line}");
        assert!(!written(Format::Text, &frozen).contains("trace_id"));
    }
}
