//! The slowest requests of the window.

use leptos::prelude::*;

use super::requests::{code_class, timed};
use crate::{
    components::{Cell, Column, Row, Table, numbers, words},
    figures::Figures,
    format,
    live::of_figures,
    place::{Place, use_place},
    wire::SlowRequest,
};

const COLUMNS: &[Column] = &[
    words("Time"),
    words("Endpoint"),
    words("Status"),
    numbers("Until the first byte", "where the body came in parts"),
    numbers("Until the last byte", "from arrival"),
    numbers("Sent", "bytes of the body"),
    words("Trace or request id"),
];

/// The slowest first: of all endpoints, or of the one that is looked at.
#[component]
pub(crate) fn SlowestTable(of_endpoint: bool) -> impl IntoView {
    let place = use_place();
    let slowest = move |figures: &Figures| match (of_endpoint, &figures.endpoint) {
        (true, Some(endpoint)) => endpoint.slowest.clone(),
        (true, None) => vec![],
        (false, _) => figures.slowest.clone(),
    };
    let rows = of_figures(move |figures| {
        Ok(place.with(|place| slowest(figures).iter().map(|request| row(request, place)).collect()))
    });
    let foot = of_figures(move |figures| match slowest(figures).len() {
        0 => "No request in this window.".to_owned(),
        _ => String::new(),
    });
    view! {
        <Table caption="Slowest requests" quiet=true columns=COLUMNS rows />
        <p class="more">{foot}</p>
    }
}

fn row(request: &SlowRequest, place: &Place) -> Row {
    let id = request.request_id.clone().unwrap_or_else(|| "–".to_owned());
    vec![
        Cell::words(format::clock(request.at_unix_ms)).titled(format::date_time(request.at_unix_ms)),
        Cell::words(request.endpoint.clone()).links(&place.to_endpoint(&request.endpoint)),
        Cell::words(request.status.to_string()).class(code_class(request.status)),
        timed(request.first_byte_us),
        timed(Some(request.duration_us)),
        Cell::number(format::bytes(request.response_bytes as f64), format::exact(request.response_bytes)),
        Cell::words(id).class("id"),
    ]
}
