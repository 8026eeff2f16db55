//! `/export`: what a view shows, as CSV or JSON. Its query is that of the page, with `format` and `table`.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Json,
    extract::{Query, State},
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use watchboard_app::{port::Telemetry, shell::refresh_query};
use watchboard_wire::{
    Columns, CommandRow, EndpointName, EndpointRow, ErrorCause, Latency, Part, RefreshResponse, SlowRequest, Snapshot,
    Timeline,
};

const USAGE: &str = "format is csv or json, table one of timeline, endpoints, errors, slowest and commands: \
                     /export?view=requests&window=1h&format=csv&table=endpoints";

/// One table. All rows are as long as the head.
struct ExportTable {
    name: &'static str,
    head: Vec<String>,
    rows: Vec<Vec<Value>>,
}

impl ExportTable {
    fn new<const N: usize>(name: &'static str, head: [&str; N], rows: impl Iterator<Item = [Value; N]>) -> Self {
        Self { name, head: head.map(str::to_owned).to_vec(), rows: rows.map(Vec::from).collect() }
    }
}

/// 400 for a query that cannot be read, 404 for a table that the view does not have, 503 without an answer.
pub(super) async fn export(State(telemetry): State<Arc<dyn Telemetry>>, uri: Uri) -> Response {
    let Ok(Query(values)) = Query::<HashMap<String, String>>::try_from_uri(&uri) else {
        return error_response(StatusCode::BAD_REQUEST, USAGE);
    };
    let value = |name: &str| values.get(name).map(String::as_str);
    let mut query = refresh_query(uri.query().unwrap_or_default());
    let usual = if query.part == Part::Requests { "endpoints" } else { "timeline" };
    // The overview and the view of memory have some of the endpoints alone.
    if matches!(query.part, Part::Overview | Part::Memory) {
        query.part = Part::Requests;
    }
    let answer = match telemetry.refresh(query, None).await {
        Ok(RefreshResponse { unread: Some(unknown), .. }) | Err(unknown) => {
            return error_response(StatusCode::SERVICE_UNAVAILABLE, &unknown.reason);
        }
        Ok(answer) => answer,
    };
    let tables = tables(&answer);
    let wanted = |name: &str| tables.iter().find(|table| table.name == name);
    match (value("format").unwrap_or("csv"), value("table")) {
        ("csv", name) => match wanted(name.unwrap_or(usual)) {
            Some(table) => csv_response(table),
            None => error_response(StatusCode::NOT_FOUND, USAGE),
        },
        ("json", None) => json_response(&answer, tables.iter().collect()),
        ("json", Some(name)) => match wanted(name) {
            Some(table) => json_response(&answer, vec![table]),
            None => error_response(StatusCode::NOT_FOUND, USAGE),
        },
        _ => error_response(StatusCode::BAD_REQUEST, USAGE),
    }
}

fn error_response(status: StatusCode, reason: &str) -> Response {
    (status, Json(json!({ "error": reason }))).into_response()
}

fn json_response(answer: &RefreshResponse, tables: Vec<&ExportTable>) -> Response {
    let row = |table: &ExportTable, row: &Vec<Value>| -> Value {
        table.head.iter().cloned().zip(row.iter().cloned()).collect::<Map<_, _>>().into()
    };
    let rows = |table: &ExportTable| -> Value { table.rows.iter().map(|values| row(table, values)).collect() };
    let snapshot = &answer.snapshot;
    let tables: Map<_, _> = tables.into_iter().map(|table| (table.name.to_owned(), rows(table))).collect();
    let body = json!({
        "service": snapshot.service,
        "taken_at": snapshot.date_time(snapshot.taken_at_unix_ms),
        "seconds": answer.totals.seconds,
        "requests": answer.totals.requests,
        "tables": tables,
    });
    let name = "attachment; filename=\"watchboard.json\"";
    ([(header::CONTENT_DISPOSITION, name)], Json(body)).into_response()
}

fn csv_response(table: &ExportTable) -> Response {
    let mut writer = csv::Writer::from_writer(vec![]);
    let written = writer
        .write_record(&table.head)
        .and_then(|()| table.rows.iter().try_for_each(|row| writer.write_record(row.iter().map(csv_field))));
    // Neither can fail: the rows are as long as the head, and go into memory.
    let bytes = written.ok().and_then(|()| writer.into_inner().ok()).unwrap_or_default();
    let name = format!("attachment; filename=\"watchboard-{}.csv\"", table.name);
    ([(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)], bytes)
        .into_response()
}

/// A spreadsheet takes a text that begins so for a formula: texts come from outside.
fn csv_field(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => format!("'{text}"),
        Value::String(text) => text.clone(),
        number => number.to_string(),
    }
}

fn tables(answer: &RefreshResponse) -> Vec<ExportTable> {
    let snapshot = &answer.snapshot;
    let mut tables = vec![match &answer.endpoint {
        Some(detail) => timeline(snapshot, &detail.timeline),
        None => timeline(snapshot, &answer.timeline),
    }];
    let rows: Vec<&EndpointRow> = match &answer.endpoint {
        Some(detail) => vec![&detail.row],
        None => answer.endpoints.iter().collect(),
    };
    let own = answer.endpoint.as_ref().map(|detail| detail.row.id);
    let causes = answer.causes.iter().filter(|cause| own.is_none_or(|own| own == cause.endpoint_id));
    let slowest = answer.endpoint.as_ref().map(|detail| &detail.slowest).or(answer.slowest.as_ref());
    let slowest = slowest.into_iter().flatten();
    if let Some(database) = &answer.database {
        let commands = database.commands.as_ref().map(|commands| &commands.rows[..]).unwrap_or_default();
        tables.push(ExportTable::new("commands", COMMAND_HEAD, commands.iter().map(command_row)));
    } else {
        tables.push(ExportTable::new("endpoints", ENDPOINT_HEAD, rows.into_iter().map(endpoint_row)));
        tables.push(ExportTable::new("errors", CAUSE_HEAD, causes.map(|cause| cause_row(snapshot, cause))));
        tables.push(ExportTable::new("slowest", SLOW_HEAD, slowest.map(|slow| slow_row(snapshot, slow))));
    }
    tables
}

/// The points of the charts, the oldest first. The names of the columns have their units.
fn timeline<C: Columns + Serialize>(snapshot: &Snapshot, timeline: &Timeline<C>) -> ExportTable {
    let step = timeline.window.step_seconds();
    let columns = match serde_json::to_value(&timeline.columns) {
        Ok(Value::Object(columns)) => columns,
        _ => Map::new(),
    };
    let begins = |index: usize| snapshot.wall_clock((timeline.first + index as u64) * step * 1000) / 1000;
    let row = |index: usize| {
        let figures = columns.values().map(|column| column.get(index).map_or(Value::Null, rounded));
        [begins(index).into(), step.into()].into_iter().chain(figures).collect()
    };
    let head = ["begins_unix_seconds", "step_seconds"].map(str::to_owned).into_iter().chain(columns.keys().cloned());
    ExportTable { name: "timeline", head: head.collect(), rows: (0..timeline.columns.points()).map(row).collect() }
}

/// With three decimals. Shares and rates have the precision of an `f32`.
fn rounded(value: &Value) -> Value {
    match value.as_f64().filter(|_| value.is_f64()) {
        Some(number) => ((number * 1000.0).round() / 1000.0).into(),
        None => value.clone(),
    }
}

fn latencies(latency: Option<&Latency>) -> [Value; 5] {
    let read = |read: fn(&Latency) -> u64| latency.map(read).into();
    [read(|it| it.mean_us), read(|it| it.p50_us), read(|it| it.p95_us), read(|it| it.p99_us), read(|it| it.max_us)]
}

const ENDPOINT_HEAD: [&str; 17] = [
    "endpoint",
    "requests",
    "server_errors",
    "client_errors",
    "dropped",
    "duration_sum_us",
    "mean_us",
    "p50_us",
    "p95_us",
    "p99_us",
    "max_us",
    "objective_us",
    "in_time_percent",
    "response_bytes",
    "allocated_bytes",
    "database_commands",
    "database_us",
];

fn endpoint_row(row: &EndpointRow) -> [Value; 17] {
    let [mean, p50, p95, p99, max] = latencies(row.latency.succeeded.as_ref());
    [
        row.name.as_ref().map(EndpointName::text).into(),
        row.requests.into(),
        row.server_errors.into(),
        row.client_errors.into(),
        row.dropped.into(),
        row.duration_sum_us.into(),
        mean,
        p50,
        p95,
        p99,
        max,
        row.name.as_ref().map(|name| name.objective_us).into(),
        row.within_percent().map(|percent| (percent * 1000.0).round() / 1000.0).into(),
        row.response_bytes.into(),
        row.memory.map(|memory| memory.allocated_bytes).into(),
        row.database.map(|database| database.commands).into(),
        row.database.map(|database| database.elapsed_us).into(),
    ]
}

const CAUSE_HEAD: [&str; 8] =
    ["endpoint", "status", "kind", "message", "errors", "first_seen", "last_seen", "last_request_id"];

fn cause_row(snapshot: &Snapshot, cause: &ErrorCause) -> [Value; 8] {
    let last = cause.samples.first();
    [
        cause.endpoint.clone().into(),
        cause.status.into(),
        cause.kind.word().into(),
        cause.message.clone().into(),
        cause.points.iter().map(|(_, count)| u64::from(*count)).sum::<u64>().into(),
        snapshot.date_time(cause.first_at_unix_ms).into(),
        snapshot.date_time(cause.last_at_unix_ms).into(),
        last.and_then(|sample| sample.request_id.clone()).into(),
    ]
}

const SLOW_HEAD: [&str; 9] = [
    "ended",
    "endpoint",
    "status",
    "duration_us",
    "first_byte_us",
    "response_bytes",
    "request_id",
    "database_commands",
    "database_us",
];

fn slow_row(snapshot: &Snapshot, slow: &SlowRequest) -> [Value; 9] {
    [
        snapshot.date_time(slow.at_unix_ms).into(),
        slow.endpoint.clone().into(),
        slow.status.into(),
        slow.duration_us.into(),
        slow.first_byte_us.into(),
        slow.response_bytes.into(),
        slow.request_id.clone().into(),
        slow.database.as_ref().map(|database| database.commands).into(),
        slow.database.as_ref().map(|database| database.elapsed_us).into(),
    ]
}

const COMMAND_HEAD: [&str; 11] = [
    "command",
    "calls",
    "failed",
    "cancelled",
    "documents",
    "duration_sum_us",
    "mean_us",
    "p50_us",
    "p95_us",
    "p99_us",
    "max_us",
];

fn command_row(row: &CommandRow) -> [Value; 11] {
    let [mean, p50, p95, p99, max] = latencies(row.latency.as_ref());
    [
        row.name.text().into(),
        row.calls.into(),
        row.failed.into(),
        row.cancelled.into(),
        row.documents.into(),
        row.duration_sum_us.into(),
        mean,
        p50,
        p95,
        p99,
        max,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_no_formula_of_a_spreadsheet() {
        let fields = ["=1+1", "@SUM(A1)", "GET /a", ""].map(|text| csv_field(&text.into()));
        assert_eq!(fields, ["'=1+1", "'@SUM(A1)", "GET /a", ""]);
        assert_eq!([Value::Null, (-5).into(), 2.5.into()].map(|value| csv_field(&value)), ["", "-5", "2.5"]);
    }
}
