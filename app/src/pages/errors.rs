//! The errors of the window, by cause.

use leptos::prelude::*;
use watchboard_wire::{ErrorCause, ErrorKind, ErrorSample, Part, format};

use super::{
    cells::{code_class, count_cell, time_cell},
    request::request_href,
};
use crate::{
    components::{Cell, Column, Table, TableRow, numbers, words},
    figures::Figures,
    live::figures_memo,
    order::{SortKey, sort_keys},
    selection::{Selection, use_selection},
};

const COLUMNS: &[Column] = &[
    words("Status"),
    words("Kind"),
    words("Endpoint"),
    words("Message"),
    numbers("Count", "in the window"),
    words("Over time"),
    numbers("Last seen", ""),
    numbers("First seen", "in the history"),
    words("Last request"),
    numbers("After", "from arrival to the end, of the last"),
];

/// Causes with errors in the window, those of the server first; at most `most`. An endpoint's page shows its own causes
/// only.
#[component]
pub(crate) fn CauseTable(most: usize) -> impl IntoView {
    let selection = use_selection();
    let rows = figures_memo(move |figures| {
        let causes = causes_in_window(figures);
        Ok(selection.with(|selection| {
            causes.iter().take(most).map(|(cause, count)| cause_row(figures, cause, *count, selection)).collect()
        }))
    });
    let foot = figures_memo(move |figures| {
        let causes = causes_in_window(figures);
        let mut foot = match causes.len() {
            0 => "No errors in this window.".to_owned(),
            1 => "1 cause in this window.".to_owned(),
            all if all > most => format!("{most} of {all} causes in this window; the requests view has all."),
            all => format!("{all} causes in this window."),
        };
        if figures.uncounted_errors > 0 && figures.endpoint.is_none() {
            let uncounted = format::exact(figures.uncounted_errors);
            let of = if figures.is_past() { "of this span" } else { "since the start" };
            foot = format!(
                "{foot} {uncounted} errors {of} are in none of them: more came at once, or of more causes, than are kept."
            );
        }
        foot
    });
    view! {
        <Table caption="Errors by cause" quiet=true columns=COLUMNS rows />
        <p class="more">{foot}</p>
    }
}

/// An error is of late if it is at most so old.
const LATELY_SECONDS: u64 = 60;

/// Causes with their errors in the window, the worst first.
pub(super) fn causes_in_window(figures: &Figures) -> Vec<(&ErrorCause, u64)> {
    let first = figures.first_point();
    let own = match (&figures.query.part, &figures.endpoint) {
        (Part::Endpoint(_), None) => return vec![],
        (_, endpoint) => endpoint.as_ref().map(|endpoint| endpoint.row.id),
    };
    let count = |cause: &ErrorCause| {
        cause.points.iter().filter(|(point, _)| *point >= first).map(|(_, count)| u64::from(*count)).sum::<u64>()
    };
    let causes = figures.causes.iter().filter(|cause| own.is_none_or(|own| own == cause.endpoint_id));
    let causes: Vec<_> = causes.map(|cause| (cause, count(cause))).filter(|(_, count)| *count > 0).collect();
    // What the server fails in now comes before what it failed in, and that before what clients did.
    let lately = figures.newest_tick().saturating_sub(LATELY_SECONDS) * 1000;
    let key = |(index, (cause, count)): (usize, &(&ErrorCause, u64))| {
        let rank = match is_server_side(cause.kind) {
            true if cause.last_at_unix_ms >= lately => 2e15,
            true => 1e15,
            false => 0.0,
        };
        let number = *count as f64 + rank;
        SortKey { number, text: String::new(), index }
    };
    sort_keys(causes.iter().enumerate().map(key).collect(), false).map(|at| causes[at]).collect()
}

fn is_server_side(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Server | ErrorKind::Panic)
}

fn cause_row(figures: &Figures, cause: &ErrorCause, count: u64, selection: &Selection) -> TableRow {
    let message = cause.message.clone().unwrap_or_else(|| "–".to_owned());
    let seen = |at: u64| {
        let ago = figures.snapshot.taken_at_unix_ms.saturating_sub(at) / 1000;
        Cell::number(format!("{} ago", format::span(ago)), figures.snapshot.date_time(at))
    };
    let last = cause.samples.first();
    let id = last.and_then(|sample| sample.request_id.clone()).unwrap_or_else(|| "without an id".to_owned());
    let open = last.map(|sample| request_href(selection, sample.at_unix_ms, sample.duration_us));
    let id = Cell::words(id).class("id");
    let after = last.map_or_else(|| "–".to_owned(), |sample| format::duration_us(sample.duration_us as f64));
    let window = figures.window();
    let mut line = vec![0.0; figures.span().points];
    let newest = figures.newest_tick() / window.step_seconds();
    for (point, count) in &cause.points {
        let ago = newest.checked_sub(*point).and_then(|ago| (line.len() - 1).checked_sub(ago as usize));
        if let Some(index) = ago {
            line[index] += f64::from(*count);
        }
    }
    // Single errors would be too thin to see.
    let wide: Vec<f64> =
        line.chunks(window.points_per_line_point() as usize).map(|counts| counts.iter().sum()).collect();
    vec![
        Cell::words(cause.status.to_string()).class(code_class(cause.status)),
        Cell::words(cause.kind.word()),
        Cell::words(cause.endpoint.clone()).with_link(selection.to_endpoint(&cause.endpoint).href()),
        Cell::words(message.clone()).with_title(message).class("message"),
        count_cell(count).with_title(format!("{} since the start", format::exact(cause.total))),
        Cell::line(&wide, if is_server_side(cause.kind) { "hue-server" } else { "hue-client" }),
        seen(cause.last_at_unix_ms),
        seen(cause.first_at_unix_ms),
        open.into_iter().fold(id, Cell::with_link),
        Cell::number(after, String::new()),
    ]
}

const SAMPLE_COLUMNS: &[Column] = &[
    words("Time"),
    words("Status"),
    words("Kind"),
    words("Message"),
    words("Trace or request id"),
    numbers("After", "from arrival to the end"),
];

/// The last failed requests of each cause in the window, newest first.
#[component]
pub(crate) fn SampleTable() -> impl IntoView {
    let selection = use_selection();
    let rows = figures_memo(move |figures| {
        let causes = causes_in_window(figures);
        let samples: Vec<_> =
            causes.iter().flat_map(|(cause, _)| cause.samples.iter().map(move |sample| (*cause, sample))).collect();
        let key = |(index, (_, sample)): (usize, &(&ErrorCause, &ErrorSample))| SortKey {
            number: sample.at_unix_ms as f64,
            text: String::new(),
            index,
        };
        let newest_first = sort_keys(samples.iter().enumerate().map(key).collect(), false);
        let row = |at: usize| {
            let (cause, sample) = samples[at];
            let message = sample.message.clone().unwrap_or_else(|| "–".to_owned());
            let open = selection.with(|selection| request_href(selection, sample.at_unix_ms, sample.duration_us));
            vec![
                time_cell(&figures.snapshot, sample.at_unix_ms).with_link(open),
                Cell::words(cause.status.to_string()).class(code_class(cause.status)),
                Cell::words(cause.kind.word()),
                Cell::words(message.clone()).with_title(message).class("message"),
                Cell::words(sample.request_id.clone().unwrap_or_else(|| "–".to_owned())).class("id"),
                Cell::number(format::duration_us(sample.duration_us as f64), String::new()),
            ]
        };
        Ok(newest_first.map(row).collect())
    });
    view! { <Table caption="Last errors" columns=SAMPLE_COLUMNS rows /> }
}
