//! The JSON of `/health`, from the same snapshot as the board. It has the shape that pages of the Python original read.

use std::sync::Arc;

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};
use watchboard_wire::{
    Application, ApplicationProcess, Closes, CommandTotals, CommandsSnapshot, DatabaseState, EndpointLatency,
    EndpointTotals, ErrorEvent, Fault, FullSnapshot, Heap, Latency, LongLivedKind, LongLivedTotals, Memory, Process,
    Reading, Snapshot, Status, StoredHistory, System, Thread, close_code_name, format,
};

use super::findings_json;
use crate::supervision::program;

/// What the percentiles of endpoints are of.
const LATENCY_WINDOW_SECONDS: u64 = 60;

/// 200 while the status is healthy or degraded. 503 if most requests fail or the application does not run, so that a balancer can
/// choose another instance; also while the figures are stale, since no status is known then.
pub(crate) fn response(frozen: &FullSnapshot, faults: &[Fault], unmatched_routes: Vec<String>) -> Response {
    let stale = frozen.stale();
    let status = if stale.is_some() { Status::Unhealthy } else { frozen.snapshot.health.status };
    let code = match status {
        Status::Healthy | Status::Degraded => StatusCode::OK,
        Status::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
    };
    let mut body = body(frozen, status, stale.as_deref(), faults);
    body["application"]["unmatched_routes"] = unmatched_routes.into();
    (code, Json(body)).into_response()
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
        "service": snapshot.service,
        "version": snapshot.version,
        "uptime": uptime(snapshot),
        "database": database(frozen, stale),
        "memory_analysis": {
            "process": {
                "process": or_error(&snapshot.memory.process, |process| process_json(process, snapshot)),
                "threads": threads(snapshot),
                "threads_error": reason(&snapshot.memory.threads),
            },
            "system": {
                "virtual_memory": or_error(&snapshot.memory.system, virtual_memory),
                "swap_memory": or_error(&snapshot.memory.system, swap_memory),
            },
            // Null if the application is this process.
            "application": snapshot.memory.application.as_ref().map(|application| processes(application, snapshot)),
            "allocator": or_error(&snapshot.memory.allocator, |allocator| json!(allocator)),
            "heap": snapshot.memory.heap.map(heap),
            "oom_kills_seen": snapshot.memory.oom_kills_seen,
            "container": or_error(&snapshot.memory.container, |container| json!(container)),
        },
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

/// The figures, or the reason why they are unknown.
fn or_error<T>(reading: &Reading<T>, show: impl FnOnce(&T) -> Value) -> Value {
    reading.as_ref().map_or_else(|unknown| json!({ "error": unknown.reason }), show)
}

/// Why a reading is unknown; null if it is known.
fn reason<T>(reading: &Reading<T>) -> Option<&str> {
    reading.as_ref().err().map(|unknown| &*unknown.reason)
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

fn memory_info(process: &Process) -> Value {
    json!({
        "rss": process.rss_bytes,
        "vms": process.vms_bytes,
        "shared": process.shared_bytes,
        "text": process.text_bytes,
        "lib": 0,
        "data": process.data_bytes,
        "dirty": 0,
        "peak": process.peak_rss_bytes,
        "swap": process.swap_bytes,
        "hugetlb": process.hugetlb_bytes,
        "anonymous": process.anonymous_bytes,
        "file": process.file_bytes,
        "shmem": process.shmem_bytes,
    })
}

fn process_json(process: &Process, snapshot: &Snapshot) -> Value {
    let Memory { handles, mapped, .. } = &snapshot.memory;
    let (open, sharing) = (handles.as_ref().ok(), mapped.as_ref().ok());
    json!({
        "pid": process.pid,
        "name": process.name,
        "memory_percent": process.memory_percent,
        "cpu_percent": process.cpu_percent,
        "memory_info": memory_info(process),
        "num_threads": process.num_threads,
        "open_files": open.map(|open| open.open_files),
        "connections": open.map(|open| open.connections),
        "open_files_error": reason(handles),
        "num_fds": snapshot.memory.open_descriptors(),
        "uss": sharing.map(|sharing| sharing.uss_bytes),
        "pss": sharing.map(|sharing| sharing.pss_bytes),
        "shared_pages_read": sharing.map(|sharing| format::date_time(sharing.read_at_unix_ms, "UTC")),
        "shared_pages_error": reason(mapped),
        "page_faults": { "minor": process.minor_faults, "major": process.major_faults },
    })
}

fn processes(application: &Application, snapshot: &Snapshot) -> Value {
    let process = |process: &ApplicationProcess| {
        json!({
            "pid": process.pid,
            "command": process.command,
            "role": process.role,
            "started": snapshot.date_time(process.started_at_unix_ms),
            "rss": process.rss_bytes,
            "num_threads": process.num_threads,
            "cpu_percent": process.cpu_percent,
            "num_fds": process.descriptors,
            "open_files": process.open_files,
        })
    };
    json!({
        "name": application.name,
        "found_by": application.found_by,
        "unresolved": application.unresolved,
        "processes": application.processes.iter().map(process).collect::<Vec<_>>(),
        "unread_processes": application.unread_processes,
        // Null until all its processes have ended once.
        "last_end": application.last_end.as_ref().map(|end| json!({ "at": snapshot.date_time(end.at_unix_ms), "reason": end.reason })),
        "restarted": application.restarted_at_unix_ms.iter().map(|at| snapshot.date_time(*at)).collect::<Vec<_>>(),
    })
}

fn heap(heap: Heap) -> Value {
    json!({
        "allocated_bytes": heap.allocated_bytes,
        "freed_bytes": heap.freed_bytes,
        "live_bytes": heap.live_bytes(),
        "allocations": heap.allocations,
        "requests_allocated_bytes": heap.requests_allocated_bytes,
        "unattributed_bytes": heap.unattributed_bytes(),
    })
}

/// The busiest threads. Threads share one address space, so the memory is that of the process or of the application, and says so.
fn threads(snapshot: &Snapshot) -> Value {
    let memory = snapshot.memory.process.as_ref().map(memory_info).unwrap_or_default();
    let scope = if snapshot.memory.application.is_some() { "application" } else { "process" };
    let thread = |thread: &Thread| {
        json!({
            "thread_id": thread.thread_id,
            "name": thread.name,
            "cpu_percent": thread.cpu_percent,
            "cpu_seconds": thread.cpu_seconds,
            "allocated_bytes": thread.allocated_bytes,
            "freed_bytes": thread.freed_bytes,
            "memory_info": memory,
            "memory_scope": scope,
        })
    };
    // A list, also if it is unknown: pages of the original go through it.
    snapshot.memory.threads.iter().flat_map(|threads| threads.busiest.iter().map(thread)).collect()
}

fn virtual_memory(system: &System) -> Value {
    json!({
        "total": system.total_bytes,
        "available": system.available_bytes,
        "used": system.used_bytes,
        "free": system.free_bytes,
        "percent": tenths(system.percent),
        "active": system.active_bytes,
        "inactive": system.inactive_bytes,
        "buffers": system.buffers_bytes,
        "cached": system.cached_bytes,
        "shared": system.shared_bytes,
        "hugetlb": system.hugetlb_bytes,
        "hugetlb_free": system.hugetlb_free_bytes,
    })
}

fn swap_memory(system: &System) -> Value {
    json!({
        "total": system.swap_total_bytes,
        "used": system.swap_used_bytes,
        "free": system.swap_free_bytes,
        "percent": tenths(100.0 * system.swap_used_bytes as f64 / system.swap_total_bytes.max(1) as f64),
        "sin": system.swap_in_bytes,
        "sout": system.swap_out_bytes,
    })
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
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
