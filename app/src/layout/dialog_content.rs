//! What a dialog shows, with scripts: the search for a way, and the list of keys. All that they do has a link or a control
//! elsewhere.

use leptos::{either::Either, prelude::*};
use watchboard_wire::{EndpointName, Window};

use crate::{
    context::context,
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
    let open = context::<RwSignal<Option<Dialog>>>();
    move || match open.get() {
        Some(Dialog::Find) => Either::Left(view! { <Find open /> }),
        _ => Either::Right(view! { <Keys /> }),
    }
}

/// What the bar and its menu can do.
#[cfg(feature = "hydrate")]
const CONTROLS: &str = ".controls button, .menu li a";
/// Entries of the list at most.
const MAX_ENTRIES: usize = 12;

/// A field, and the ways that fit it.
#[component]
fn Find(open: RwSignal<Option<Dialog>>) -> impl IntoView {
    let live = use_live();
    let text = RwSignal::new(String::new());
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let first = text.with_untracked(|text| ways(live, text)).into_iter().next();
        if let Some((_, way)) = first {
            open.set(None);
            match way {
                Way::Link(href) => navigate(live.selection, true, Selection::from_query(&href)),
                Way::Control(index) => click_control(index),
            }
        }
    };
    let list = move || {
        let way = |(name, way): (String, Way)| match way {
            Way::Link(href) => {
                Either::Left(view! { <li><a href=href on:click=move |_| open.set(None)>{name}</a></li> })
            }
            Way::Control(index) => {
                let act = move |_| {
                    open.set(None);
                    click_control(index);
                };
                Either::Right(view! { <li><button type="button" on:click=act>{name}</button></li> })
            }
        };
        text.with(|text| ways(live, text)).into_iter().map(way).collect_view()
    };
    view! {
        <form on:submit=submit>
            <input
                type="search"
                autofocus
                aria-label="View, window, endpoint or action"
                placeholder="View, window, endpoint or action"
                autocomplete="off"
                on:input=move |event| text.set(event_target_value(&event))
            />
        </form>
        <ul class="found">{list}</ul>
    }
}

/// Where an entry leads.
#[derive(Clone)]
enum Way {
    Link(String),
    /// A control of the bar or its menu, by its number.
    #[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "the server opens no dialog"))]
    Control(u32),
}

/// The controls of the bar and of its menu, by their words.
#[cfg(feature = "hydrate")]
fn controls() -> Vec<(String, Way)> {
    let controls = document().query_selector_all(CONTROLS).ok();
    let word = |index| {
        let text = controls.as_ref()?.item(index)?.text_content()?;
        Some((text.trim().to_owned(), Way::Control(index)))
    };
    (0..controls.as_ref().map_or(0, web_sys::NodeList::length)).filter_map(word).collect()
}

#[cfg(feature = "hydrate")]
fn click_control(index: u32) {
    use wasm_bindgen::JsCast;
    let control = document().query_selector_all(CONTROLS).ok().and_then(|controls| controls.item(index));
    if let Some(control) = control.and_then(|control| control.dyn_into::<web_sys::HtmlElement>().ok()) {
        control.click();
    }
}

#[cfg(not(feature = "hydrate"))]
fn controls() -> Vec<(String, Way)> {
    vec![]
}

#[cfg(not(feature = "hydrate"))]
fn click_control(_: u32) {}

/// The ways whose names have all words of a text: views, windows, endpoints, the controls of the bar, and the filter of endpoints.
fn ways(live: Live, text: &str) -> Vec<(String, Way)> {
    let wanted = text.trim().to_ascii_lowercase();
    let selection = live.selection.get();
    let views = View::ALL.map(|view| (view.word().to_owned(), Way::Link(selection.to_view(view).href())));
    let windows = Window::ALL.map(|window| {
        let name = format!("window {}: the last {}", window.word(), window.long_word());
        (name, Way::Link(selection.to_window(window).href()))
    });
    let endpoints = live.figures.with(|figures| {
        let names = figures.endpoints.iter().filter_map(|row| row.name.as_ref().map(EndpointName::text));
        names.map(|name| (name.clone(), Way::Link(selection.to_endpoint(&name).href()))).collect::<Vec<_>>()
    });
    let fits = |name: &str| wanted.split(' ').all(|word| name.to_ascii_lowercase().contains(word));
    // Without a word of theirs the controls would hide the endpoints.
    let actions = if wanted.is_empty() { vec![] } else { controls() };
    let all = views.into_iter().chain(windows).chain(actions).chain(endpoints).filter(|(name, _)| fits(name));
    let mut ways: Vec<_> = all.take(MAX_ENTRIES).collect();
    if !wanted.is_empty() {
        let filter = Selection { filter: text.trim().to_owned(), ..selection.to_view(View::Requests) };
        ways.push((format!("endpoints with “{}”", text.trim()), Way::Link(filter.href())));
    }
    ways
}

const KEYS: [(&str, &str); 10] = [
    ("Ctrl K", "find a view, a window, an endpoint or an action"),
    ("1 to 9", "the window: a minute to 13 months"),
    ("g, then o r m d", "overview, requests, memory, database"),
    ("/", "filter the endpoints"),
    ("p", "pause and go on"),
    ("← →", "on an endpoint's page: the one before and after it in the table"),
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
