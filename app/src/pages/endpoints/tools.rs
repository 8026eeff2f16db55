//! What stands above the endpoints' table: the filter, the sets of columns, and the order where no heads of columns are.

use leptos::prelude::*;

use super::columns::{columns, sources};
use crate::selection::{ColumnSet, Selection, Sort, navigate, use_selection};

/// The links to the sets of columns.
#[component]
pub(super) fn ColumnSets() -> impl IntoView {
    let selection = use_selection();
    let (listens, counts) = sources();
    let is_there = move |set: &ColumnSet| match set {
        ColumnSet::Database => listens,
        ColumnSet::Memory => counts,
        ColumnSet::Change => selection.with(|selection| selection.earlier.is_some()),
        _ => true,
    };
    let link = move |set: ColumnSet| {
        let href = move || selection.with(|selection| selection.to_columns(set).href());
        let current = move || selection.with(|selection| selection.columns == set).then_some("true");
        view! { <a href=href aria-current=current>{set.word()}</a> }
    };
    view! { <nav aria-label="Columns">{move || ColumnSet::ALL.into_iter().filter(is_there).map(link).collect_view()}</nav> }
}

/// The field of the filter. It is a form, so that it works without scripts.
#[component]
pub(super) fn FilterField() -> impl IntoView {
    let selection = use_selection();
    let hidden = move || {
        let sort = hidden_field("sort", selection.with(|selection| selection.sort.word().to_owned()));
        (hidden_fields(selection), sort)
    };
    // The first letter adds an entry to the history, and the next ones change it: the way back leads to what was before the filter.
    let is_typing = StoredValue::new(false);
    let change = move |event| {
        let filter = event_target_value(&event);
        let step = !is_typing.get_value();
        is_typing.set_value(true);
        navigate(selection, step, Selection { filter, ..selection.get_untracked() });
    };
    view! {
        <form class="filter" method="get" role="search" on:submit=|event| event.prevent_default()>
            {hidden}
            <label>
                "Filter "
                <input
                    type="search"
                    id="filter"
                    name="filter"
                    placeholder="route, 5xx>0, p99>200ms"
                    autocomplete="off"
                    value=selection.get_untracked().filter
                    prop:value=move || selection.with(|selection| selection.filter.clone())
                    on:input=change
                    on:focus=move |_| is_typing.set_value(false)
                />
            </label>
        </form>
    }
}

fn hidden_field(name: &'static str, value: String) -> impl IntoView {
    view! { <input type="hidden" name=name value=value /> }
}

/// What a form above the table keeps of the selection.
fn hidden_fields(selection: RwSignal<Selection>) -> impl IntoView {
    let selection = selection.get();
    let order = if selection.ascending { "ascending" } else { "" };
    [
        ("view", selection.view.word()),
        ("window", selection.window.word()),
        ("order", order),
        ("columns", selection.columns.word()),
    ]
    .map(|(name, value)| hidden_field(name, value.to_owned()))
    .into_iter()
    .chain(selection.span.iter().flat_map(|(from, to)| {
        [("from", from), ("to", to)].map(|(name, second)| hidden_field(name, second.to_string()))
    }))
    .collect_view()
}

/// The order of the rows, for a narrow screen: there the table has no heads to sort by. It is a form, as the filter is.
#[component]
pub(super) fn OrderField() -> impl IntoView {
    let selection = use_selection();
    let hidden = move || {
        let filter = hidden_field("filter", selection.with(|selection| selection.filter.clone()));
        (hidden_fields(selection), filter)
    };
    let choice = move |(title, word): (&'static str, &'static str)| {
        let is_chosen = move || selection.with(|selection| selection.sort.word() == word);
        view! { <option value=word selected=is_chosen prop:selected=is_chosen>{title}</option> }
    };
    let choices = move || {
        let set = selection.with(|selection| selection.columns);
        let sorting = columns(set).iter().filter_map(|column| column.sort.map(|word| (column.title, word)));
        sorting.map(choice).collect_view()
    };
    let change = move |event| {
        let sort = Sort::from_word(&event_target_value(&event));
        navigate(selection, true, Selection { sort, ascending: sort == Sort::Endpoint, ..selection.get_untracked() });
    };
    let reversed = move || selection.with(|selection| selection.to_sort(selection.sort).href());
    let order =
        move || selection.with(|selection| if selection.ascending { "smallest first" } else { "largest first" });
    view! {
        <form class="order" method="get" on:submit=|event| event.prevent_default()>
            {hidden}
            <label>
                "Sort by "
                <select name="sort" on:change=change>{choices}</select>
            </label>
            <button class="unscripted">"Sort"</button>
            <a href=reversed>{order}</a>
        </form>
    }
}
