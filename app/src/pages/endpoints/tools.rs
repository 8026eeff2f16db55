//! What stands above the endpoints' table: the filter, and the sets of columns.

use leptos::prelude::*;

use super::columns::sources;
use crate::selection::{ColumnSet, Selection, navigate, use_selection};

/// The links to the sets of columns.
#[component]
pub(super) fn ColumnSets() -> impl IntoView {
    let selection = use_selection();
    let (listens, counts) = sources();
    let is_there = |set: &ColumnSet| match set {
        ColumnSet::Database => listens,
        ColumnSet::Memory => counts,
        _ => true,
    };
    let link = |set: ColumnSet| {
        let href = move || selection.with(|selection| Selection { columns: set, ..selection.clone() }.href());
        let current = move || selection.with(|selection| selection.columns == set).then_some("true");
        view! { <a href=href aria-current=current>{set.word()}</a> }
    };
    view! { <nav aria-label="Columns">{ColumnSet::ALL.into_iter().filter(is_there).map(link).collect_view()}</nav> }
}

/// The field of the filter. It is a form, so that it works without scripts.
#[component]
pub(super) fn FilterField() -> impl IntoView {
    let selection = use_selection();
    let hidden = move || {
        let selection = selection.get();
        let order = if selection.ascending { "ascending" } else { "" };
        [
            ("view", selection.view.word()),
            ("window", selection.window.word()),
            ("sort", selection.sort.word()),
            ("order", order),
            ("columns", selection.columns.word()),
        ]
        .map(|(name, value)| view! { <input type="hidden" name=name value=value /> })
        .collect_view()
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
