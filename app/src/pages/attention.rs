//! What needs attention: the findings, and the causes of errors in the window. Both the worst first.

use leptos::{either::Either, prelude::*};
use watchboard_wire::{ErrorCause, Finding, format};

use super::{cells::code_class, errors::causes_in_window};
use crate::{
    components::cell_bar,
    live::{figures_memo, snapshot_memo},
    selection::{View, use_selection},
};

/// So many findings and causes have room on the first screen.
const MAX_FINDINGS: usize = 3;
const MAX_CAUSES: usize = 3;

/// The findings with their ages, and the causes of errors with their counts.
#[component]
pub(super) fn Attention() -> impl IntoView {
    let findings = snapshot_memo(|snapshot| {
        let now = snapshot.taken_at_unix_ms;
        snapshot.health.findings.iter().map(|finding| (finding.clone(), finding.age(now))).collect::<Vec<_>>()
    });
    let causes = figures_memo(|figures| {
        causes_in_window(figures).into_iter().map(|(cause, count)| (cause.clone(), count)).collect::<Vec<_>>()
    });
    // Each list has a place of its own, so that nothing moves when a finding comes.
    let first = move || {
        let findings = findings.get();
        if findings.is_empty() {
            return Either::Left(view! { <p class="unknown">"No finding."</p> });
        }
        let hidden = findings.len().saturating_sub(MAX_FINDINGS);
        Either::Right(view! {
            <ul class="attention">{findings.into_iter().take(MAX_FINDINGS).map(finding_item).collect_view()}</ul>
            {(hidden > 0).then(|| view! { <p class="more">{format!("{hidden} more in the line above the figures")}</p> })}
        })
    };
    let second = move || {
        let causes = causes.get();
        if causes.is_empty() {
            return Either::Left(view! { <p class="unknown">"No error in this window."</p> });
        }
        let most = causes.iter().map(|(_, count)| *count).max().unwrap_or(1);
        let hidden = causes.len().saturating_sub(MAX_CAUSES);
        let items = causes.into_iter().take(MAX_CAUSES).map(|(cause, count)| cause_item(cause, count, most));
        Either::Right(view! {
            <ul class="attention">{items.collect_view()}</ul>
            {(hidden > 0).then(|| more(hidden))}
        })
    };
    view! {
        <div class="findings">{first}</div>
        <h3>"Errors by cause"</h3>
        <div class="causes">{second}</div>
    }
}

fn finding_item((finding, age): (Finding, String)) -> impl IntoView {
    let selection = use_selection();
    let href = move || selection.with(|selection| selection.to_finding(&finding.about).href());
    let class = if finding.over_since_unix_ms.is_some() { "over" } else { finding.severity.word() };
    view! {
        <li class=class>
            <div>
                <span class="mark" aria-hidden="true"></span>
                <span class="unseen">{finding.severity.word()}": "</span>
                <span class="age">{age}</span>
                <a href=href>{finding.sentence.clone()}</a>
            </div>
        </li>
    }
}

fn cause_item(cause: ErrorCause, count: u64, most: u64) -> impl IntoView {
    let selection = use_selection();
    let endpoint = cause.endpoint.clone();
    let href = move || selection.with(|selection| selection.to_endpoint(&endpoint).href());
    let bar = cell_bar(0.0, 100.0 * count as f64 / most as f64);
    let message = cause.message.clone().unwrap_or_else(|| cause.kind.word().to_owned());
    view! {
        <li class=format!("cause {}", code_class(cause.status))>
            <span class="count-bar" inner_html=bar></span>
            <b>{format::count(count as f64)}</b>
            <span class="code">{cause.status.to_string()}</span>
            <a href=href>{cause.endpoint.clone()}</a>
            <span class="message" title=message.clone()>{message.clone()}</span>
        </li>
    }
}

fn more(hidden: usize) -> impl IntoView {
    let selection = use_selection();
    let href = move || selection.with(|selection| selection.to_view(View::Requests).href());
    view! { <p class="more"><a href=href>{format!("{hidden} more in the requests view")}</a></p> }
}
