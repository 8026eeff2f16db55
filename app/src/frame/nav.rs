//! The links to the views and to the windows of time.

use leptos::prelude::*;
use watchboard_wire::Window;

use crate::place::{Place, View, use_place};

/// A link to a place that depends on the current one. It is marked as current if it leads to the current place.
fn way(
    to: impl Fn(&Place) -> Place + Copy + Send + Sync + 'static,
    is_here: impl Fn(&Place) -> bool + Copy + Send + Sync + 'static,
    word: &'static str,
    title: &'static str,
) -> impl IntoView {
    let place = use_place();
    let current = move || place.with(is_here).then_some("page");
    view! {
        <a href=move || place.with(|place| to(place).href()) title=title aria-current=current>
            {word}
        </a>
    }
}

/// The views.
#[component]
pub(crate) fn Nav() -> impl IntoView {
    let link =
        move |view: View| way(move |place| place.to_view(view), move |place| place.view == view, view.word(), "");
    view! { <nav aria-label="Views">{View::ALL.map(link).collect_view()}</nav> }
}

/// The windows of time, for all views.
#[component]
pub(crate) fn Windows() -> impl IntoView {
    let link = move |window: Window| {
        let is_here = move |place: &Place| place.window == window;
        way(move |place| place.to_window(window), is_here, window.word(), window.long_word())
    };
    view! { <nav class="windows" aria-label="Window of time">{Window::ALL.map(link).collect_view()}</nav> }
}
