//! `/health?instance=NAME` and `/health?instance=all`: what the instances of the fleet last wrote of themselves, in the shape of `/health`.

use std::collections::HashMap;

use axum::{
    Json,
    extract::Query,
    http::{StatusCode, Uri},
    response::{IntoResponse, Redirect, Response},
};
use serde_json::{Map, Value, json};
use watchboard_app::port::Telemetry;
use watchboard_wire::{
    FullSnapshot, InstanceRow, InstanceScope, InstanceState, Part, Reading, RefreshQuery, Status, Unknown, format,
};

use super::{error_json::error_json, health_span};

/// The instances that a query asks for.
pub(super) fn asked_scope(uri: &Uri) -> InstanceScope {
    let values = Query::<HashMap<String, String>>::try_from_uri(uri).map(|Query(values)| values);
    InstanceScope::from_word(values.unwrap_or_default().get("instance").map_or("", |word| word))
}

/// A board that is no instance of its fleet shows all instances, unless its page is asked for others.
pub(super) fn redirect_of_viewer(full: &FullSnapshot, uri: &Uri) -> Option<Response> {
    let is_of_viewer = full.snapshot.instance.as_ref().is_some_and(String::is_empty);
    if !is_of_viewer || asked_scope(uri) != InstanceScope::Own {
        return None;
    }
    let query = uri.query().filter(|query| !query.is_empty()).map(|query| format!("{query}&")).unwrap_or_default();
    Some(Redirect::to(&format!("?{query}instance={}", InstanceScope::ALL)).into_response())
}

/// 404 for an instance that the fleet does not have, 503 if its store does not answer or the instances are unhealthy.
pub(super) async fn response(telemetry: &dyn Telemetry, scope: InstanceScope) -> Response {
    let body = async {
        let rows = telemetry.instances().await?;
        let InstanceScope::One(name) = scope else { return body_of_all(telemetry, &rows).await.map(Ok) };
        let Some(row) = rows.iter().find(|row| row.name == name) else {
            let names: Vec<&str> = rows.iter().take(20).map(|row| &*row.name).collect();
            let error = format!("the fleet has no instance {name}: it has {}", names.join(", "));
            return Ok(Err(error));
        };
        let written = telemetry.instance_health(name).await?;
        Ok(Ok(body_of_one(row, written.and_then(|text| serde_json::from_str(&text).ok()))))
    };
    match body.await {
        Err(Unknown { reason, .. }) => error_json(StatusCode::SERVICE_UNAVAILABLE, &reason),
        Ok(Err(error)) => error_json(StatusCode::NOT_FOUND, &error),
        Ok(Ok((status, body))) => {
            let code = if status == Status::Unhealthy { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
            (code, Json(body)).into_response()
        }
    }
}

/// What an instance last wrote, with its age. One that is gone or has stopped is not healthy, whatever it wrote.
fn body_of_one(row: &InstanceRow, body: Option<Map<String, Value>>) -> (Status, Value) {
    let status = match row.state {
        InstanceState::Running => row.figures.health,
        InstanceState::Gone | InstanceState::Stopped => Status::Unhealthy,
    };
    let unreadable = || json!({ "error": "it has written nothing that can be read" });
    let mut body = body.map_or_else(unreadable, Value::from);
    body["status"] = json!(status);
    let ago = format::span(row.age_ms / 1000);
    let ended = match row.state {
        InstanceState::Running => None,
        InstanceState::Gone => Some(format!("It is gone: it was last seen {ago} ago, and has not said that it ends")),
        InstanceState::Stopped => Some(format!("It has stopped, {ago} ago")),
    };
    if let Some(ended) = ended {
        // What it wrote before is no reason any more.
        body["reasons"] = json!([ended]);
    }
    body["age_seconds"] = json!(row.age_ms as f64 / 1000.0);
    body["instances"] = json!([instance(row)]);
    (status, body)
}

fn instance(row: &InstanceRow) -> Value {
    json!({
        "name": row.name,
        "service": row.service,
        "version": row.version,
        "host": row.host,
        "status": match row.state {
            InstanceState::Running => row.figures.health.word(),
            state => state.word(),
        },
        "last_seen_unix_ms": row.last_seen_unix_ms,
    })
}

/// The page's verdict on all, and the sums of all steps that are kept.
async fn body_of_all(telemetry: &dyn Telemetry, rows: &[InstanceRow]) -> Reading<(Status, Value)> {
    let everything = Some((0, u64::from(u32::MAX)));
    let query =
        RefreshQuery { part: Part::Requests, span: everything, scope: InstanceScope::All, ..RefreshQuery::default() };
    let answer = telemetry.refresh(query, None).await?;
    if let Some(unread) = answer.unread {
        return Err(unread);
    }
    let snapshot = &answer.snapshot;
    let mut application = health_span::application(&answer, snapshot);
    let of_runs: Option<Value> = serde_json::from_str(&telemetry.sums_of_runs().await?).ok();
    for (key, sum) in of_runs.as_ref().and_then(Value::as_object).into_iter().flatten() {
        application[key] = sum.clone();
    }
    let running = rows.iter().filter(|row| row.state == InstanceState::Running);
    let started = running.filter(|row| row.started_at_unix_ms > 0);
    let uptime = started.map(|row| row.last_seen_unix_ms.saturating_sub(row.started_at_unix_ms) / 1000).max();
    let of_one = json!({ "error": "it is of one instance: ask for ?instance=NAME" });
    let health = &snapshot.health;
    let age_seconds = match (answer.age_ms, answer.span) {
        (0, span) => span.map(|(_, to)| (snapshot.taken_at_unix_ms / 1000).saturating_sub(to)),
        (age_ms, _) => Some(age_ms / 1000),
    };
    let body = json!({
        "status": health.status,
        // Of the newest requests that are in it.
        "age_seconds": age_seconds,
        "reasons": health.findings.iter().map(|finding| &finding.sentence).collect::<Vec<_>>(),
        "instances": rows.iter().map(instance).collect::<Vec<_>>(),
        "uptime": {
            "seconds": uptime,
            "formatted": uptime.map(format::uptime),
        },
        "database": { "status": snapshot.database.status_text() },
        "memory_analysis": {
            "process": { "process": of_one, "threads": [] },
            "system": { "virtual_memory": of_one, "swap_memory": of_one },
        },
        "application": application,
    });
    Ok((health.status, body))
}
