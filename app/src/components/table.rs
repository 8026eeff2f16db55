//! Tables and lists of facts, as plain data: pages say what is in them, never how it is drawn. One type serves them all,
//! which keeps the bundle small.

use leptos::prelude::*;

use crate::wire::{Reading, Unknown};

/// A column's title, and a word on what it holds.
#[derive(Clone, Copy)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    pub(crate) hint: &'static str,
    /// Aligned to the right.
    pub(crate) numeric: bool,
}

/// A column of words.
pub(crate) const fn words(title: &'static str) -> Column {
    Column { title, hint: "", numeric: false }
}

/// A column of numbers.
pub(crate) const fn numbers(title: &'static str, hint: &'static str) -> Column {
    Column { title, hint, numeric: true }
}

/// One cell: what it says, and the exact value or an explanation as its title.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Cell {
    text: String,
    title: String,
    class: &'static str,
}

impl Cell {
    pub(crate) fn words(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    pub(crate) fn number(text: String, title: String) -> Self {
        Self { text, title, class: "number" }
    }

    pub(crate) fn titled(self, title: String) -> Self {
        Self { title, ..self }
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
    let heads = columns.iter().map(|column| {
        let class = if column.numeric { "number" } else { "" };
        view! { <th scope="col" class=class title=column.hint>{column.title}</th> }
    });
    let body = move || rows.get().unwrap_or_default().into_iter().map(row).collect_view();
    view! {
        <div class="scroll">
            <table>
                <caption class:unseen=quiet>{caption}</caption>
                <thead>
                    <tr>{heads.collect_view()}</tr>
                </thead>
                <tbody>{body}</tbody>
            </table>
        </div>
        <p class="unknown">{why(rows)}</p>
    }
}

fn row(cells: Row) -> impl IntoView {
    let mut cells = cells.into_iter();
    let name = cells.next().unwrap_or_default();
    let rest = cells.map(|cell| view! { <td class=cell.class title=cell.title>{cell.text}</td> });
    view! {
        <tr>
            <th scope="row" class=name.class title=name.title>{name.text}</th>
            {rest.collect_view()}
        </tr>
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
