//! The menu of the bar: the viewer's preferences, ways to other shapes of the page, and what the page is.

use leptos::prelude::*;
use watchboard_wire::{EarlierSpan, format};

use super::{dialog_content::Dialog, nav::window_links};
use crate::{
    context::context,
    live::use_live,
    preferences::{INTERVALS, browser_zone, interval},
    selection::Selection,
};

/// The menu. It opens over the page, without scripts too.
#[component]
pub(crate) fn Menu() -> impl IntoView {
    let live = use_live();
    let selection = live.selection;
    // The figures that are shown, as a span that stands still.
    let beside_day = move || {
        selection.with(|selection| {
            let shown = live.figures.with(|figures| figures.seconds_of((0, figures.span().points - 2)));
            let span = selection.span.or(Some(shown));
            selection.to_span(span).to_earlier(Some(EarlierSpan::Day)).href()
        })
    };
    let to_wall = move || selection.with(|selection| Selection { wall: true, ..selection.clone() }.href());
    view! {
        <details class="menu" id="menu">
            <summary>"Menu"</summary>
            <ul>
                <li class="narrow"><div role="group" aria-label="Window of time">{window_links()}</div></li>
                <li><RefreshLink /></li>
                <li class="scripted"><Interval /></li>
                <li class="scripted"><ThemeButton /></li>
                <li class="scripted"><ZoneButton /></li>
                <li class="scripted"><DialogButton dialog=Dialog::Find word="Find…" key="Ctrl K" /></li>
                <li class="scripted"><DialogButton dialog=Dialog::Keys word="Help: keys…" key="?" /></li>
                <li><SpanFields /></li>
                <li><a href=beside_day>"Beside the day before"</a></li>
                <li><a href=to_wall>"Display for a wall"</a></li>
                <li class="note">"Its own cost: in the memory view."</li>
            </ul>
        </details>
    }
}

/// The two times of a past span. It is a form, so that it works without scripts, and text, since elements would be code of the first view.
#[component]
fn SpanFields() -> impl IntoView {
    let selection = use_live().selection;
    let fields = move || {
        let (view, window, span) =
            selection.with(|selection| (selection.view.word(), selection.window.word(), selection.span));
        // They hold the span that is shown.
        let time = |second: u64| format::date_time(second.saturating_mul(1000), "").trim_end().replace(' ', "T");
        let (from, to) = span.map(|(from, to)| (time(from), time(to))).unwrap_or_default();
        [
            "<input type=hidden name=view value=",
            view,
            "><input type=hidden name=window value=",
            window,
            "><label>From, UTC <input type=datetime-local name=from step=1 required value='",
            &from,
            "'></label><label>To, UTC <input type=datetime-local name=to step=1 required value='",
            &to,
            "'></label><button>Show this span</button>",
        ]
        .concat()
    };
    view! { <form id="span" method="get" inner_html=fields></form> }
}

/// A link that loads the page again. With scripts it loads the figures alone.
#[component]
fn RefreshLink() -> impl IntoView {
    let live = use_live();
    let refresh = move |event: leptos::ev::MouseEvent| {
        event.prevent_default();
        live.refresh();
    };
    view! {
        <a
            href=move || live.selection.with(Selection::href)
            aria-busy=move || live.refreshing.get().then_some("true")
            on:click=refresh
        >
            "Refresh now"
        </a>
    }
}

#[component]
fn Interval() -> impl IntoView {
    let preferences = use_live().preferences;
    let choose = move |event| {
        if let Some(seconds) = interval(&event_target_value(&event)) {
            preferences.update(|preferences| preferences.interval_seconds = seconds);
        }
    };
    let options = INTERVALS.map(|seconds| {
        let selected = move || preferences.with(|preferences| preferences.interval_seconds == seconds);
        view! { <option value=seconds selected=selected prop:selected=selected>{format!("{seconds}\u{a0}s")}</option> }
    });
    view! {
        <label>
            "Refresh every "
            <select on:change=choose>{options.collect_view()}</select>
        </label>
    }
}

#[component]
fn ThemeButton() -> impl IntoView {
    let preferences = use_live().preferences;
    view! {
        <button
            type="button"
            on:click=move |_| preferences.update(|preferences| preferences.theme = preferences.theme.next())
        >
            {move || format!("Theme: {}", preferences.with(|preferences| preferences.theme.word()))}
        </button>
    }
}

#[component]
fn ZoneButton() -> impl IntoView {
    let preferences = use_live().preferences;
    let is_local = move || preferences.with(|preferences| preferences.zone_minutes.is_some());
    let change = move |_| {
        preferences.update(|preferences| {
            preferences.zone_minutes = preferences.zone_minutes.is_none().then(browser_zone);
        });
    };
    view! {
        <button type="button" on:click=change>
            {move || if is_local() { "Times: of this browser" } else { "Times: UTC" }}
        </button>
    }
}

#[component]
fn DialogButton(dialog: Dialog, word: &'static str, key: &'static str) -> impl IntoView {
    let open = context::<RwSignal<Option<Dialog>>>();
    view! {
        <button type="button" on:click=move |_| open.set(Some(dialog))>
            {word}
            <kbd>{key}</kbd>
        </button>
    }
}
