//! Keeps the page and its URL in step: links, back and forward, and changes by the page itself.

use leptos::prelude::*;

use super::Selection;
use crate::context::context;

/// Puts the selection of the URL into the context, and follows back and forward.
pub(crate) fn provide() -> RwSignal<Selection> {
    let selection = RwSignal::new(Selection::from_query(&query()));
    provide_context(selection);
    #[cfg(feature = "hydrate")]
    {
        let listener = window_event_listener_untyped("popstate", move |_| {
            selection.set(Selection::from_query(&query()));
            super::place::restore();
        });
        super::place::follow();
        let clicks = window_event_listener(leptos::ev::click, move |event| follow_link(&event, selection));
        on_cleanup(move || {
            listener.remove();
            clicks.remove();
        });
    }
    selection
}

/// The selection of this page.
pub(crate) fn use_selection() -> RwSignal<Selection> {
    context()
}

fn query() -> String {
    #[cfg(feature = "ssr")]
    return use_context::<crate::page_request::PageRequest>().unwrap_or_default().query;
    #[cfg(feature = "hydrate")]
    return window().location().search().unwrap_or_default();
    #[cfg(not(any(feature = "ssr", feature = "hydrate")))]
    String::new()
}

/// Follows a plain click on a link of the page without a reload. The browser keeps clicks that ask for a new tab or
/// window.
#[cfg(feature = "hydrate")]
fn follow_link(event: &web_sys::MouseEvent, selection: RwSignal<Selection>) {
    use wasm_bindgen::JsCast;
    let plain = event.button() == 0 && !(event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key());
    if !plain || event.default_prevented() {
        return;
    }
    let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    let link = target.and_then(|target| target.closest("a[href^='?']").ok().flatten());
    if let Some((href, link)) = link.and_then(|link| Some((link.get_attribute("href")?, link))) {
        event.prevent_default();
        // Not every browser focuses a link that is clicked.
        super::elements::focus(&link);
        super::place::keep();
        navigate(selection, true, Selection::from_query(&href));
    }
}

/// Goes to `to`. With `step` this adds an entry to the browser's history; otherwise it replaces the current entry.
pub(crate) fn navigate(selection: RwSignal<Selection>, step: bool, to: Selection) {
    if selection.with_untracked(|selection| *selection == to) {
        return;
    }
    #[cfg(feature = "hydrate")]
    let is_other_view = selection.with_untracked(|from| (from.view, &from.endpoint) != (to.view, &to.endpoint));
    #[cfg(feature = "hydrate")]
    let closed = selection
        .with_untracked(|from| (from.request.is_some() && to.request.is_none() && !is_other_view).then(|| from.href()));
    #[cfg(feature = "hydrate")]
    if let Ok(history) = window().history() {
        let url = to.href();
        // Back does not open again what was closed.
        let _ = if step && closed.is_none() {
            super::place::leave();
            history.push_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(&url))
        } else {
            history.replace_state_with_url(&history.state().unwrap_or_default(), "", Some(&url))
        };
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = step;
    selection.set(to);
    #[cfg(feature = "hydrate")]
    if is_other_view {
        super::place::begin();
    } else if let Some(href) = closed {
        super::place::return_focus(href);
    }
}
