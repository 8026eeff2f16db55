//! `/metrics`: the figures of the snapshot as Prometheus's text, with OpenTelemetry's names and bounds.

mod commands;
mod text;

use std::fmt::{self, Write};

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use watchboard_wire::{CapacityUse, DatabaseState, EndpointTotals, Fault, FullSnapshot, Snapshot, StatusTotals};

use self::text::{escape_label, seconds};
use crate::{histograms::BOUNDS_US, supervision::program};

/// The version that every scraper reads.
const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

pub(crate) fn response(frozen: &FullSnapshot, faults: &[Fault]) -> Response {
    let mut text = String::new();
    // Writing into a string cannot fail.
    let _ = write_monitor(&mut text, frozen, faults);
    // A scraper would take old figures for new ones.
    if frozen.stale().is_none() {
        let _ = write_all(&mut text, frozen);
    }
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response()
}

/// The state of the monitor itself.
fn write_monitor(out: &mut String, frozen: &FullSnapshot, faults: &[Fault]) -> fmt::Result {
    const AGE: &str = "watchboard_snapshot_age_seconds";
    const FAULTS: &str = "watchboard_faults_total";
    const LINES: &str = "watchboard_dropped_log_lines_total";
    writeln!(out, "# HELP {AGE} Age of these figures. Past five seconds all others are left out.\n# TYPE {AGE} gauge")?;
    writeln!(out, "{AGE} {}", frozen.age().as_secs_f64())?;
    writeln!(out, "# HELP {LINES} Lines of the program's log that were lost.\n# TYPE {LINES} counter")?;
    writeln!(out, "{LINES} {}", program::dropped_log_lines())?;
    if !faults.is_empty() {
        writeln!(
            out,
            "# HELP {FAULTS} Failures of the monitor's own parts, and of the program's.\n# TYPE {FAULTS} counter"
        )?;
    }
    for fault in faults {
        writeln!(out, "{FAULTS}{{part=\"{}\"}} {}", escape_label(&fault.part), fault.count)?;
    }
    Ok(())
}

/// One metric: its name, its type, its help, and its samples by their labels.
type Family = (&'static str, &'static str, &'static str, Vec<(String, f64)>);

fn write_all(out: &mut String, frozen: &FullSnapshot) -> fmt::Result {
    durations(out, &frozen.endpoints)?;
    if let Some(sent) = &frozen.commands {
        commands::write_all(out, sent)?;
    }
    let families = endpoint_families(frozen).into_iter().chain(capacity_families(&frozen.snapshot));
    for (name, kind, help, samples) in families.chain(process_families(&frozen.snapshot)) {
        // An unknown figure is left out.
        if samples.is_empty() {
            continue;
        }
        writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}")?;
        for (labels, value) in samples {
            let labels = if labels.is_empty() { labels } else { format!("{{{labels}}}") };
            writeln!(out, "{name}{labels} {value}")?;
        }
    }
    Ok(())
}

fn endpoint_families(frozen: &FullSnapshot) -> [Family; 4] {
    let by_endpoint = |read: fn(&EndpointTotals) -> u64| {
        let samples = frozen.endpoints.iter().map(move |endpoint| (labels(endpoint), read(endpoint) as f64));
        samples.collect::<Vec<_>>()
    };
    [
        ("http_server_active_requests", "gauge", "Requests under way.", by_endpoint(|endpoint| endpoint.in_flight)),
        (
            "http_server_response_body_bytes_total",
            "counter",
            "Bytes of response bodies.",
            by_endpoint(|endpoint| endpoint.response_bytes),
        ),
        (
            "watchboard_request_allocated_bytes_total",
            "counter",
            "Bytes that requests allocated while they were handled.",
            if frozen.snapshot.memory.heap.is_some() {
                by_endpoint(|endpoint| endpoint.allocated_bytes)
            } else {
                vec![]
            },
        ),
        (
            "watchboard_request_database_commands_total",
            "counter",
            "Commands that requests sent to the database.",
            if frozen.commands.is_some() { by_endpoint(|endpoint| endpoint.commands) } else { vec![] },
        ),
    ]
}

fn capacity_families(snapshot: &Snapshot) -> [Family; 3] {
    let by_capacity = |read: fn(&CapacityUse) -> u64| {
        let of =
            |capacity: &CapacityUse| (format!("bound=\"{}\"", escape_label(&capacity.name)), read(capacity) as f64);
        snapshot.requests.capacities.iter().map(of).collect::<Vec<_>>()
    };
    [
        (
            "watchboard_places_in_use",
            "gauge",
            "Taken places of the proxy's bounds.",
            by_capacity(|capacity| capacity.in_use),
        ),
        ("watchboard_places_limit", "gauge", "Places of the proxy's bounds.", by_capacity(|capacity| capacity.limit)),
        (
            "watchboard_places_exceeded_total",
            "counter",
            "Clients that found no place of the proxy's bounds.",
            by_capacity(|capacity| capacity.exceeded),
        ),
    ]
}

fn process_families(snapshot: &Snapshot) -> [Family; 9] {
    let some = |value: Option<f64>| value.map(|value| (String::new(), value)).into_iter().collect::<Vec<_>>();
    let process = snapshot.memory.process.as_ref().ok();
    let database = &snapshot.database;
    let (healthy, configured) =
        (database.state == DatabaseState::Healthy, database.state != DatabaseState::NotConfigured);
    [
        (
            "watchboard_heap_allocated_bytes_total",
            "counter",
            "Bytes that the program allocated.",
            some(snapshot.memory.heap.map(|heap| heap.allocated_bytes as f64)),
        ),
        (
            "watchboard_heap_live_bytes",
            "gauge",
            "Bytes that the program allocated and did not free.",
            some(snapshot.memory.heap.map(|heap| heap.live_bytes() as f64)),
        ),
        ("process_uptime_seconds", "gauge", "Seconds since the monitor started.", some(Some(snapshot.tick as f64))),
        (
            "process_memory_usage_bytes",
            "gauge",
            "Resident memory of the process.",
            some(process.map(|process| process.rss_bytes as f64)),
        ),
        (
            "process_memory_virtual_bytes",
            "gauge",
            "Address space of the process.",
            some(process.map(|process| process.vms_bytes as f64)),
        ),
        (
            "process_thread_count",
            "gauge",
            "Threads of the process.",
            some(process.map(|process| process.num_threads as f64)),
        ),
        (
            "process_unix_file_descriptor_count",
            "gauge",
            "Open file descriptors of the process.",
            some(snapshot.memory.open_descriptors().map(|open| open as f64)),
        ),
        (
            "watchboard_database_up",
            "gauge",
            "Whether the database answered the last probe.",
            some(configured.then_some(f64::from(u8::from(healthy)))),
        ),
        (
            "watchboard_database_round_trip_seconds",
            "gauge",
            "Time of the last probe of the database.",
            some(database.latency_us.filter(|_| healthy).map(seconds)),
        ),
    ]
}

/// OpenTelemetry's `http.server.request.duration`.
fn durations(out: &mut String, endpoints: &[std::sync::Arc<EndpointTotals>]) -> fmt::Result {
    const NAME: &str = "http_server_request_duration_seconds";
    writeln!(out, "# HELP {NAME} Time from a request's arrival to the end of its response.\n# TYPE {NAME} histogram")?;
    for endpoint in endpoints {
        for status in &endpoint.statuses {
            let labels = labels(endpoint) + &status_labels(status);
            let mut so_far = 0;
            for (count, bound) in status.bounded.iter().zip(BOUNDS_US) {
                so_far += count;
                writeln!(out, "{NAME}_bucket{{{labels},le=\"{}\"}} {so_far}", seconds(bound))?;
            }
            writeln!(out, "{NAME}_bucket{{{labels},le=\"+Inf\"}} {}", status.requests)?;
            writeln!(out, "{NAME}_sum{{{labels}}} {}", seconds(status.duration_sum_us))?;
            writeln!(out, "{NAME}_count{{{labels}}} {}", status.requests)?;
        }
    }
    Ok(())
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
    use super::*;

    #[test]
    fn what_a_label_must_not_hold_is_escaped() {
        let endpoint = EndpointTotals { method: Some("GET".into()), route: "/a\"b\\c\nd".into(), ..Default::default() };
        assert_eq!(labels(&endpoint), r#"http_request_method="GET",http_route="/a\"b\\c\nd""#);
    }
}
