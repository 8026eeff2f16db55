//! The status in a sentence, with its duration and the findings.

use leptos::prelude::*;
use watchboard_wire::{Finding, Health, STALE_AFTER, Status, format};

use crate::{
    live::{LinkState, snapshot_memo, snapshot_text, use_live},
    selection::use_selection,
};

/// The sentence, with the status as a word, a shape and a colour.
#[component]
pub(crate) fn StatusLine() -> impl IntoView {
    let live = use_live();
    // Without new figures no state is known.
    let is_stale = Memo::new(move |_| match live.link_state() {
        LinkState::Stale => true,
        LinkState::Lost => live.age_seconds.get().is_some_and(|age| age > STALE_AFTER.as_secs()),
        LinkState::AsLoaded | LinkState::Live | LinkState::Paused => false,
    });
    let word = snapshot_text(|snapshot| snapshot.health.status.word().to_owned());
    let class = move || if is_stale.get() { "status stale".to_owned() } else { format!("status {}", word.get()) };
    let known = snapshot_text(|snapshot| sentence(&snapshot.health, snapshot.taken_at_unix_ms / 1000));
    let sentence = move || if is_stale.get() { format!("Stale. Last known: {}", known.get()) } else { known.get() };
    let selection = use_selection();
    let findings = snapshot_memo(|snapshot| snapshot.health.findings.clone());
    let links = move || {
        let link = |(index, finding): (usize, Finding)| {
            let before = if index == 0 { ": " } else { "; " };
            let href = selection.with(|selection| selection.to_finding(&finding.about).href());
            view! {
                {before}
                <a href=href>{finding.sentence}</a>
            }
        };
        findings.get().into_iter().enumerate().map(link).collect_view()
    };
    view! {
        <p class=class id="status">
            <span class="mark" aria-hidden="true"></span>
            <span>{sentence}{links}</span>
        </p>
    }
}

fn sentence(health: &Health, now_unix_seconds: u64) -> String {
    let for_long = format::span(now_unix_seconds.saturating_sub(health.since_unix_ms / 1000));
    let word = match health.status {
        Status::Healthy => return format!("Healthy for {for_long}"),
        Status::Degraded => "Degraded",
        Status::Unhealthy => "Unhealthy",
    };
    format!("{word} for {for_long}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_says_how_and_since_when() {
        let mut health = Health { since_unix_ms: 5_000, ..Health::default() };
        assert_eq!(sentence(&health, 65), "Healthy for 1\u{a0}m");
        health.status = Status::Degraded;
        assert_eq!(sentence(&health, 6), "Degraded for 1\u{a0}s");
    }
}
