//! Tables. Pages give plain data and never say how it is drawn. One type serves all tables,
//! which keeps the bundle small.

use std::{ops::Range, sync::Arc};

use leptos::{either::Either, prelude::*};
use watchboard_wire::{Reading, Unknown};

use super::cell::Cell;

/// A column: its title, and a hint on its contents.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    pub(crate) hint: &'static str,
    /// Aligned to the right.
    pub(crate) numeric: bool,
    /// The word of the order that its head sorts by.
    pub(crate) sort: Option<&'static str>,
}

impl Column {
    pub(crate) const fn sorts(self, word: &'static str) -> Self {
        Self { sort: Some(word), ..self }
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
    Column { title, hint: "", numeric: false, sort: None }
}

/// A column of numbers.
pub(crate) const fn numbers(title: &'static str, hint: &'static str) -> Column {
    Column { title, hint, numeric: true, sort: None }
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
            <table>
                {header(caption, quiet, columns, sorting)}
                <tbody>{body(rows)}</tbody>
            </table>
        </div>
        <p class="unknown">{unknown_reason(rows)}</p>
    }
}

/// The height of a row in a tall table; the style has the same.
const ROW_PIXELS: usize = 28;
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
    sorting: Sorting,
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
        let first = (target.scroll_top().max(0) as usize / ROW_PIXELS).saturating_sub(ROWS_ABOVE);
        // It changes in steps, so that most scroll events change nothing.
        scrolled.set(first / ROWS_ABOVE * ROWS_ABOVE);
    };
    // Heights are attributes, because the page's policy forbids inline styles.
    let spacer = |rows: usize| format!("<tr><td><svg width=\"1\" height=\"{}\"></svg></td></tr>", rows * ROW_PIXELS);
    view! {
        <div class="scroll tall" tabindex="0" role="group" aria-label=caption on:scroll=scroll>
            <table aria-rowcount=move || count() + 1>
                {header(caption, true, columns, Some(sorting))}
                <tbody aria-hidden="true" inner_html=move || spacer(range().start)></tbody>
                <tbody class="rows">{body(there)}</tbody>
                <tbody aria-hidden="true" inner_html=move || spacer(count() - range().end)></tbody>
            </table>
        </div>
    }
}

fn header(caption: &'static str, quiet: bool, columns: &'static [Column], sorting: Option<Sorting>) -> impl IntoView {
    let head = move |column| head(column, sorting.clone());
    view! {
        <caption class:unseen=quiet>{caption}</caption>
        <thead>
            <tr>{columns.iter().map(head).collect_view()}</tr>
        </thead>
    }
}

fn body(rows: Memo<Reading<Vec<TableRow>>>) -> impl IntoView {
    move || rows.get().unwrap_or_default().into_iter().map(row).collect_view()
}

fn head(column: &'static Column, sorting: Option<Sorting>) -> impl IntoView {
    let sort = column.sort.zip(sorting);
    let title = match sort.clone() {
        Some((word, head)) => Either::Left(view! { <a href=move || head(word).href>{column.title}</a> }),
        None => Either::Right(column.title),
    };
    let order = move || sort.as_ref().and_then(|(word, head)| head(word).order);
    let class = if column.numeric { "number" } else { "" };
    view! { <th scope="col" class=class title=column.hint aria-sort=order>{title}</th> }
}

fn row(cells: TableRow) -> impl IntoView {
    let mut cells = cells.into_iter();
    let name = cells.next().unwrap_or_default();
    let cell = |cell: Cell| {
        let (class, title) = (cell.class, cell.title.clone());
        view! { <td class=class title=title>{cell.content()}</td> }
    };
    let rest = cells.map(cell);
    let (class, title) = (name.class, name.title.clone());
    view! {
        <tr>
            <th scope="row" class=class title=title>{name.content()}</th>
            {rest.collect_view()}
        </tr>
    }
}

/// The reason of an unknown reading; empty for a known one.
pub(crate) fn unknown_reason<T: Send + Sync + 'static>(reading: Memo<Reading<T>>) -> Memo<String> {
    Memo::new(move |_| reading.with(|reading| reading.as_ref().err().map(Unknown::to_string).unwrap_or_default()))
}
