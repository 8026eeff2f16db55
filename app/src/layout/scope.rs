//! Whose figures the page shows: those of this instance, of all, or of another one.

use leptos::prelude::*;
use watchboard_wire::InstanceScope;

use crate::{live::figures_memo, selection::use_selection};

/// The links to this instance, to all, and to the other one that is shown. It is there in a fleet alone.
#[component]
pub(crate) fn ScopeSwitch() -> impl IntoView {
    let selection = use_selection();
    let own = figures_memo(|figures| figures.snapshot.instance.clone());
    // Each has its element, so that one that is chosen keeps the focus. It is hidden while it has no name: a board alone is no instance.
    let name = move |link: LinkTo| match (own.get(), link) {
        (None, _) => String::new(),
        (Some(own), LinkTo::Own) => own,
        (_, LinkTo::All) => InstanceScope::ALL.to_owned(),
        (_, LinkTo::Other) => selection.with(|selection| match &selection.scope {
            InstanceScope::One(name) => name.clone(),
            _ => String::new(),
        }),
    };
    let scope = move |link: LinkTo| match link {
        LinkTo::Own => InstanceScope::Own,
        LinkTo::All => InstanceScope::All,
        LinkTo::Other => InstanceScope::One(name(link)),
    };
    let links = [LinkTo::Own, LinkTo::All, LinkTo::Other].map(|link| {
        let href = move || selection.with(|selection| selection.to_scope(scope(link)).href());
        let current = move || selection.with(|selection| selection.scope == scope(link)).then_some("true");
        view! { <a href=href aria-current=current hidden=move || name(link).is_empty()>{move || name(link)}</a> }
    });
    view! { <nav aria-label="Instances">{links}</nav> }
}

/// What a link of the switch leads to.
#[derive(Clone, Copy)]
enum LinkTo {
    Own,
    All,
    /// The other instance that is shown.
    Other,
}

/// Says whose figures these are, and how old. As HTML of the server it needs little code.
#[component]
pub(super) fn ScopeNotice() -> impl IntoView {
    let notice =
        figures_memo(|figures| figures.fleet.as_ref().map(|fleet| fleet.notice_html.clone()).unwrap_or_default());
    // The style hides it while it is empty.
    view! { <aside class="notice" id="scope" aria-label="Scope" inner_html=move || notice.get()></aside> }
}
