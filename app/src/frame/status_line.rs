//! The status in a sentence, with its duration and the findings.

use leptos::prelude::*;
use watchboard_wire::{Finding, Health, Status, format};

use crate::{
    live::{snapshot_memo, snapshot_text},
    place::use_place,
};

/// The sentence, with the status as a word, a shape and a colour.
#[component]
pub(crate) fn StatusLine() -> impl IntoView {
    let class = snapshot_text(|snapshot| format!("status {}", snapshot.health.status.word()));
    let sentence = snapshot_text(|snapshot| sentence(&snapshot.health, snapshot.taken_at_unix_ms / 1000));
    let place = use_place();
    let findings = snapshot_memo(|snapshot| snapshot.health.findings.clone());
    let links = move || {
        let link = |(index, finding): (usize, Finding)| {
            let before = if index == 0 { ": " } else { "; " };
            let href = place.with(|place| place.to_finding(&finding.about).href());
            view! {
                {before}
                <a href=href>{finding.sentence}</a>
            }
        };
        findings.get().into_iter().enumerate().map(link).collect_view()
    };
    view! {
        <p class=move || class.get() id="status">
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
