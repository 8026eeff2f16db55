//! The status in a sentence, with its duration and the findings.

use leptos::prelude::*;
use watchboard_wire::{Finding, Health, Status, format};

use crate::{
    live::{LinkState, snapshot_memo, snapshot_text, use_live},
    selection::use_selection,
};

/// The sentence, with the status as a word, a shape and a colour.
#[component]
pub(crate) fn StatusLine() -> impl IntoView {
    let live = use_live();
    let findings = snapshot_memo(|snapshot| snapshot.health.findings.clone());
    // Without new figures no state is known.
    let link = Memo::new(move |_| live.link_state());
    let word = snapshot_text(|snapshot| snapshot.health.status.word().to_owned());
    let class = move || match link.get() {
        LinkState::Stale => "status stale".to_owned(),
        LinkState::Lost => "status lost".to_owned(),
        LinkState::AsLoaded | LinkState::Live | LinkState::Paused => format!("status {}", word.get()),
    };
    let known = snapshot_text(|snapshot| sentence(&snapshot.health, snapshot.taken_at_unix_ms / 1000));
    let sentence = move || match link.get() {
        LinkState::Stale => format!("Stale. Last known: {}", known.get()),
        LinkState::Lost if live.other_build.get() => format!(
            "Servers of two builds answer at this address in turns, and only one of them can fill this page. Last known: {}",
            known.get()
        ),
        LinkState::Lost => {
            let age = format::span(live.age_seconds.get().unwrap_or_default());
            format!("No contact for {age}. Last known: {}", known.get())
        }
        LinkState::AsLoaded | LinkState::Live | LinkState::Paused => known.get(),
    };
    // It is apart from the sentence, whose durations change each second.
    let announced = move || match link.get() {
        LinkState::Lost if live.other_build.get() => "Servers of two builds answer at this address".to_owned(),
        LinkState::Lost => "No contact with the server".to_owned(),
        LinkState::Paused => "Refreshing is paused".to_owned(),
        LinkState::Stale => "The figures are stale".to_owned(),
        LinkState::AsLoaded | LinkState::Live => announcement(&word.get(), findings.with(Vec::len)),
    };
    let selection = use_selection();
    let now = snapshot_memo(|snapshot| snapshot.taken_at_unix_ms);
    let link = move |finding: &Finding| {
        let href = selection.with(|selection| selection.to_finding(&finding.about).href());
        let age = finding.age(now.get());
        view! {
            <span class=finding.severity.word()>
                <span class="age">{age}</span>
                " "
                <a href=href>{finding.sentence.clone()}</a>
            </span>
        }
    };
    let worst = move || findings.with(|findings| findings.first().map(link));
    // They open over the page, so that nothing below moves.
    let more = move || {
        findings.with(|findings| {
            (findings.len() > 1).then(|| {
                let others = findings[1..].iter().map(|finding| view! { <li>{link(finding)}</li> }).collect_view();
                view! {
                    <details>
                        <summary>{format!("+{} more", findings.len() - 1)}</summary>
                        <ul>{others}</ul>
                    </details>
                }
            })
        })
    };
    view! {
        <section class=class id="status" aria-label="State">
            <span class="mark" aria-hidden="true"></span>
            <span class="state-words">{sentence}</span>
            <span class="worst">{worst}</span>
            {more}
        </section>
        <p class="unseen" role="status">{announced}</p>
    }
}

/// What a screen reader says of a state: it changes with the state alone.
fn announcement(word: &str, findings: usize) -> String {
    match findings {
        0 => format!("The status is {word}"),
        1 => format!("The status is {word}, with one finding"),
        _ => format!("The status is {word}, with {findings} findings"),
    }
}

/// A finding has its own age, and stands beside the word.
fn sentence(health: &Health, now_unix_seconds: u64) -> String {
    let for_long = format::span(now_unix_seconds.saturating_sub(health.since_unix_ms / 1000));
    match health.status {
        Status::Healthy => format!("Healthy for {for_long}"),
        Status::Degraded => "Degraded".to_owned(),
        Status::Unhealthy => "Unhealthy".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_says_how_and_if_nothing_is_wrong_since_when() {
        let mut health = Health { since_unix_ms: 5_000, ..Health::default() };
        assert_eq!(sentence(&health, 65), "Healthy for 1\u{a0}m");
        health.status = Status::Degraded;
        assert_eq!(sentence(&health, 6), "Degraded");
    }
}
