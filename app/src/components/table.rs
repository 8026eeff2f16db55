//! Tables. Pages give plain data and never say how it is drawn. One type serves all tables,
//! which keeps the bundle small.

use std::{ops::Range, sync::Arc};

use leptos::{either::Either, prelude::*};
use watchboard_wire::{Reading, Unknown};

use super::{cell::Cell, hints::Hints};

/// A column: its title, and a hint on its contents.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    pub(crate) hint: &'static str,
    /// Aligned to the right.
    pub(crate) numeric: bool,
    /// The word of the order that its head sorts by.
    pub(crate) sort: Option<&'static str>,
    /// One of the figures that a narrow screen shows of a row. A table without such columns shows all there.
    pub(crate) lead: bool,
}

impl Column {
    pub(crate) const fn sorts(self, word: &'static str) -> Self {
        Self { sort: Some(word), ..self }
    }

    pub(crate) const fn leads(self) -> Self {
        Self { lead: true, ..self }
    }
}

/// The head of a column that sorts.
#[derive(Debug)]
pub(crate) struct SortHead {
    /// Its link.
    pub(crate) href: String,
    /// `ascending` or `descending` if the rows are sorted by this column.
    pub(crate) order: Option<&'static str>,
}

/// Makes the head that sorts by a word. It is boxed, so that it has one type for all tables.
pub(crate) type Sorting = Arc<dyn Fn(&'static str) -> SortHead + Send + Sync>;

/// A column of words.
pub(crate) const fn words(title: &'static str) -> Column {
    Column { title, hint: "", numeric: false, sort: None, lead: false }
}

/// A column of numbers.
pub(crate) const fn numbers(title: &'static str, hint: &'static str) -> Column {
    Column { title, hint, numeric: true, sort: None, lead: false }
}

/// The first cell is the row's name.
pub(crate) type TableRow = Vec<Cell>;

/// A table, which scrolls if it is wider than its card; or the reason why there is none.
#[component]
pub(crate) fn Table(
    caption: &'static str,
    /// Hides the caption from view, for a card whose title says the same.
    #[prop(optional)]
    quiet: bool,
    columns: &'static [Column],
    #[prop(optional)] sorting: Option<Sorting>,
    rows: Memo<Reading<Vec<TableRow>>>,
) -> impl IntoView {
    view! {
        <div class="scroll" tabindex="0" role="group" aria-label=caption>
            <table role="table">
                {header(caption, quiet, columns, sorting.clone())}
                <tbody role="rowgroup">{body(columns, sorting, rows)}</tbody>
            </table>
        </div>
        {column_hints(columns)}
        <p class="unknown">{unknown_reason(rows)}</p>
    }
}

/// The number of rendered rows above the first row in view, and of all rendered rows. They fill more than the height of
/// the table, which the style bounds.
const ROWS_ABOVE: usize = 10;
pub(crate) const ROWS_THERE: usize = 60;

/// A table of any length, which scrolls within its own height. It renders only the rows near those in view; `rows`
/// makes the rows of a range.
#[component]
pub(crate) fn TallTable(
    caption: &'static str,
    columns: &'static [Column],
    #[prop(optional)] sorting: Option<Sorting>,
    /// The number of rows.
    count: impl Fn() -> usize + Copy + Send + Sync + 'static,
    /// Whether to render all rows.
    all: impl Fn() -> bool + Copy + Send + Sync + 'static,
    rows: impl Fn(Range<usize>) -> Vec<TableRow> + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let scrolled = RwSignal::new(0);
    let range = move || {
        let count = count();
        let first = scrolled.get().min(count.saturating_sub(ROWS_THERE));
        if all() { 0..count } else { first..(first + ROWS_THERE).min(count) }
    };
    let there = Memo::new(move |_| Ok(rows(range())));
    let scroll = move |event: leptos::ev::Event| {
        let target: leptos::web_sys::HtmlElement = event_target(&event);
        let first = (target.scroll_top().max(0) as usize / row_pixels(&target)).saturating_sub(ROWS_ABOVE);
        // It changes in steps, so that most scroll events change nothing.
        scrolled.set(first / ROWS_ABOVE * ROWS_ABOVE);
    };
    // A drawing as wide as a row is high, by the style, and as many times higher as there are rows. The page's policy
    // forbids inline styles.
    let spacer = |rows: usize| match rows {
        0 => String::new(),
        rows => format!("<tr><td><svg viewBox=\"0 0 1 {rows}\"></svg></td></tr>"),
    };
    view! {
        <div class="scroll tall" tabindex="0" role="group" aria-label=caption on:scroll=scroll>
            <table role="table" aria-rowcount=move || count() + 1>
                {header(caption, true, columns, sorting.clone())}
                <tbody aria-hidden="true" inner_html=move || spacer(range().start)></tbody>
                <tbody class="rows" role="rowgroup">{body(columns, sorting, there)}</tbody>
                <tbody aria-hidden="true" inner_html=move || spacer(count() - range().end)></tbody>
            </table>
        </div>
        {column_hints(columns)}
    }
}

/// The height of a row, which the style has: narrow screens have rows of two lines.
fn row_pixels(scrolled: &leptos::web_sys::HtmlElement) -> usize {
    let row = scrolled.query_selector("tbody.rows tr").ok().flatten();
    row.map_or(0, |row| row.client_height()).max(1) as usize
}

/// What the columns mean.
fn column_hints(columns: &'static [Column]) -> impl IntoView {
    let hinted = columns.iter().filter(|column| !column.hint.is_empty());
    let hints: Vec<_> = hinted.map(|column| (column.title, column.hint.to_owned())).collect();
    view! { <Hints summary="What the columns mean" hints=Memo::new(move |_| hints.clone()) /> }
}

fn header(caption: &'static str, quiet: bool, columns: &'static [Column], sorting: Option<Sorting>) -> impl IntoView {
    let head = move |column| head(column, sorting.clone());
    view! {
        <caption class:unseen=quiet>{caption}</caption>
        <thead role="rowgroup">
            <tr role="row">{columns.iter().map(head).collect_view()}</tr>
        </thead>
    }
}

fn body(columns: &'static [Column], sorting: Option<Sorting>, rows: Memo<Reading<Vec<TableRow>>>) -> impl IntoView {
    move || {
        let is_sorted = |word: &'static str| sorting.as_ref().is_some_and(|head| head(word).order.is_some());
        let shown = shown_columns(columns, is_sorted);
        let rows: Vec<_> =
            rows.get().unwrap_or_default().into_iter().map(|cells| row(columns, &shown, cells)).collect();
        rows.collect_view()
    }
}

/// The columns that a narrow screen shows beside the name: those that lead, of which the last gives way to the column that
/// sorts; all if none leads.
fn shown_columns(columns: &[Column], is_sorted: impl Fn(&'static str) -> bool) -> Vec<bool> {
    let mut leads: Vec<bool> = columns.iter().map(|column| column.lead).collect();
    let Some(last) = leads.iter().rposition(|lead| *lead) else { return vec![true; columns.len()] };
    let sorted = columns.iter().position(|column| column.sort.is_some_and(&is_sorted)).unwrap_or(0);
    if sorted > 0 && !leads[sorted] {
        leads[last] = false;
        leads[sorted] = true;
    }
    leads
}

fn head(column: &'static Column, sorting: Option<Sorting>) -> impl IntoView {
    let sort = column.sort.zip(sorting);
    let title = match sort.clone() {
        Some((word, head)) => Either::Left(view! { <a href=move || head(word).href>{column.title}</a> }),
        None => Either::Right(column.title),
    };
    let order = move || sort.as_ref().and_then(|(word, head)| head(word).order);
    let class = if column.numeric { "number" } else { "" };
    view! { <th scope="col" role="columnheader" class=class title=column.hint aria-sort=order>{title}</th> }
}

fn row(columns: &'static [Column], shown: &[bool], cells: TableRow) -> impl IntoView + use<> {
    let mut cells = cells.into_iter();
    let name = cells.next().unwrap_or_default();
    let cell = |((cell, column), shown): ((Cell, &'static Column), &bool)| {
        // One text: a class of its own would be lost where the other changes.
        let class = if *shown { cell.class.to_owned() } else { format!("{} aside", cell.class) };
        let title = cell.title.clone();
        view! { <td role="cell" class=class data-label=column.title title=title>{cell.content()}</td> }
    };
    let rest = cells.zip(columns.iter().skip(1)).zip(shown.iter().skip(1)).map(cell).collect_view();
    let (class, title) = (name.class, name.title.clone());
    view! {
        <tr role="row">
            <th scope="row" role="rowheader" class=class title=title>{name.content()}</th>
            {rest}
        </tr>
    }
}

/// The reason of an unknown reading; empty for a known one.
pub(crate) fn unknown_reason<T: Send + Sync + 'static>(reading: Memo<Reading<T>>) -> Memo<String> {
    Memo::new(move |_| reading.with(|reading| reading.as_ref().err().map(Unknown::to_string).unwrap_or_default()))
}

#[cfg(test)]
mod tests;
