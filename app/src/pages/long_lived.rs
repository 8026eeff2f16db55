//! WebSockets, other upgraded connections and streams since the start.

use std::cmp::Reverse;

use leptos::prelude::*;
use watchboard_wire::{
    ClosedBy, Closes, LongLivedKind, LongLivedRow, LongLivedTotals, MAX_LONG_LIVED_ROWS, close_code_name, format,
};

use super::cells::{count_cell, duration_cell};
use crate::{
    components::{Card, Cell, Column, Table, TableRow, numbers, words},
    live::figures_memo,
    selection::{Selection, use_selection},
};

/// The ways to close that a cell shows. There can be over a hundred.
const MAX_CLOSES: usize = 5;

const COLUMNS: &[Column] = &[
    words("Endpoint"),
    words("Kind"),
    numbers("Open", "now"),
    numbers("Opened", "since the start"),
    numbers("Mean", "duration of those that ended"),
    numbers("Longest", "duration of those that ended"),
    numbers("In", "bytes from clients"),
    numbers("Out", "bytes to clients"),
    numbers("Messages in", "from clients, without control frames"),
    numbers("Messages out", "to clients, without control frames"),
    words("Closed"),
];

/// The card with the table; nothing if none was opened.
#[component]
pub(super) fn LongLivedCard() -> impl IntoView {
    let is_empty = figures_memo(|figures| figures.long_lived.is_empty());
    move || {
        (!is_empty.get()).then(|| {
            view! {
                <Card title="WebSockets and streams" note="Since the start; durations are of those that ended. They are not among the requests in flight." wide=true>
                    <LongLivedTable />
                </Card>
            }
        })
    }
}

#[component]
fn LongLivedTable() -> impl IntoView {
    let selection = use_selection();
    let rows = figures_memo(move |figures| {
        Ok(selection.with(|selection| figures.long_lived.iter().map(|row| table_row(row, selection)).collect()))
    });
    let foot = figures_memo(|figures| match figures.long_lived.len() {
        MAX_LONG_LIVED_ROWS => format!("The {MAX_LONG_LIVED_ROWS} rows with the most open; there may be more."),
        _ => String::new(),
    });
    view! {
        <Table caption="WebSockets and streams" quiet=true columns=COLUMNS rows />
        <p class="more">{foot}</p>
    }
}

fn table_row(LongLivedRow { endpoint, totals }: &LongLivedRow, selection: &Selection) -> TableRow {
    let kind = totals.kind;
    // What cannot be seen is unknown, and not zero.
    let known = |is_known: bool, cell: Cell| if is_known { cell } else { Cell::dash() };
    let observed = totals.is_observed();
    let has_messages = observed && kind == LongLivedKind::WebSocket;
    let messages = |count: u64| known(has_messages, count_cell(count).with_title(messages_title(count, totals)));
    vec![
        Cell::words(endpoint.clone()).with_link(selection.to_endpoint(endpoint).href()),
        Cell::words(kind.word()),
        known(observed, count_cell(totals.open)),
        count_cell(totals.opened).with_title(opened_title(totals)),
        duration_cell(totals.duration_mean_us()),
        duration_cell((totals.ends() > 0).then_some(totals.duration_max_us)),
        known(observed && kind != LongLivedKind::Stream, Cell::bytes(totals.received_bytes)),
        known(observed, Cell::bytes(totals.sent_bytes)),
        messages(totals.received_messages),
        messages(totals.sent_messages),
        closes_cell(totals),
    ]
}

fn opened_title(totals: &LongLivedTotals) -> String {
    match totals.unobserved {
        0 => format::exact(totals.opened),
        unobserved => format!("of {} nothing but the opening can be seen", format::exact(unobserved)),
    }
}

fn messages_title(count: u64, totals: &LongLivedTotals) -> String {
    match totals.unparsed {
        0 => format::exact(count),
        unparsed => format!(
            "{}, and those of {} connections whose frames could not be read",
            format::exact(count),
            format::exact(unparsed)
        ),
    }
}

/// How they closed, with the most frequent way first: `3 by client: 1000 normal`. The title has the ways past the bound.
fn closes_cell(totals: &LongLivedTotals) -> Cell {
    if !totals.is_observed() {
        return Cell::words("unknown: the application handles them itself");
    }
    let way = |Closes { code, by, count }: &Closes| {
        let by = by.map_or("unknown", ClosedBy::word);
        let code = match code {
            Some(code) => format!(": {code} {}", close_code_name(*code)),
            None if totals.kind == LongLivedKind::WebSocket => ": code unknown".to_owned(),
            None => String::new(),
        };
        format!("{} by {by}{code}", format::count(*count as f64))
    };
    let mut closes: Vec<&Closes> = totals.closes.iter().collect();
    closes.sort_by_key(|closes| Reverse(closes.count));
    let mut ways: Vec<String> = closes.into_iter().map(way).collect();
    let others = ways.split_off(ways.len().min(MAX_CLOSES));
    if ways.is_empty() {
        return Cell::words("–");
    }
    let more = match others.len() {
        0 => String::new(),
        1 => ", and 1 other".to_owned(),
        count => format!(", and {count} others"),
    };
    Cell::words(ways.join(", ") + &more).with_title(others.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cell of so many ends by each code from 4000 on.
    fn cell(counts: &[u64]) -> Cell {
        let closes =
            |(code, count): (u16, &u64)| Closes { code: Some(code), by: Some(ClosedBy::Client), count: *count };
        let closes = (4000..).zip(counts).map(closes).collect();
        closes_cell(&LongLivedTotals { opened: 1000, closes, ..LongLivedTotals::new(LongLivedKind::WebSocket) })
    }

    fn ways(ways: &[(u64, u16)]) -> String {
        let way = |(count, code): &(u64, u16)| format!("{count} by client: {code} of the application");
        ways.iter().map(way).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn the_most_frequent_ways_to_close_are_shown_and_the_others_are_in_the_title() {
        assert_eq!(cell(&[]), Cell::words("–"));
        assert_eq!(cell(&[1, 2]), Cell::words(ways(&[(2, 4001), (1, 4000)])));
        let shown = ways(&[(9, 4005), (7, 4000), (6, 4001), (5, 4002), (4, 4003)]);
        let one_other = Cell::words(format!("{shown}, and 1 other")).with_title(ways(&[(3, 4004)]));
        assert_eq!(cell(&[7, 6, 5, 4, 3, 9]), one_other);
        let two_others = Cell::words(format!("{shown}, and 2 others")).with_title(ways(&[(3, 4004), (2, 4006)]));
        assert_eq!(cell(&[7, 6, 5, 4, 3, 9, 2]), two_others);
    }
}
