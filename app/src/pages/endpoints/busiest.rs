//! The endpoints that take the most time, as the folded table of the overview.

use leptos::prelude::*;

use super::{columns::columns, endpoint_row, filter_and_sort, no_request, sorting};
use crate::{
    components::Table,
    live::figures_memo,
    selection::{ColumnSet, Selection, use_selection},
};

/// The endpoints that take the most time, for the overview.
#[component]
pub(in crate::pages) fn BusiestTable() -> impl IntoView {
    let selection = use_selection();
    let rows = figures_memo(move |figures| {
        let ids = filter_and_sort(figures, &Selection::default());
        Ok(selection
            .with(|selection| ids.iter().map(|id| endpoint_row(figures, *id, selection, ColumnSet::All)).collect()))
    });
    let foot = figures_memo(|figures| match (figures.endpoints.len(), figures.snapshot.requests.endpoints) {
        (0, _) => no_request(figures),
        // Of all instances together nobody counts those that have had no request lately.
        (shown, 0) => format!("The {shown} that take the most time; the requests view has all."),
        (shown, all) => format!("{shown} of the {all} endpoints since the start; the requests view has all."),
    });
    view! {
        <Table caption="Endpoints" quiet=true columns=columns(ColumnSet::All) sorting=sorting() rows />
        <p class="more">{foot}</p>
    }
}
