//! Missing data says why.

use leptos::prelude::*;

/// The sentence that stands where a figure would.
pub(crate) fn why(reason: impl ToString) -> impl IntoView {
    view! { <p class="unknown">{reason.to_string()}</p> }
}
