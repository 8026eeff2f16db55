//! What a dialog shows, with scripts: the search for a way, and the list of keys. All that they do has a link or a control
//! elsewhere.

use leptos::{either::Either, prelude::*};
use watchboard_wire::{EndpointName, Window};

use crate::{
    live::{Live, use_live},
    selection::{Selection, View, navigate},
};

/// What is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialog {
    Find,
    Keys,
}

/// What is in the dialog that is open.
#[component]
pub(crate) fn DialogContent() -> impl IntoView {
    let open = expect_context::<RwSignal<Option<Dialog>>>();
    move || match open.get() {
        Some(Dialog::Find) => Either::Left(view! { <Find open /> }),
        _ => Either::Right(view! { <Keys /> }),
    }
}

/// Entries of the list at most.
const MAX_ENTRIES: usize = 12;

/// A field, and the ways that fit it.
#[component]
fn Find(open: RwSignal<Option<Dialog>>) -> impl IntoView {
    let live = use_live();
    let text = RwSignal::new(String::new());
    let go = move |href: &str| {
        open.set(None);
        navigate(live.selection, true, Selection::from_query(href));
    };
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if let Some((_, href)) = text.with_untracked(|text| ways(live, text)).first() {
            go(href);
        }
    };
    let list = move || {
        let way = |(name, href): (String, String)| {
            view! { <li><a href=href on:click=move |_| open.set(None)>{name}</a></li> }
        };
        text.with(|text| ways(live, text)).into_iter().map(way).collect_view()
    };
    view! {
        <form on:submit=submit>
            <input
                type="search"
                autofocus
                aria-label="View, window or endpoint"
                placeholder="View, window or endpoint"
                autocomplete="off"
                on:input=move |event| text.set(event_target_value(&event))
            />
        </form>
        <ul class="found">{list}</ul>
    }
}

/// The ways whose names have all words of a text, with their links: views, windows, endpoints, and the filter of endpoints.
fn ways(live: Live, text: &str) -> Vec<(String, String)> {
    let wanted = text.trim().to_ascii_lowercase();
    let selection = live.selection.get();
    let views = View::ALL.map(|view| (view.word().to_owned(), selection.to_view(view).href()));
    let windows =
        Window::ALL.map(|window| (format!("window of {}", window.long_word()), selection.to_window(window).href()));
    let endpoints = live.figures.with(|figures| {
        let names = figures.endpoints.iter().filter_map(|row| row.name.as_ref().map(EndpointName::text));
        names.map(|name| (name.clone(), selection.to_endpoint(&name).href())).collect::<Vec<_>>()
    });
    let fits = |name: &str| wanted.split(' ').all(|word| name.to_ascii_lowercase().contains(word));
    let all = views.into_iter().chain(windows).chain(endpoints).filter(|(name, _)| fits(name));
    let mut ways: Vec<_> = all.take(MAX_ENTRIES).collect();
    if !wanted.is_empty() {
        let filter = Selection { filter: text.trim().to_owned(), ..selection.to_view(View::Requests) };
        ways.push((format!("endpoints with “{}”", text.trim()), filter.href()));
    }
    ways
}

const KEYS: [(&str, &str); 9] = [
    ("Ctrl K", "find a view, a window or an endpoint"),
    ("1 to 9", "the window: a minute to 13 months"),
    ("g, then o r m d", "overview, requests, memory, database"),
    ("/", "filter the endpoints"),
    ("p", "pause and go on"),
    ("← →", "on a chart: the point before and after"),
    ("Shift ← →, Enter", "on a chart: choose a span, and show it alone"),
    ("Esc", "close what is open; on a chart: back to the whole window"),
    ("?", "these keys"),
];

#[component]
fn Keys() -> impl IntoView {
    let key = |(key, does): (&'static str, &'static str)| {
        view! {
            <div>
                <dt><kbd>{key}</kbd></dt>
                <dd>{does}</dd>
            </div>
        }
    };
    view! {
        <h2>"Keys"</h2>
        <dl class="facts">{KEYS.map(key).collect_view()}</dl>
        <form method="dialog"><button autofocus>"Close"</button></form>
    }
}
