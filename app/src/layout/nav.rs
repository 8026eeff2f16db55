//! The links to the views and to the windows of time.

use leptos::prelude::*;
use watchboard_wire::{DatabaseState, Finding, FindingSubject, Severity, Window};

use crate::{
    live::snapshot_memo,
    selection::{Selection, View, use_selection},
};

/// A link to a selection that depends on the current one. It is marked as current if it leads to the current selection.
fn way(
    to: impl Fn(&Selection) -> Selection + Copy + Send + Sync + 'static,
    is_here: impl Fn(&Selection) -> bool + Copy + Send + Sync + 'static,
    title: &'static str,
    content: impl IntoView,
) -> impl IntoView {
    let selection = use_selection();
    let current = move || selection.with(is_here).then_some("page");
    view! {
        <a href=move || selection.with(|selection| to(selection).href()) title=title aria-current=current>
            {content}
        </a>
    }
}

/// The views, each with the number of problems that it shows.
#[component]
pub(crate) fn Nav() -> impl IntoView {
    let selection = use_selection();
    let is_unwatched = snapshot_memo(|snapshot| snapshot.database.state == DatabaseState::NotConfigured);
    let link = move |view: View| {
        let problems = snapshot_memo(move |snapshot| {
            snapshot.health.findings.iter().filter(|finding| is_problem(finding) && view_of(finding) == view).count()
        });
        let badge = move || {
            (problems.get() > 0).then(|| {
                let word = if problems.get() == 1 { " problem" } else { " problems" };
                view! { <b class="count"><span class="unseen">": "</span>{problems.get()}<span class="unseen">{word}</span></b> }
            })
        };
        let content = (view.word(), badge);
        way(move |selection| selection.to_view(view), move |selection| selection.view == view, "", content)
    };
    let is_in_fleet = snapshot_memo(|snapshot| snapshot.instance.is_some());
    // Without a database its view says how to watch one; the overview leads there.
    let is_shown = move || !is_unwatched.get() || selection.with(|selection| selection.view == View::Database);
    view! {
        <nav aria-label="Views">
            {[View::Overview, View::Requests, View::Memory].map(link).collect_view()}
            {move || is_shown().then(|| link(View::Database))}
            {move || is_in_fleet.get().then(|| link(View::Instances))}
        </nav>
    }
}

/// Whether a finding is a problem now: advice is none.
fn is_problem(finding: &Finding) -> bool {
    finding.severity > Severity::Advice && finding.over_since_unix_ms.is_none()
}

fn view_of(finding: &Finding) -> View {
    match finding.about {
        FindingSubject::Requests | FindingSubject::Endpoint(_) => View::Requests,
        FindingSubject::Instance(_) => View::Instances,
        FindingSubject::Memory => View::Memory,
        FindingSubject::Database => View::Database,
    }
}

/// The windows of time, for all views. On a phone the bar has room for the one that is shown, and the menu has them all.
#[component]
pub(crate) fn Windows() -> impl IntoView {
    view! { <nav class="windows" aria-label="Window of time">{window_links()}</nav> }
}

/// A link to each window. Those of days are there once the history can fill them.
pub(super) fn window_links() -> impl IntoView {
    let selection = use_selection();
    let has_days = snapshot_memo(|snapshot| {
        snapshot.stored.is_some() || snapshot.tick.saturating_sub(snapshot.oldest_tick) > Window::Day.seconds()
    });
    let is_shown = move |window: Window| {
        !window.is_of_days() || has_days.get() || selection.with(|selection| selection.window == window)
    };
    let link = move |window: Window| {
        let is_here = move |selection: &Selection| selection.window == window && selection.span.is_none();
        way(move |selection| selection.to_window(window), is_here, window.long_word(), window.word())
    };
    move || Window::ALL.into_iter().filter(|window| is_shown(*window)).map(link).collect_view()
}
