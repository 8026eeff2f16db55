//! The slowest requests of the window.

use leptos::prelude::*;
use watchboard_wire::{RequestCommands, SlowRequest, Snapshot, format};

use super::{
    cells::{code_class, count_cell, duration_cell, time_cell},
    request::{request_href, stretch},
};
use crate::{
    components::{Cell, Column, Stretch, Table, TableRow, numbers, words},
    figures::Figures,
    live::{figures_memo, use_live},
    selection::{Selection, use_selection},
};

const COLUMNS: &[Column] = &[
    words("Time"),
    words("Endpoint"),
    words("Status"),
    numbers("Until the first byte", "where the body came in parts, or from a proxied application"),
    numbers("Until the last byte", "from arrival"),
    numbers("Sent", "bytes of the body"),
    words("Trace or request id"),
    numbers("Commands", "that it sent to the database"),
    numbers("Database", "the time in which at least one of them was under way"),
    words("From arrival to the last byte"),
];
/// The last columns need the command listener.
const DATABASE_COLUMNS: usize = 3;

/// Whether there is a command listener hardly ever changes while a page is open.
fn columns() -> &'static [Column] {
    let listens = use_live().figures.with_untracked(|figures| figures.snapshot.listens);
    if listens { COLUMNS } else { &COLUMNS[..COLUMNS.len() - DATABASE_COLUMNS] }
}

/// The slowest requests of all endpoints, or of the endpoint on the page.
#[component]
pub(crate) fn SlowestTable(of_endpoint: bool) -> impl IntoView {
    let selection = use_selection();
    let slowest = move |figures: &Figures| match (of_endpoint, &figures.endpoint) {
        (true, Some(endpoint)) => endpoint.slowest.clone(),
        (true, None) => vec![],
        (false, _) => figures.slowest.clone(),
    };
    let rows = figures_memo(move |figures| {
        let snapshot = &figures.snapshot;
        Ok(selection.with(|selection| {
            slowest(figures).iter().map(|request| slow_request_row(request, selection, snapshot)).collect()
        }))
    });
    let foot = figures_memo(move |figures| match slowest(figures).len() {
        0 => "No request in this window.".to_owned(),
        _ => String::new(),
    });
    view! {
        <Table caption="Slowest requests" quiet=true columns=columns() rows />
        <p class="more">{foot}</p>
    }
}

fn slow_request_row(request: &SlowRequest, selection: &Selection, snapshot: &Snapshot) -> TableRow {
    let id = request.request_id.clone().unwrap_or_else(|| "–".to_owned());
    let mut cells = vec![
        time_cell(snapshot, request.at_unix_ms).with_link(request_href(
            selection,
            request.at_unix_ms,
            request.duration_us,
        )),
        Cell::words(request.endpoint.clone()).with_link(selection.to_endpoint(&request.endpoint).href()),
        Cell::words(request.status.to_string()).class(code_class(request.status)),
        first_byte(request),
        duration_cell(Some(request.duration_us)),
        Cell::bytes(request.response_bytes),
        Cell::words(id).class("id"),
    ];
    if snapshot.listens {
        let database = request.database.as_ref();
        cells.push(database.map_or_else(Cell::dash, |database| count_cell(database.commands.into())));
        cells.push(duration_cell(database.map(|database| database.elapsed_us)));
        cells.push(database.map_or_else(Cell::dash, |database| steps(database, request.duration_us)));
    }
    cells
}

fn first_byte(request: &SlowRequest) -> Cell {
    let cell = duration_cell(request.first_byte_us);
    match request.connect_us {
        Some(us) => cell.with_title(format!("{} of it to connect to the application", format::duration_us(us as f64))),
        None => cell,
    }
}

/// The commands as bars on the request's time.
fn steps(database: &RequestCommands, whole_us: u64) -> Cell {
    let stretches: Vec<Stretch> = database.steps.iter().map(|step| stretch(database, step)).collect();
    let listed = stretches.len() as u64;
    let more = u64::from(database.commands).saturating_sub(listed);
    let title = if more > 0 { format!("the first {listed}, and {more} more") } else { String::new() };
    Cell::steps(&stretches, whole_us).with_title(title)
}
