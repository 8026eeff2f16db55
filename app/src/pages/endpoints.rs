//! The endpoints of the window, as a table that can be sorted by each column and filtered.

pub(super) mod busiest;
mod changes;
mod columns;
mod filter;
mod tools;

use std::{ops::Range, sync::Arc};

use leptos::prelude::*;
use watchboard_wire::{
    EndpointName, EndpointRow, NameSource, Part, RequestDatabase, RequestMemory, WindowTotals, format,
};

use self::{
    changes::change_cells,
    columns::columns,
    filter::Filter,
    tools::{ColumnSets, FilterField, OrderField},
};
use super::{
    cells::{count_cell, flagged_count_cell, latency_cell, rate, share},
    show_all::ShowAllLink,
};
use crate::{
    components::{Cell, Column, SortHead, Sorting, Table, TableRow, TallTable, numbers, words},
    figures::Figures,
    live::{figures_memo, use_live},
    order::{SortKey, sort_keys},
    selection::{ColumnSet, Selection, Sort, use_selection},
};

/// The heads of columns, which sort by way of the URL.
fn sorting() -> Sorting {
    let selection = use_selection();
    Arc::new(move |word| {
        selection.with(|selection| SortHead {
            href: selection.to_sort(Sort::from_word(word)).href(),
            order: (selection.sort.word() == word).then_some(if selection.ascending {
                "ascending"
            } else {
                "descending"
            }),
        })
    })
}

/// Why there is no endpoint, and where requests have to go.
pub(super) fn no_request(figures: &Figures) -> String {
    let (proxy_url, requests) = (&figures.snapshot.proxy_url, &figures.snapshot.requests);
    let where_to = match proxy_url {
        Some(url) => {
            format!(
                "Requests count when they pass through Watchboard: send them to {url}, not to the application's address."
            )
        }
        None if requests.capacities.is_empty() => {
            "Requests count when they pass through the monitor's layer.".to_owned()
        }
        None => {
            "Requests count when this process handles them, or passes them on to an application that --upstream names."
                .to_owned()
        }
    };
    format!("No request in this window. {where_to}")
}

/// Every endpoint that matches the filter, in the order of the URL.
#[component]
pub(crate) fn EndpointTable() -> impl IntoView {
    let (selection, figures) = (use_selection(), use_live().figures);
    let sorted =
        Memo::new(move |_| selection.with(|selection| figures.with(|figures| filter_and_sort(figures, selection))));
    let rows = move |range: Range<usize>| {
        let rows = |ids: &Vec<usize>| -> Vec<TableRow> {
            selection.with(|selection| {
                figures.with(|figures| {
                    ids[range].iter().map(|id| endpoint_row(figures, *id, selection, selection.columns)).collect()
                })
            })
        };
        sorted.with(rows)
    };
    let table_order = use_live().table_order;
    Effect::new(move |_| {
        figures.with(|figures| {
            let name = |id: &usize| figures.endpoints[*id].name.as_ref().map(EndpointName::text);
            // Those of the next view may be here already.
            if figures.query.part == Part::Requests {
                table_order.set_value(sorted.with(|ids| ids.iter().filter_map(name).collect()));
            }
        });
    });
    let set = Memo::new(move |_| selection.with(|selection| selection.columns));
    let count = move || sorted.with(Vec::len);
    let all = move || selection.with(|selection| selection.all);
    let foot = figures_memo(move |figures| {
        match (figures.endpoints.iter().filter(|row| is_in_window(row)).count(), count()) {
            (0, _) => no_request(figures),
            (there, 0) => format!("None of the window's {there} endpoints fits the filter."),
            (there, shown) if shown < there => format!("{shown} of the window's {there} endpoints."),
            (there, _) => format!("{there} endpoints in this window."),
        }
    });
    let complaint =
        Memo::new(move |_| selection.with(|selection| Filter::new(&selection.filter).complaint()).unwrap_or_default());
    view! {
        <div class="tools">
            <FilterField />
            <ColumnSets />
            <OrderField />
        </div>
        <p class="complaint" role="status">{complaint}</p>
        {move || view! { <TallTable caption="Endpoints" columns=columns(set.get()) sorting=sorting() count all rows /> }}
        <p class="more">
            {foot}
            <ShowAllLink count />
        </p>
    }
}

/// Whether an endpoint is in the window. The page keeps the names of the others.
fn is_in_window(row: &EndpointRow) -> bool {
    row.requests + row.in_flight + row.open > 0
}

/// The indices of the endpoints that match the filter, in the order of the URL.
pub(super) fn filter_and_sort(figures: &Figures, selection: &Selection) -> Vec<usize> {
    let filter = Filter::new(&selection.filter);
    let key = |(index, row): (usize, &EndpointRow)| {
        let text = row.name.as_ref().map(EndpointName::text).unwrap_or_default();
        SortKey { number: selection.sort.key(row), text, index }
    };
    let there = figures.endpoints.iter().enumerate().filter(|(_, row)| is_in_window(row)).map(key);
    let keys = there.filter(|key| filter.fits(&key.text, &figures.endpoints[key.index])).collect();
    let mut sorted: Vec<usize> = sort_keys(keys, selection.ascending).collect();
    if selection.sort == Sort::Endpoint && !selection.ascending {
        sorted.reverse();
    }
    sorted
}

/// The cells of the columns of a set.
fn endpoint_row(figures: &Figures, at: usize, selection: &Selection, set: ColumnSet) -> TableRow {
    let wanted = columns(set);
    let shown = |(column, cell): (&Column, Cell)| wanted.iter().any(|it| it.title == column.title).then_some(cell);
    let all = columns(ColumnSet::All).iter().zip(all_cells(figures, at, selection));
    if set != ColumnSet::Change {
        return all.filter_map(shown).collect();
    }
    // Each change stands behind its figure.
    let changes = change_cells(figures, &figures.endpoints[at]);
    let with_change = |(column, cell): (&Column, Cell)| {
        let change = changes.iter().find(|(title, _)| *title == column.title).map(|(_, cell)| cell.clone());
        shown((column, cell)).into_iter().chain(change)
    };
    all.flat_map(with_change).collect()
}

/// The time that the requests of an endpoint took, as a share of all.
pub(super) fn load_cell(row: &EndpointRow, totals: &WindowTotals) -> Cell {
    let percent = 100.0 * row.duration_sum_us as f64 / totals.duration_sum_us.max(1) as f64;
    let text = share(row.duration_sum_us, totals.duration_sum_us);
    let title = format!("{}, {text} of all", format::duration_us(row.duration_sum_us as f64));
    Cell::bar(text, percent, title)
}

/// The requests that succeeded within the endpoint's objective.
pub(super) fn within_cell(row: &EndpointRow, name: &EndpointName) -> Cell {
    let title = format!(
        "{} of {} succeeded within {}",
        format::exact(row.within_objective),
        format::exact(row.judged),
        format::duration_us(name.objective_us as f64)
    );
    match row.within_percent() {
        // The health check expects 99 %.
        Some(percent) if percent < 99.0 => Cell::number(format::percent(percent), title).class("number warn"),
        Some(percent) => Cell::number(format::percent(percent), title),
        None => Cell::number("–".to_owned(), title),
    }
}

fn all_cells(figures: &Figures, at: usize, selection: &Selection) -> TableRow {
    let endpoint = &figures.endpoints[at];
    let name = endpoint.name.clone().unwrap_or_default();
    let totals = &figures.totals;
    let latency = |read| latency_cell(&endpoint.latency, read);
    let rate = rate(endpoint.requests, totals.seconds);
    let mut cells = vec![
        endpoint_name_cell(&name).with_link(selection.to_endpoint(&name.text()).href()),
        load_cell(endpoint, totals),
        Cell::line(&requests_over_time(figures, endpoint), "hue-rate"),
        count_cell(endpoint.requests),
        Cell::number(format::per_second(rate), String::new()),
        Cell::number(share(endpoint.requests, totals.requests), String::new()),
        flagged_count_cell(endpoint.server_errors, "number bad"),
        flagged_count_cell(endpoint.client_errors, "number warn"),
        latency(|latency| latency.mean_us),
        latency(|latency| latency.p50_us),
        latency(|latency| latency.p95_us),
        latency(|latency| latency.p99_us),
        latency(|latency| latency.max_us),
        within_cell(endpoint, &name),
        Cell::bytes(endpoint.response_bytes),
        count_cell(endpoint.in_flight),
    ];
    if figures.snapshot.listens {
        let mean = |database: RequestDatabase| database.commands as f64 / endpoint.requests.max(1) as f64;
        cells.push(endpoint.database.map_or_else(Cell::dash, |database| {
            Cell::number(format::count(mean(database)), format!("{} in all", format::exact(database.commands)))
        }));
        cells.push(endpoint.database.map_or_else(Cell::dash, |database| {
            let all = share(database.elapsed_us, endpoint.duration_sum_us);
            Cell::number(
                format::duration_us(database.elapsed_us as f64 / endpoint.requests.max(1) as f64),
                format!("{all} of the time that its requests took"),
            )
        }));
    }
    if figures.snapshot.memory.heap.is_some() {
        let all = totals.memory.map_or(0, |all| all.allocated_bytes);
        let total = |memory: RequestMemory| format!("{} of all", share(memory.allocated_bytes, all));
        cells.push(allocation_cell(endpoint.memory, |memory| memory.allocated_bytes, total));
        cells.push(allocation_cell(endpoint.memory, RequestMemory::mean_bytes, allocation_text));
        cells.push(allocation_cell(
            endpoint.memory,
            |memory| memory.max_bytes,
            |memory| format::exact(memory.max_bytes),
        ));
    }
    cells
}

/// An endpoint's name, with the source of the name as title.
pub(super) fn endpoint_name_cell(name: &EndpointName) -> Cell {
    let cell = Cell::words(name.text());
    match name.named_by.words() {
        Some(rule) => cell
            .class(if name.named_by == NameSource::Inferred { "inferred" } else { "" })
            .with_title(format!("named by {rule}")),
        None => cell,
    }
}

/// A size of allocations; a dash without any.
fn allocation_cell(
    memory: Option<RequestMemory>,
    read: impl Fn(&RequestMemory) -> u64,
    title: impl Fn(RequestMemory) -> String,
) -> Cell {
    match memory {
        Some(memory) => Cell::number(format::bytes(read(&memory) as f64), title(memory)),
        None => Cell::dash(),
    }
}

/// The percentiles of the allocations of a request, and its calls of the allocator.
fn allocation_text(memory: RequestMemory) -> String {
    let [p50, p99] = [memory.p50_bytes, memory.p99_bytes].map(|bytes| format::bytes(bytes as f64));
    format!("p50 {p50}, p99 {p99}, in {} allocations", format::count(memory.allocations_each()))
}

const ALLOCATING: &[Column] = &[
    words("Endpoint"),
    numbers("Allocated", "by all requests of the window together"),
    numbers("Share", "of what all requests allocated"),
    numbers("A request", "the mean"),
    numbers("p50", "half allocated at most this"),
    numbers("p99", "99 of 100 allocated at most this"),
    numbers("Largest", "what one request allocated at most"),
    numbers("Allocations", "calls of the allocator a request"),
    numbers("Not freed", "a request, when its response had ended: allocated, less freed, less its body"),
    numbers("Requests", "that ended"),
];

/// The endpoints that allocate the most.
#[component]
pub(crate) fn AllocatingTable() -> impl IntoView {
    let selection = use_selection();
    let rows = figures_memo(move |figures| {
        let all = figures.totals.memory.map_or(0, |all| all.allocated_bytes);
        let allocating = Selection { sort: Sort::Allocated, ..Selection::default() };
        let row = |at: usize| {
            let endpoint = &figures.endpoints[at];
            let name = endpoint.name.as_ref().map(EndpointName::text).unwrap_or_default();
            // `None` before the first of its requests has ended.
            let memory = endpoint.memory?;
            Some(vec![
                Cell::words(name.clone()).with_link(selection.with(|selection| selection.to_endpoint(&name).href())),
                Cell::bytes(memory.allocated_bytes),
                Cell::number(share(memory.allocated_bytes, all), String::new()),
                Cell::bytes(memory.mean_bytes()),
                Cell::bytes(memory.p50_bytes),
                Cell::bytes(memory.p99_bytes),
                Cell::bytes(memory.max_bytes),
                Cell::number(format::count(memory.allocations_each()), String::new()),
                Cell::bytes(memory.kept_bytes(endpoint.response_bytes) / memory.requests.max(1)),
                count_cell(memory.requests),
            ])
        };
        Ok(filter_and_sort(figures, &allocating).into_iter().filter_map(row).collect())
    });
    view! { <Table caption="Endpoints by allocation" quiet=true columns=ALLOCATING rows /> }
}

/// An endpoint's requests over the whole window, with zero for the points that its line lacks. What the last point still lacks is taken
/// from the one before, so that steady traffic is a level line.
pub(super) fn requests_over_time(figures: &Figures, row: &EndpointRow) -> Vec<f64> {
    let window = figures.window();
    let points = figures.span().line_points() as u64;
    let now = figures.newest_tick() / window.line_step_seconds();
    let value = |index: u64| {
        // Points are counted back from now; the line ends at its own last point.
        let back = (points - 1 - index).checked_sub(now.saturating_sub(row.line_last));
        let index = back.and_then(|back| row.line.len().checked_sub(1 + back as usize));
        index.map_or(0.0, |index| row.line[index] as f64)
    };
    let mut values: Vec<_> = (0..points).map(value).collect();
    let step = window.line_step_seconds();
    let lacks = 1.0 - (figures.newest_tick() % step + 1) as f64 / step as f64;
    if let [.., before, last] = &mut values[..] {
        *last += lacks * *before;
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use watchboard_wire::{RefreshQuery, RefreshResponse, Window};

    fn names(sort: Sort, ascending: bool, filter: &str) -> String {
        let row = |(id, (route, requests)): (usize, (&str, u64))| {
            let name = Some(EndpointName { route: route.to_owned(), ..EndpointName::default() });
            EndpointRow { id: id as u32, name, requests, ..EndpointRow::default() }
        };
        let endpoints = [("b", 1), ("c", 3), ("a", 2), ("gone", 0)].into_iter().enumerate().map(row).collect();
        let figures =
            Figures::new(RefreshQuery::default(), RefreshResponse { endpoints, ..RefreshResponse::default() });
        let selection = Selection { sort, ascending, filter: filter.to_owned(), ..Selection::default() };
        let rows = filter_and_sort(&figures, &selection);
        rows.into_iter().map(|at| figures.endpoints[at].name.as_ref().unwrap().text()).collect()
    }

    #[test]
    fn steady_traffic_is_a_level_line() {
        for tick in 90..150 {
            let mut answer = RefreshResponse::default();
            (answer.timeline.window, answer.snapshot.tick) = (Window::FifteenMinutes, tick);
            let step = answer.timeline.window.line_step_seconds();
            let figures = Figures::new(RefreshQuery::default(), answer);
            let whole = (0..tick / step).map(|_| 10 * step);
            let line = whole.chain([10 * (tick % step + 1)]).collect();
            let row = EndpointRow { line, line_last: tick / step, ..EndpointRow::default() };
            let values = requests_over_time(&figures, &row);
            let [.., before, last] = values[..] else { panic!("{values:?}") };
            assert!((before - last).abs() < 1e-6 && last > 0.0, "{tick}: {values:?}");
        }
    }

    #[test]
    fn columns_sort_both_ways_and_ties_stand_by_name() {
        assert_eq!((names(Sort::Requests, false, ""), names(Sort::Requests, true, "")), ("cab".into(), "bac".into()));
        assert_eq!((names(Sort::Endpoint, true, ""), names(Sort::Endpoint, false, "")), ("abc".into(), "cba".into()));
        assert_eq!((names(Sort::Total, false, ""), names(Sort::P99, true, "B")), ("abc".into(), "b".into()));
    }
}
