//! How fresh the page is, and the viewer's controls over it.

use leptos::prelude::*;

use crate::{
    format,
    live::{Link, use_live},
    preferences::{INTERVALS, interval},
    view::View,
};

/// Freshness, interval, pause, refresh and theme.
#[component]
pub(crate) fn Controls(view: RwSignal<View>) -> impl IntoView {
    let live = use_live();
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
            <a class="button" href=move || view.get().href() aria-busy=move || live.refreshing.get().then_some("true") on:click=refresh>"Refresh"</a>
            <button
                class="scripted"
                type="button"
                title="Light, dark, or as the system says"
                on:click=move |_| preferences.update(|preferences| preferences.theme = preferences.theme.next())
            >
                {move || format!("Theme: {}", preferences.with(|preferences| preferences.theme.word()))}
            </button>
        </div>
    }
}

/// Live, paused, stale or lost, by word, shape and colour, with the time of the figures.
#[component]
fn Freshness() -> impl IntoView {
    let live = use_live();
    let link = Memo::new(move |_| live.link());
    let taken_at = Memo::new(move |_| live.snapshot.with(|snapshot| format::clock(snapshot.taken_at_unix_ms)));
    let class = move || match link.get() {
        Link::AsLoaded => "freshness as-loaded",
        Link::Live => "freshness live",
        Link::Paused => "freshness paused",
        Link::Stale => "freshness stale",
        Link::Lost => "freshness lost",
    };
    let age = move || live.age_seconds.get().map(|seconds| format::span(seconds) + " ago").unwrap_or_default();
    let words = move || match link.get() {
        Link::AsLoaded => "As loaded".to_owned(),
        Link::Live => "Live".to_owned(),
        Link::Paused => format!("Paused, figures of {}", age()),
        Link::Stale => format!("Stale, figures of {}", age()),
        Link::Lost => format!("Lost, trying again, figures of {}", age()),
    };
    view! {
        <p class=class role="status">
            <span class="mark" aria-hidden="true"></span>
            <span class="words">{words}</span>
            <time title="Time of the figures">{move || taken_at.get()} " UTC"</time>
        </p>
    }
}
