//! `/export`: what a view shows, as CSV or JSON, or all views in a file of HTML. Its query is that of the page, with `format` and `table`.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Json,
    extract::{Query, State},
    http::{StatusCode, Uri, header},
    response::{Html, IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use watchboard_app::{page_request::PageRequest, port::Telemetry, report::report_queries, shell::refresh_query};
use watchboard_wire::{
    Columns, CommandRow, EndpointName, EndpointRow, ErrorCause, Latency, Part, RefreshQuery, RefreshResponse,
    SlowRequest, Snapshot, Timeline, format,
};

use super::{answer::answer, assets, error_json::error_json};

const USAGE: &str = "format is csv, json or html, table one of timeline, endpoints, errors, slowest and commands: \
                     /export?view=requests&window=1h&format=csv&table=endpoints";

const NO_SPAN: &str = "from and to are Unix seconds or times as 2026-11-23T12:03 in UTC, from before to: \
                       /export?view=requests&from=2026-11-23T12:03&to=2026-11-23T12:33";

/// One table. All rows are as long as the head.
struct ExportTable {
    name: &'static str,
    head: Vec<String>,
    rows: Vec<Vec<Value>>,
}

/// A column: its name, and its value in a row.
type ExportColumn<R> = (&'static str, fn(&Snapshot, &R) -> Value);

impl ExportTable {
    fn new<'a, R: 'a>(
        name: &'static str,
        columns: &[ExportColumn<R>],
        snapshot: &Snapshot,
        rows: impl IntoIterator<Item = &'a R>,
    ) -> Self {
        let row = |row: &R| columns.iter().map(|(_, value)| value(snapshot, row)).collect();
        let head = columns.iter().map(|(title, _)| (*title).to_owned()).collect();
        Self { name, head, rows: rows.into_iter().map(row).collect() }
    }
}

/// 400 for a query that cannot be read, 404 for a table that the view does not have, or a span of which the history has nothing.
pub(super) async fn export(State(telemetry): State<Arc<dyn Telemetry>>, uri: Uri) -> Response {
    let Ok(Query(values)) = Query::<HashMap<String, String>>::try_from_uri(&uri) else {
        return error_json(StatusCode::BAD_REQUEST, USAGE);
    };
    let value = |name: &str| values.get(name).map(String::as_str);
    let mut query = refresh_query(uri.query().unwrap_or_default());
    if query.span.is_none() && (value("from").is_some() || value("to").is_some()) {
        return error_json(StatusCode::BAD_REQUEST, NO_SPAN);
    }
    if value("format") == Some("html") {
        return report(telemetry, uri.query().unwrap_or_default()).await;
    }
    let usual = if query.part == Part::Requests { "endpoints" } else { "timeline" };
    // The overview and the view of memory have some of the endpoints alone.
    if matches!(query.part, Part::Overview | Part::Memory) {
        query.part = Part::Requests;
    }
    let answer = match answer(&*telemetry, query).await {
        Ok(answer) => answer,
        Err(refused) => return refused,
    };
    let tables = tables(&answer);
    let wanted = |name: &str| tables.iter().find(|table| table.name == name);
    match (value("format").unwrap_or("csv"), value("table")) {
        ("csv", name) => match wanted(name.unwrap_or(usual)) {
            Some(table) => csv_response(table),
            None => error_json(StatusCode::NOT_FOUND, USAGE),
        },
        ("json", None) => json_response(&answer, tables.iter().collect()),
        ("json", Some(name)) => match wanted(name) {
            Some(table) => json_response(&answer, vec![table]),
            None => error_json(StatusCode::NOT_FOUND, USAGE),
        },
        _ => error_json(StatusCode::BAD_REQUEST, USAGE),
    }
}

/// The second at which the figures end, as a part of a file's name.
fn end_for_name(answer: &RefreshResponse) -> String {
    let end = answer.span.map_or(answer.snapshot.taken_at_unix_ms, |(_, to)| to * 1000);
    format::date_time(end, "").trim_end().replace(' ', "T").replace(':', "")
}

/// All views of the span, in one file.
async fn report(telemetry: Arc<dyn Telemetry>, query: &str) -> Response {
    let requests = RefreshQuery { part: Part::Requests, ..refresh_query(query) };
    let requests = match answer(&*telemetry, requests).await {
        Ok(answer) => answer,
        Err(refused) => return refused,
    };
    let mut pages = vec![];
    for query in report_queries(query, &requests) {
        let asked = refresh_query(&query);
        let first = if asked.part == Part::Requests {
            Ok(requests.clone())
        } else {
            telemetry.refresh_with_earlier(asked, None).await
        };
        pages.push(PageRequest { first, query, ..PageRequest::default() });
    }
    let drawn = tokio::task::spawn_blocking(|| watchboard_app::report::report(pages, assets::style_sheet()));
    match drawn.await {
        Ok(html) => {
            let name = format!("attachment; filename=\"watchboard-{}.html\"", end_for_name(&requests));
            ([(header::CONTENT_DISPOSITION, name)], Html(html)).into_response()
        }
        Err(failed) => error_json(StatusCode::INTERNAL_SERVER_ERROR, &failed.to_string()),
    }
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
        tables.push(ExportTable::new("commands", COMMANDS, snapshot, commands));
    } else {
        tables.push(ExportTable::new("endpoints", ENDPOINTS, snapshot, rows));
        tables.push(ExportTable::new("errors", CAUSES, snapshot, causes));
        tables.push(ExportTable::new("slowest", SLOWEST, snapshot, slowest));
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

fn succeeded_us(row: &EndpointRow, read: fn(&Latency) -> u64) -> Value {
    row.latency.succeeded.as_ref().map(read).into()
}

const ENDPOINTS: &[ExportColumn<EndpointRow>] = &[
    ("endpoint", |_, row| row.name.as_ref().map(EndpointName::text).into()),
    ("requests", |_, row| row.requests.into()),
    ("server_errors", |_, row| row.server_errors.into()),
    ("client_errors", |_, row| row.client_errors.into()),
    ("dropped", |_, row| row.dropped.into()),
    ("duration_sum_us", |_, row| row.duration_sum_us.into()),
    ("mean_us", |_, row| succeeded_us(row, |latency| latency.mean_us)),
    ("p50_us", |_, row| succeeded_us(row, |latency| latency.p50_us)),
    ("p95_us", |_, row| succeeded_us(row, |latency| latency.p95_us)),
    ("p99_us", |_, row| succeeded_us(row, |latency| latency.p99_us)),
    ("max_us", |_, row| succeeded_us(row, |latency| latency.max_us)),
    ("objective_us", |_, row| row.name.as_ref().map(|name| name.objective_us).into()),
    ("in_time_percent", |_, row| rounded(&row.within_percent().into())),
    ("response_bytes", |_, row| row.response_bytes.into()),
    ("allocated_bytes", |_, row| row.memory.map(|memory| memory.allocated_bytes).into()),
    ("database_commands", |_, row| row.database.map(|database| database.commands).into()),
    ("database_us", |_, row| row.database.map(|database| database.elapsed_us).into()),
];

const CAUSES: &[ExportColumn<ErrorCause>] = &[
    ("endpoint", |_, cause| cause.endpoint.clone().into()),
    ("status", |_, cause| cause.status.into()),
    ("kind", |_, cause| cause.kind.word().into()),
    ("message", |_, cause| cause.message.clone().into()),
    ("errors", |_, cause| cause.points.iter().map(|(_, count)| u64::from(*count)).sum::<u64>().into()),
    ("first_seen", |snapshot, cause| snapshot.date_time(cause.first_at_unix_ms).into()),
    ("last_seen", |snapshot, cause| snapshot.date_time(cause.last_at_unix_ms).into()),
    ("last_request_id", |_, cause| cause.samples.first().and_then(|sample| sample.request_id.clone()).into()),
];

const SLOWEST: &[ExportColumn<SlowRequest>] = &[
    ("ended", |snapshot, slow| snapshot.date_time(slow.at_unix_ms).into()),
    ("endpoint", |_, slow| slow.endpoint.clone().into()),
    ("status", |_, slow| slow.status.into()),
    ("duration_us", |_, slow| slow.duration_us.into()),
    ("first_byte_us", |_, slow| slow.first_byte_us.into()),
    ("response_bytes", |_, slow| slow.response_bytes.into()),
    ("request_id", |_, slow| slow.request_id.clone().into()),
    ("database_commands", |_, slow| slow.database.as_ref().map(|database| database.commands).into()),
    ("database_us", |_, slow| slow.database.as_ref().map(|database| database.elapsed_us).into()),
];

fn answered_us(row: &CommandRow, read: fn(&Latency) -> u64) -> Value {
    row.latency.as_ref().map(read).into()
}

const COMMANDS: &[ExportColumn<CommandRow>] = &[
    ("command", |_, row| row.name.text().into()),
    ("calls", |_, row| row.calls.into()),
    ("failed", |_, row| row.failed.into()),
    ("cancelled", |_, row| row.cancelled.into()),
    ("documents", |_, row| row.documents.into()),
    ("duration_sum_us", |_, row| row.duration_sum_us.into()),
    ("mean_us", |_, row| answered_us(row, |latency| latency.mean_us)),
    ("p50_us", |_, row| answered_us(row, |latency| latency.p50_us)),
    ("p95_us", |_, row| answered_us(row, |latency| latency.p95_us)),
    ("p99_us", |_, row| answered_us(row, |latency| latency.p99_us)),
    ("max_us", |_, row| answered_us(row, |latency| latency.max_us)),
];

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
