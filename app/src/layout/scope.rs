//! Whose figures the page shows: those of this instance, of all, or of another one.

use leptos::prelude::*;
use watchboard_wire::InstanceScope;

use crate::{live::figures_memo, selection::use_selection};

/// The links to this instance, to all, and to the other one that is shown. It is there in a fleet alone.
#[component]
pub(crate) fn ScopeSwitch() -> impl IntoView {
    let selection = use_selection();
    let own = figures_memo(|figures| figures.snapshot.instance.clone());
    let link = move |(scope, name): (InstanceScope, String)| {
        let (to, here) = (scope.clone(), scope);
        let href = move || selection.with(|selection| selection.to_scope(to.clone()).href());
        let current = move || selection.with(|selection| selection.scope == here).then_some("true");
        view! { <a href=href aria-current=current>{name}</a> }
    };
    let links = move || {
        let mut links = vec![];
        if let Some(own) = own.get() {
            // A board alone is no instance.
            if !own.is_empty() {
                links.push((InstanceScope::Own, own));
            }
            links.push((InstanceScope::All, InstanceScope::ALL.to_owned()));
            if let InstanceScope::One(name) = selection.with(|selection| selection.scope.clone()) {
                links.push((InstanceScope::One(name.clone()), name));
            }
        }
        links.into_iter().map(link).collect_view()
    };
    view! { <nav aria-label="Instances">{links}</nav> }
}

/// Says whose figures these are, and how old. As HTML of the server it needs little code.
#[component]
pub(super) fn ScopeNotice() -> impl IntoView {
    let notice =
        figures_memo(|figures| figures.fleet.as_ref().map(|fleet| fleet.notice_html.clone()).unwrap_or_default());
    // The style hides it while it is empty.
    view! { <aside class="notice" id="scope" aria-label="Scope" inner_html=move || notice.get()></aside> }
}
