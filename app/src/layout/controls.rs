//! The freshness of the figures, and the viewer's controls.

use leptos::prelude::*;
use watchboard_wire::format;

use super::viewer::SignOut;
use crate::{
    live::{LinkState, snapshot_text, use_live},
    preferences::{INTERVALS, interval},
    selection::Selection,
};

/// Freshness, interval, pause, refresh and theme.
#[component]
pub(crate) fn Controls() -> impl IntoView {
    let live = use_live();
    let selection = live.selection;
    let preferences = live.preferences;
    let paused = move || preferences.with(|preferences| preferences.paused);
    let choose = move |event| {
        if let Some(seconds) = interval(&event_target_value(&event)) {
            preferences.update(|preferences| preferences.interval_seconds = seconds);
        }
    };
    let options = INTERVALS.map(|seconds| {
        let selected = move || preferences.with(|preferences| preferences.interval_seconds == seconds);
        view! { <option value=seconds selected=selected prop:selected=selected>{format!("{seconds}\u{a0}s")}</option> }
    });
    let refresh = move |event: leptos::ev::MouseEvent| {
        event.prevent_default();
        live.refresh();
    };
    view! {
        <div class="controls">
            <Freshness />
            <label class="scripted">
                "every "
                <select on:change=choose>{options.collect_view()}</select>
            </label>
            <button
                class="scripted"
                type="button"
                aria-pressed=move || paused().to_string()
                on:click=move |_| preferences.update(|preferences| preferences.paused = !preferences.paused)
            >
                {move || if paused() { "Resume" } else { "Pause" }}
            </button>
            <a class="button" href=move || selection.with(Selection::href) aria-busy=move || live.refreshing.get().then_some("true") on:click=refresh>"Refresh"</a>
            <button
                class="scripted"
                type="button"
                title="Light, dark, or as the system says"
                on:click=move |_| preferences.update(|preferences| preferences.theme = preferences.theme.next())
            >
                {move || format!("Theme: {}", preferences.with(|preferences| preferences.theme.word()))}
            </button>
            <SignOut />
        </div>
    }
}

/// The freshness by word, shape and colour, with the time of the figures.
#[component]
fn Freshness() -> impl IntoView {
    let live = use_live();
    let link = Memo::new(move |_| live.link_state());
    let taken_at = snapshot_text(|snapshot| snapshot.clock(snapshot.taken_at_unix_ms));
    let state = move || match link.get() {
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
    let taken_at = move || if age().is_empty() { format!("{} UTC", taken_at.get()) } else { String::new() };
    view! {
        <p class=move || state().0>
            <span class="mark" aria-hidden="true"></span>
            <span class="words">{move || state().1}</span>
            <span class="when">
                <span class="age">{age}</span>
                <time title="Time of the figures">{taken_at}</time>
            </span>
        </p>
    }
}
