//! The links to the views and to the windows of time.

use leptos::prelude::*;
use watchboard_wire::Window;

use crate::selection::{Selection, View, use_selection};

/// A link to a selection that depends on the current one. It is marked as current if it leads to the current selection.
fn way(
    to: impl Fn(&Selection) -> Selection + Copy + Send + Sync + 'static,
    is_here: impl Fn(&Selection) -> bool + Copy + Send + Sync + 'static,
    word: &'static str,
    title: &'static str,
) -> impl IntoView {
    let selection = use_selection();
    let current = move || selection.with(is_here).then_some("page");
    view! {
        <a href=move || selection.with(|selection| to(selection).href()) title=title aria-current=current>
            {word}
        </a>
    }
}

/// The views.
#[component]
pub(crate) fn Nav() -> impl IntoView {
    let link = move |view: View| {
        way(move |selection| selection.to_view(view), move |selection| selection.view == view, view.word(), "")
    };
    view! { <nav aria-label="Views">{View::ALL.map(link).collect_view()}</nav> }
}

/// The windows of time, for all views.
#[component]
pub(crate) fn Windows() -> impl IntoView {
    let link = move |window: Window| {
        let is_here = move |selection: &Selection| selection.window == window;
        way(move |selection| selection.to_window(window), is_here, window.word(), window.long_word())
    };
    view! { <nav class="windows" aria-label="Window of time">{Window::ALL.map(link).collect_view()}</nav> }
}
