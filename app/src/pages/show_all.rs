//! The rest of a tall table, for a page without scripts.

use leptos::prelude::*;

use crate::{
    components::ROWS_THERE,
    selection::{Selection, use_selection},
};

/// The link that shows all rows, where a tall table has more than it renders.
#[component]
pub(super) fn ShowAllLink(
    /// The number of rows.
    count: impl Fn() -> usize + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let selection = use_selection();
    let href = move || selection.with(|selection| Selection { all: true, ..selection.clone() }.href());
    let is_cut = move || count() > ROWS_THERE && !selection.with(|selection| selection.all);
    move || {
        is_cut().then(|| {
            view! { <a class="unscripted" href=href>{format!(" Only the first {ROWS_THERE} are here: show all.")}</a> }
        })
    }
}
