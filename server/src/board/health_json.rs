//! The JSON of `/health`, from the same snapshot as the board. It has the shape that pages of the Python original read.

use std::sync::Arc;

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};
use watchboard_wire::{
    Closes, CommandTotals, CommandsSnapshot, DatabaseState, EndpointLatency, EndpointTotals, ErrorEvent, Fault,
    FullSnapshot, Latency, LongLivedKind, LongLivedTotals, Snapshot, Status, StoredHistory, close_code_name, format,
};

use super::{
    findings_json,
    memory_json::{self, reason},
};
use crate::supervision::program;

/// What the percentiles of endpoints are of.
const LATENCY_WINDOW_SECONDS: u64 = 60;

/// 200 while the status is healthy or degraded. 503 if most requests fail or the application does not run, so that a balancer can
/// choose another instance; also while the figures are stale, since no status is known then.
pub(crate) fn response(frozen: &FullSnapshot, faults: &[Fault], unmatched_routes: Vec<String>) -> Response {
    let stale = frozen.stale();
    let status = current_status(frozen, stale.as_deref());
    let code = match status {
        Status::Healthy | Status::Degraded => StatusCode::OK,
        Status::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
    };
    let mut body = body(frozen, status, stale.as_deref(), faults);
    body["application"]["unmatched_routes"] = unmatched_routes.into();
    (code, Json(body)).into_response()
}

/// The body for figures of now.
pub(crate) fn body_now(frozen: &FullSnapshot, faults: &[Fault]) -> Value {
    let stale = frozen.stale();
    let status = current_status(frozen, stale.as_deref());
    body(frozen, status, stale.as_deref(), faults)
}

/// Stale figures say nothing good about now.
fn current_status(frozen: &FullSnapshot, stale: Option<&str>) -> Status {
    stale.map_or(frozen.snapshot.health.status, |_| Status::Unhealthy)
}

/// `stale` is why the figures are too old to know the status. They are the last known then.
fn body(frozen: &FullSnapshot, status: Status, stale: Option<&str>, faults: &[Fault]) -> Value {
    let snapshot = &frozen.snapshot;
    let reasons = match stale {
        Some(stale) => vec![stale.to_owned()],
        None => snapshot.health.findings.iter().map(|finding| findings_json::reason(finding, snapshot)).collect(),
    };
    json!({
        "status": status,
        "reasons": reasons,
        "findings": snapshot.health.findings.iter().map(findings_json::finding).collect::<Vec<_>>(),
        "timestamp": snapshot.date_time(snapshot.taken_at_unix_ms),
        "age_seconds": (frozen.age().as_secs_f64() * 1000.0).round() / 1000.0,
        "monitor": {
            "stale": stale.is_some(),
            "uptime_seconds": snapshot.monitored_seconds(),
            "faults": faults.iter().map(fault).collect::<Vec<_>>(),
            "dropped_log_lines": program::dropped_log_lines(),
        },
        // Null if none is kept.
        "history": snapshot.stored.as_ref().map(|stored| stored_history(stored, snapshot)),
        // Null if it is in no fleet.
        "fleet": frozen.fleet,
        "service": snapshot.service,
        "version": snapshot.version,
        "uptime": uptime(snapshot),
        "database": database(frozen, stale),
        "memory_analysis": memory_json::memory_analysis(snapshot),
        "application": application(frozen),
    })
}

/// The history on disk: whether it is stored, from when on, and how much.
fn stored_history(stored: &StoredHistory, snapshot: &Snapshot) -> Value {
    json!({
        "status": if stored.is_stored { "stored" } else { "in memory" },
        "since_unix_ms": snapshot.wall_clock(snapshot.oldest_tick * 1000),
        "bytes": stored.bytes,
        "lost": stored.lost,
        "unreadable": stored.unreadable,
        "writer": stored.writer,
    })
}

/// Of the watched application. All null while its process is not to be seen.
fn uptime(snapshot: &Snapshot) -> Value {
    let (seconds, started) = (snapshot.uptime_seconds(), snapshot.application_started_at_unix_ms());
    json!({
        "seconds": seconds.as_ref().ok(),
        "formatted": seconds.as_ref().ok().map(|seconds| format::uptime(*seconds)),
        "started": started.ok().map(|started| snapshot.date_time(started)),
        "error": reason(&seconds),
    })
}

fn fault(fault: &Fault) -> Value {
    let Fault { part, count, seconds_ago, reason } = fault;
    json!({ "part": part, "count": count, "seconds_ago": seconds_ago, "reason": reason })
}

fn commands(commands: &CommandsSnapshot) -> Value {
    let command = |totals: &Arc<CommandTotals>| {
        json!({
            "command": totals.name.command,
            "database": totals.name.database,
            "collection": totals.name.collection,
            "sent": totals.sent,
            "failed": totals.failed,
            "cancelled": totals.cancelled,
            "duration_ms": totals.duration_sum_us as f64 / 1000.0,
        })
    };
    json!({
        "sent_for_requests": commands.sent_for_requests,
        "sent_by_others": commands.sent_by_others,
        "in_flight": commands.in_flight,
        "by_name": commands.totals.iter().map(command).collect::<Vec<_>>(),
        "pools": commands.pools,
    })
}

fn database(frozen: &FullSnapshot, stale: Option<&str>) -> Value {
    let snapshot = &frozen.snapshot;
    let database = &snapshot.database;
    let status = match stale.filter(|_| database.state != DatabaseState::NotConfigured) {
        Some(stale) => format!("error: stale: {stale}"),
        None => database.status_text(),
    };
    json!({
        "kind": database.kind,
        "status": status,
        "since": snapshot.date_time(database.since_unix_ms),
        "last_asked": database.probed_at_unix_ms.map(|at| snapshot.date_time(at)),
        "last_answer": database.answered_at_unix_ms.map(|at| snapshot.date_time(at)),
        "latency_ms": database.latency_us.map(|us| us as f64 / 1000.0),
        "version": database.server_version,
        "topology": database.topology,
        "commands": frozen.commands.as_ref().map(commands),
        "file": database.file,
    })
}

fn application(frozen: &FullSnapshot) -> Value {
    let requests = &frozen.snapshot.requests;
    let percent = if requests.total == 0 { 0.0 } else { 100.0 * requests.server_errors as f64 / requests.total as f64 };
    let mean_seconds = requests.latency_mean_us.map_or(0.0, |us| (us as f64 / 1000.0).round() / 1000.0);
    let by_endpoint = |read: fn(&EndpointTotals) -> u64| -> Map<String, Value> {
        frozen.endpoints.iter().map(|endpoint| (endpoint.text(), read(endpoint).into())).collect()
    };
    // Null if the allocator does not count.
    let counted = |read| frozen.snapshot.memory.heap.map(|_| by_endpoint(read));
    let error = |error: &ErrorEvent| {
        json!({
            "timestamp": frozen.snapshot.date_time(error.at_unix_ms),
            "error": error_text(error),
            "endpoint": error.endpoint,
            "status": error.status,
            "kind": error.kind,
            "location": error.location,
        })
    };
    json!({
        "total_requests": requests.total,
        "error_count": requests.server_errors,
        "error_rate": (percent * 100.0).round() / 100.0,
        "client_error_count": requests.client_errors,
        "dropped_count": requests.dropped,
        // Without open streams, which are below.
        "in_flight": requests.in_flight,
        // Null for a kind of which nothing but the opening is seen.
        "open": requests.open.iter().map(|(kind, open)| (kind.plural().to_owned(), json!(open))).collect::<Map<_, _>>(),
        "long_lived": long_lived(frozen),
        // The bounds of the proxy; empty without one.
        "capacities": requests.capacities,
        "average_response_time": mean_seconds,
        "latency_window_seconds": LATENCY_WINDOW_SECONDS,
        "latency": latencies(frozen),
        "status_codes": requests.statuses.iter().map(|(code, count)| (code.to_string(), json!(count))).collect::<Map<_, _>>(),
        "endpoints": by_endpoint(EndpointTotals::requests),
        "allocated_bytes": counted(|endpoint| endpoint.allocated_bytes),
        "freed_bytes": counted(|endpoint| endpoint.freed_bytes),
        // Null if the monitor does not listen to the application's client.
        "database_commands": frozen.commands.as_ref().map(|_| by_endpoint(|endpoint| endpoint.commands)),
        "recent_errors": frozen.errors.iter().map(error).collect::<Vec<_>>(),
    })
}

/// WebSockets, other upgraded connections and streams since the start, by endpoint and kind.
fn long_lived(frozen: &FullSnapshot) -> Vec<Value> {
    let seconds = |us: u64| us as f64 / 1e6;
    let closes = |closes: &Closes| json!({ "code": closes.code, "name": closes.code.map(close_code_name), "by": closes.by, "count": closes.count });
    let row = |endpoint: &EndpointTotals, totals: &LongLivedTotals| {
        let observed = totals.is_observed();
        let is_websocket = totals.kind == LongLivedKind::WebSocket;
        let received = observed && totals.kind != LongLivedKind::Stream;
        json!({
            "endpoint": endpoint.text(),
            "kind": totals.kind.plural(),
            "open": observed.then_some(totals.open),
            "opened": totals.opened,
            // Those whose end, bytes and messages cannot be seen.
            "unobserved": totals.unobserved,
            "duration_mean_seconds": totals.duration_mean_us().map(seconds),
            "duration_max_seconds": (totals.ends() > 0).then(|| seconds(totals.duration_max_us)),
            "received_bytes": received.then_some(totals.received_bytes),
            "sent_bytes": observed.then_some(totals.sent_bytes),
            "received_messages": (observed && is_websocket).then_some(totals.received_messages),
            "sent_messages": (observed && is_websocket).then_some(totals.sent_messages),
            "unparsed": totals.unparsed,
            "closed": totals.closes.iter().map(closes).collect::<Vec<_>>(),
        })
    };
    let rows = |endpoint: &Arc<EndpointTotals>| {
        endpoint.long_lived.iter().map(|totals| row(endpoint, totals)).collect::<Vec<_>>()
    };
    frozen.endpoints.iter().flat_map(rows).collect()
}

/// The last minute of each endpoint that had requests in it.
fn latencies(frozen: &FullSnapshot) -> Map<String, Value> {
    let of_endpoint = |(endpoint, latency): (&Arc<EndpointTotals>, &EndpointLatency)| {
        latency.succeeded.or(latency.failed)?;
        Some((endpoint.text(), latency_json(latency)))
    };
    frozen.endpoints.iter().zip(&frozen.latencies).filter_map(of_endpoint).collect()
}

pub(super) fn latency_json(latency: &EndpointLatency) -> Value {
    let mut shown = percentiles(latency.succeeded);
    shown["failed"] = latency.failed.map_or(Value::Null, |failed| percentiles(Some(failed)));
    shown
}

/// All null without requests.
fn percentiles(latency: Option<Latency>) -> Value {
    let ms = |read: fn(&Latency) -> u64| latency.as_ref().map(|latency| read(latency) as f64 / 1000.0);
    json!({
        "p50_ms": ms(|latency| latency.p50_us),
        "p95_ms": ms(|latency| latency.p95_us),
        "p99_ms": ms(|latency| latency.p99_us),
        "max_ms": ms(|latency| latency.max_us),
    })
}

fn error_text(error: &ErrorEvent) -> String {
    match &error.message {
        Some(message) => format!("{} {}: {message}", error.status, error.kind.word()),
        None => format!("{} {}", error.status, error.kind.word()),
    }
}
