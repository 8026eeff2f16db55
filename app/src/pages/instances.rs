//! The instances of the fleet, the worst first.

mod figure;
mod map;
mod versions;

use std::ops::Range;

use leptos::prelude::*;
use watchboard_wire::{InstanceList, InstanceRow, InstanceScope, InstanceState, Snapshot, Status, format};

pub(super) use self::figure::InstanceFigure;
use self::{map::InstanceMap, versions::VersionCard};
use super::{cells::duration_cell, show_all::ShowAllLink};
use crate::{
    components::{Card, Cell, Column, FULL_PERCENT, TIGHT_PERCENT, TableRow, TallTable, numbers, words},
    figures::Figures,
    live::{figures_memo, use_live},
    selection::{Selection, View, use_selection},
};

const COLUMNS: &[Column] = &[
    words("Instance"),
    words("State").leads(),
    words("Version"),
    words("Host"),
    numbers("Uptime", "since its monitor was started"),
    numbers("Requests", "a second, in its last minute").leads(),
    numbers("5xx", "server errors of these requests"),
    numbers("p99", "of those that succeeded").leads(),
    numbers("Memory", "resident memory of the application"),
    numbers("Of limit", "memory in use of the container's limit, or of the system's"),
    numbers("CPU", "of one core"),
    words("Database"),
    numbers("Last seen", "by the clock of the fleet's MongoDB"),
    words("Worst finding"),
];

#[component]
pub(crate) fn InstancesPage() -> impl IntoView {
    let selection = use_selection();
    let list =
        figures_memo(|figures| figures.fleet.as_ref().and_then(|fleet| decode_list(&fleet.list)).unwrap_or_default());
    let figures = use_live().figures;
    let rows = move |range: Range<usize>| {
        let rows = |list: &InstanceList, figures: &Figures, selection: &Selection| {
            let now = (&figures.snapshot, list.now_unix_ms);
            list.instances[range].iter().map(|row| table_row(row, now, selection)).collect()
        };
        list.with(|list| selection.with(|selection| figures.with(|figures| rows(list, figures, selection))))
    };
    let count = move || list.with(|list| list.instances.len());
    let all_rows = move || selection.with(|selection| selection.all);
    let foot = move || match count() {
        1 => "One instance.".to_owned(),
        count => format!("{count} instances."),
    };
    let all = move || selection.with(|selection| selection.to_view(View::Overview).to_scope(InstanceScope::All).href());
    view! {
        <div class="cards">
        <Card
            title="Instances"
            note="The worst first: those that are gone, then by status, errors and latency. Figures are of the last minute of each, as it wrote them within the last seconds."
            wide=true
        >
            <p><a href=all>"All of them together"</a></p>
            <TallTable caption="Instances" columns=COLUMNS count all=all_rows rows />
            <p class="more">{foot}<ShowAllLink count /></p>
        </Card>
        <VersionCard list />
        <InstanceMap list />
        </div>
    }
}

/// The list as the server encoded it.
fn decode_list(bytes: &[u8]) -> Option<InstanceList> {
    #[cfg(feature = "hydrate")]
    return crate::decode::from_bytes(bytes);
    #[cfg(not(feature = "hydrate"))]
    postcard::from_bytes(bytes).ok()
}

fn table_row(row: &InstanceRow, (snapshot, now): (&Snapshot, u64), selection: &Selection) -> TableRow {
    let own = snapshot.instance.as_ref() == Some(&row.name);
    let scope = if own { InstanceScope::Own } else { InstanceScope::One(row.name.clone()) };
    let href = selection.to_view(View::Overview).to_scope(scope).href();
    let it = &row.figures;
    // What an instance that has ended last had is not of now.
    let runs = row.state == InstanceState::Running;
    let of_now = |cell: Cell| if runs { cell } else { Cell::dash() };
    let percent = |value: Option<f64>| match value {
        Some(value) => Cell::number(format::percent(value), String::new()),
        None => Cell::dash(),
    };
    let uptime = match row.started_at_unix_ms {
        0 => "–".to_owned(),
        started => format::span(now.saturating_sub(started) / 1000),
    };
    vec![
        Cell::words(row.name.clone()).with_link(href).with_title(row.service.clone()),
        state_cell(row),
        Cell::words(row.version.clone().unwrap_or_else(|| "–".to_owned())),
        Cell::words(row.host.clone()),
        of_now(Cell::number(uptime, snapshot.date_time(row.started_at_unix_ms))),
        of_now(Cell::number(format::per_second(it.requests_per_second), String::new())),
        of_now(match it.error_percent {
            Some(errors) if errors > 0.0 => percent(Some(errors)).class("number bad"),
            errors => percent(errors),
        }),
        of_now(duration_cell(it.p99_us)),
        of_now(
            it.memory_bytes.map_or_else(Cell::dash, |bytes| Cell::number(format::bytes(bytes as f64), String::new())),
        ),
        of_now(full_cell(it.memory_percent)),
        of_now(percent(it.cpu_percent)),
        if runs { database_cell(&it.database) } else { Cell::words("–") },
        seen_cell(row, snapshot),
        Cell::words(it.finding.clone().unwrap_or_default()),
    ]
}

fn state_cell(row: &InstanceRow) -> Cell {
    let (word, class) = match (row.state, row.figures.health) {
        (InstanceState::Gone, _) => ("gone", "bad"),
        (InstanceState::Stopped, _) => ("stopped", ""),
        (InstanceState::Running, Status::Healthy) => ("healthy", ""),
        (InstanceState::Running, Status::Degraded) => ("degraded", "warn"),
        (InstanceState::Running, Status::Unhealthy) => ("unhealthy", "bad"),
    };
    let cell = Cell::words(word);
    if class.is_empty() { cell } else { cell.class(class) }
}

/// How much of the limit is in use, in colour where it is nearly reached.
fn full_cell(percent: Option<f64>) -> Cell {
    let Some(percent) = percent else { return Cell::dash() };
    let cell = Cell::number(format::percent(percent), String::new());
    match percent {
        FULL_PERCENT.. => cell.class("number bad"),
        TIGHT_PERCENT.. => cell.class("number warn"),
        _ => cell,
    }
}

/// `error: refused: …` as its first words, with all of them as title.
fn database_cell(state: &str) -> Cell {
    match state.strip_prefix("error: ") {
        Some(failure) => {
            let kind = failure.split(':').next().unwrap_or(failure).to_owned();
            Cell::words(kind).with_title(failure.to_owned()).class("bad")
        }
        None => Cell::words(state.to_owned()),
    }
}

fn seen_cell(row: &InstanceRow, snapshot: &Snapshot) -> Cell {
    let ago = format!("{} ago", format::span(row.age_ms / 1000));
    Cell::number(ago, snapshot.date_time(row.last_seen_unix_ms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use watchboard_wire::InstanceFigures;

    #[test]
    fn an_instance_that_is_gone_has_no_figures_of_now() {
        let row = |state| InstanceRow {
            name: "web-1".to_owned(),
            state,
            figures: InstanceFigures { requests_per_second: 7.0, ..InstanceFigures::default() },
            ..InstanceRow::default()
        };
        let snapshot = Snapshot::default();
        let cells = |state| table_row(&row(state), (&snapshot, 0), &Selection::default());
        assert_eq!(cells(InstanceState::Gone)[5], Cell::dash());
        assert_ne!(cells(InstanceState::Running)[5], Cell::dash());
        assert_eq!(cells(InstanceState::Gone).len(), COLUMNS.len());
    }
}
