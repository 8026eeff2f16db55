//! The freshness of the figures, and the viewer's controls.

use leptos::prelude::*;
use watchboard_wire::format;

use super::{menu::Menu, viewer::SignOut};
use crate::{
    figures::Figures,
    live::{LinkState, snapshot_text, use_live},
};

/// Freshness, pause and the menu.
#[component]
pub(crate) fn Controls() -> impl IntoView {
    let preferences = use_live().preferences;
    let paused = move || preferences.with(|preferences| preferences.paused);
    view! {
        <div class="controls">
            <Freshness />
            <button
                class="scripted"
                type="button"
                aria-pressed=move || paused().to_string()
                on:click=move |_| preferences.update(|preferences| preferences.paused = !preferences.paused)
            >
                {move || if paused() { "Resume" } else { "Pause" }}
            </button>
            <SignOut />
            <Menu />
        </div>
    }
}

/// The freshness by word, shape and colour, with the time of the figures.
#[component]
fn Freshness() -> impl IntoView {
    let live = use_live();
    let link = Memo::new(move |_| live.link_state());
    let taken_at = snapshot_text(|snapshot| snapshot.clock(snapshot.taken_at_unix_ms));
    let date = snapshot_text(|snapshot| snapshot.date_time(snapshot.taken_at_unix_ms));
    let is_past = Memo::new(move |_| live.figures.with(Figures::is_past));
    let state = move || match link.get() {
        LinkState::Live if is_past.get() => ("freshness paused", "Past"),
        LinkState::AsLoaded => ("freshness as-loaded", "As loaded"),
        LinkState::Live => ("freshness live", "Live"),
        LinkState::Paused => ("freshness paused", "Paused"),
        LinkState::Stale => ("freshness stale", "Stale"),
        LinkState::Lost => ("freshness lost", "Lost"),
    };
    let age = move || match (link.get(), live.age_seconds.get()) {
        (LinkState::Paused | LinkState::Stale | LinkState::Lost, Some(seconds)) => {
            format!("{} ago", format::span(seconds))
        }
        _ => String::new(),
    };
    // One of both, at one place of a fixed width: nothing moves when the contact is lost.
    // A past span has its times in its notice.
    let taken_at = move || if age().is_empty() && !is_past.get() { taken_at.get() } else { String::new() };
    view! {
        <p class=move || state().0>
            <span class="mark" aria-hidden="true"></span>
            <span class="words">{move || state().1}</span>
            <span class="when">
                <span class="age">{age}</span>
                <time title=move || format!("Time of the figures: {}", date.get())>{taken_at}</time>
            </span>
        </p>
    }
}
