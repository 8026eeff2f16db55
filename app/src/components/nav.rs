//! The way between the views.

use leptos::prelude::*;

use crate::view::{View, follow};

/// Real links, the one of the view shown marked as current.
#[component]
pub(crate) fn Nav(view: RwSignal<View>) -> impl IntoView {
    let link = move |to: View| {
        let current = move || (view.get() == to).then_some("page");
        view! {
            <a href=to.href() aria-current=current on:click=move |event| follow(&event, view, to)>
                {to.word()}
            </a>
        }
    };
    view! { <nav aria-label="Views">{View::ALL.map(link).collect_view()}</nav> }
}
