//! `/health?from=…&to=…`: the requests of a past span, in the shape of `application` of `/health`. What is not kept for spans is null.

use std::collections::HashMap;

use axum::{
    Json,
    extract::Query,
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};
use watchboard_app::port::Telemetry;
use watchboard_wire::{EndpointRow, InstanceScope, Part, RefreshQuery, RefreshResponse, Snapshot};

use super::{answer::answer, error_json::error_json, health_json::latency_json};

const USAGE: &str = "from and to are Unix seconds, from before to: /health?from=1790000000&to=1790003600";

/// The span that a query asks for, in Unix seconds; `None` if it asks for none.
pub(super) fn asked_span(uri: &Uri) -> Option<Result<(u64, u64), Response>> {
    let Ok(Query(values)) = Query::<HashMap<String, String>>::try_from_uri(uri) else {
        return Some(Err(error_json(StatusCode::BAD_REQUEST, USAGE)));
    };
    let [from, to] = ["from", "to"].map(|name| values.get(name));
    from.or(to)?;
    let second = |text: Option<&String>| text?.parse::<u64>().ok();
    Some(match (second(from), second(to)) {
        (Some(from), Some(to)) if from < to => Ok((from, to)),
        _ => Err(error_json(StatusCode::BAD_REQUEST, USAGE)),
    })
}

/// The answer for a span of Unix seconds. 404 if the history has nothing of it.
pub(super) async fn response(telemetry: &dyn Telemetry, span: (u64, u64), scope: InstanceScope) -> Response {
    let query = RefreshQuery { part: Part::Requests, span: Some(span), scope, ..RefreshQuery::default() };
    match answer(telemetry, query).await {
        Ok(answer) => Json(body(&answer)).into_response(),
        Err(refused) => refused,
    }
}

fn body(answer: &RefreshResponse) -> Value {
    let unix = |tick: u64| answer.snapshot.wall_clock(tick * 1000) / 1000;
    let (from, to) = answer.span.unwrap_or_default();
    json!({
        // Whole steps of the history.
        "from": unix(from),
        "to": unix(to),
        // The seconds that there are figures of.
        "seconds": answer.totals.seconds,
        "application": application(answer, &answer.snapshot),
    })
}

pub(super) fn application(answer: &RefreshResponse, snapshot: &Snapshot) -> Value {
    let totals = &answer.totals;
    let name = |row: &EndpointRow| row.name.as_ref().map(watchboard_wire::EndpointName::text).unwrap_or_default();
    let by_endpoint = |read: fn(&EndpointRow) -> u64| -> Map<String, Value> {
        answer.endpoints.iter().map(|row| (name(row), read(row).into())).collect()
    };
    let counted = |read| snapshot.memory.heap.map(|_| by_endpoint(read));
    let latency = |row: &EndpointRow| (name(row), latency_json(&row.latency));
    let percent = totals.error_percent().unwrap_or_default();
    let mean_us = totals.duration_sum_us as f64 / totals.requests.max(1) as f64;
    json!({
        "total_requests": totals.requests,
        "error_count": totals.server_errors,
        "error_rate": (percent * 100.0).round() / 100.0,
        "client_error_count": totals.client_errors,
        "dropped_count": totals.dropped,
        "average_response_time": (mean_us / 1000.0).round() / 1000.0,
        "latency_window_seconds": totals.seconds,
        "latency": answer.endpoints.iter().map(latency).collect::<Map<_, _>>(),
        "endpoints": by_endpoint(|row| row.requests),
        "allocated_bytes": counted(|row| row.memory.map_or(0, |memory| memory.allocated_bytes)),
        "freed_bytes": counted(|row| row.memory.map_or(0, |memory| memory.freed_bytes)),
        "database_commands": snapshot.listens.then(|| by_endpoint(|row| row.database.map_or(0, |database| database.commands))),
        "in_flight": null,
        "open": null,
        "long_lived": null,
        "capacities": null,
        "status_codes": null,
        "recent_errors": null,
    })
}
