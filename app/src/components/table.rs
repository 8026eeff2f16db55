//! Tables and lists of facts, as plain data: pages say what is in them, never how it is drawn. One type serves them all,
//! which keeps the bundle small.

use std::ops::Range;

use leptos::{
    either::{Either, EitherOf3},
    prelude::*,
};
use watchboard_wire::{Reading, Unknown, format};

use crate::place::{Place, Sort, use_place};

/// A column's title, and a word on what it holds.
#[derive(Clone, Copy)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    pub(crate) hint: &'static str,
    /// Aligned to the right.
    pub(crate) numeric: bool,
    /// What its head sorts by.
    pub(crate) sort: Option<Sort>,
}

impl Column {
    pub(crate) const fn sorts(self, sort: Sort) -> Self {
        Self { sort: Some(sort), ..self }
    }
}

/// A column of words.
pub(crate) const fn words(title: &'static str) -> Column {
    Column { title, hint: "", numeric: false, sort: None }
}

/// A column of numbers.
pub(crate) const fn numbers(title: &'static str, hint: &'static str) -> Column {
    Column { title, hint, numeric: true, sort: None }
}

/// One cell: what it says, and the exact value or an explanation as its title.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Cell {
    text: String,
    title: String,
    class: &'static str,
    /// Where its text leads.
    href: Option<String>,
    /// A small drawing beside the text.
    drawing: String,
}

impl Cell {
    pub(crate) fn words(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    pub(crate) fn number(text: String, title: String) -> Self {
        Self { text, title, class: "number", ..Self::default() }
    }

    /// A size, short, with all its digits as title.
    pub(crate) fn bytes(bytes: u64) -> Self {
        Self::number(format::bytes(bytes as f64), format::exact(bytes))
    }

    /// A figure that there is none of.
    pub(crate) fn none() -> Self {
        Self::number("–".to_owned(), String::new())
    }

    pub(crate) fn titled(self, title: String) -> Self {
        Self { title, ..self }
    }

    /// A small line of these values.
    pub(crate) fn line(values: &[f64], hue: &'static str) -> Self {
        Self { drawing: super::line::small(values, hue), class: "line", ..Self::default() }
    }

    /// Stretches of so much time in all.
    pub(crate) fn steps(stretches: &[super::Stretch], whole_us: u64) -> Self {
        Self { drawing: super::steps::drawing(stretches, whole_us), class: "steps", ..Self::default() }
    }

    pub(crate) fn links(self, to: &Place) -> Self {
        Self { href: Some(to.href()), ..self }
    }

    pub(crate) fn class(self, class: &'static str) -> Self {
        Self { class, ..self }
    }
}

/// The first cell is the row's name.
pub(crate) type Row = Vec<Cell>;

/// A table that scrolls within itself where it is wider than its card; or why there is none.
#[component]
pub(crate) fn Table(
    caption: &'static str,
    /// Hides the caption from view where the card's title says it already.
    #[prop(optional)]
    quiet: bool,
    columns: &'static [Column],
    rows: Memo<Reading<Vec<Row>>>,
) -> impl IntoView {
    view! {
        <div class="scroll">
            <table>
                {frame(caption, quiet, columns)}
                <tbody>{body(rows)}</tbody>
            </table>
        </div>
        <p class="unknown">{why(rows)}</p>
    }
}

/// The height of a row in a tall table, as the style has it.
const ROW_PIXELS: usize = 28;
/// Rows above the first that is in view, and rows in all, that are there: more than the table's height, which the style bounds.
const ROWS_ABOVE: usize = 10;
pub(crate) const ROWS_THERE: usize = 60;

/// A table of any length, which scrolls within its own height. Only the rows about those in view are there; `rows` makes those
/// of a range.
#[component]
pub(crate) fn TallTable(
    caption: &'static str,
    columns: &'static [Column],
    /// How many rows there are.
    count: impl Fn() -> usize + Copy + Send + Sync + 'static,
    /// Whether all of them are to be there.
    all: impl Fn() -> bool + Copy + Send + Sync + 'static,
    rows: impl Fn(Range<usize>) -> Vec<Row> + Copy + Send + Sync + 'static,
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
        // In steps, so that most scrolling changes nothing.
        scrolled.set(first / ROWS_ABOVE * ROWS_ABOVE);
    };
    // Heights are attributes: the page's policy forbids inline styles.
    let spacer = |rows: usize| format!("<tr><td><svg width=\"1\" height=\"{}\"></svg></td></tr>", rows * ROW_PIXELS);
    view! {
        <div class="scroll tall" tabindex="0" role="region" aria-label=caption on:scroll=scroll>
            <table aria-rowcount=move || count() + 1>
                {frame(caption, true, columns)}
                <tbody aria-hidden="true" inner_html=move || spacer(range().start)></tbody>
                <tbody class="rows">{body(there)}</tbody>
                <tbody aria-hidden="true" inner_html=move || spacer(count() - range().end)></tbody>
            </table>
        </div>
    }
}

fn frame(caption: &'static str, quiet: bool, columns: &'static [Column]) -> impl IntoView {
    view! {
        <caption class:unseen=quiet>{caption}</caption>
        <thead>
            <tr>{columns.iter().map(head).collect_view()}</tr>
        </thead>
    }
}

fn body(rows: Memo<Reading<Vec<Row>>>) -> impl IntoView {
    move || rows.get().unwrap_or_default().into_iter().map(row).collect_view()
}

fn head(column: &'static Column) -> impl IntoView {
    let place = use_place();
    let sorted = move || {
        let order = |place: &Place| if place.ascending { "ascending" } else { "descending" };
        column.sort.and_then(|sort| place.with(|place| (place.sort == sort).then(|| order(place))))
    };
    let title = match column.sort {
        Some(sort) => {
            Either::Left(view! { <a href=move || place.with(|place| place.to_sort(sort).href())>{column.title}</a> })
        }
        None => Either::Right(column.title),
    };
    let class = if column.numeric { "number" } else { "" };
    view! { <th scope="col" class=class title=column.hint aria-sort=sorted>{title}</th> }
}

fn row(cells: Row) -> impl IntoView {
    let mut cells = cells.into_iter();
    let name = cells.next().unwrap_or_default();
    let rest = cells
        .map(|cell| view! { <td class=cell.class title=cell.title>{content(cell.text, cell.href, cell.drawing)}</td> });
    view! {
        <tr>
            <th scope="row" class=name.class title=name.title>{content(name.text, name.href, name.drawing)}</th>
            {rest.collect_view()}
        </tr>
    }
}

fn content(text: String, href: Option<String>, drawing: String) -> impl IntoView {
    match href {
        Some(href) => EitherOf3::A(view! { <a href=href>{text}</a> }),
        None if !drawing.is_empty() => EitherOf3::B(view! { <div inner_html=drawing></div> }),
        None => EitherOf3::C(text),
    }
}

/// A fact: its name, its short value, and the exact value or a word of explanation.
pub(crate) type Fact = (&'static str, String, String);

/// A list of facts, or why there is none.
#[component]
pub(crate) fn Facts(facts: Memo<Reading<Vec<Fact>>>) -> impl IntoView {
    let items = move || {
        let item = |(name, value, title): Fact| {
            view! {
                <div title=title>
                    <dt>{name}</dt>
                    <dd>{value}</dd>
                </div>
            }
        };
        facts.get().unwrap_or_default().into_iter().map(item).collect_view()
    };
    view! {
        <dl class="facts">{items}</dl>
        <p class="unknown">{why(facts)}</p>
    }
}

/// The reason of an unknown reading; nothing for a known one.
pub(crate) fn why<T: Send + Sync + 'static>(reading: Memo<Reading<T>>) -> Memo<String> {
    Memo::new(move |_| reading.with(|reading| reading.as_ref().err().map(Unknown::to_string).unwrap_or_default()))
}
