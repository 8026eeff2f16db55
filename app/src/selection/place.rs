//! Where the viewer was on the page: how far it was scrolled, and the link that led away. Each entry of the browser's history keeps its own.

use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};

/// A view that comes back may have to wait for its figures.
const RESTORE_WITHIN_MS: f64 = 5_000.0;
const BETWEEN: char = ' ';

/// Keeps the place in the current entry, before a link leads away from it.
pub(super) fn keep(href: &str) {
    // Whole pixels: code that reads fractions is large.
    let scrolled = window().scroll_y().unwrap_or_default().round() as i32;
    let state = JsValue::from_str(&format!("{scrolled}{BETWEEN}{href}"));
    if let Ok(history) = window().history() {
        // Without it the way back leads to the top.
        let _ = history.replace_state_with_url(&state, "", None);
    }
}

/// Goes to the top of another view. Whoever followed a link that is gone goes on in the view.
pub(super) fn begin() {
    window().scroll_to_with_x_and_y(0.0, 0.0);
    request_animation_frame(focus_view_if_lost);
}

/// Focuses the link that opened what is closed now. Whoever closed it goes on in the view if the link is gone.
pub(super) fn return_focus(href: String) {
    request_animation_frame(move || {
        focus_link(&href);
        focus_view_if_lost();
    });
}

fn focus_view_if_lost() {
    let is_lost = document().active_element().is_none_or(|active| active.tag_name() == "BODY");
    if is_lost && let Some(view) = document().get_element_by_id("view") {
        focus(&view);
    }
}

fn focus_link(href: &str) {
    links().find(|link| link.get_attribute("href").as_deref() == Some(href)).iter().for_each(focus);
}

/// Goes back to the place of the current entry, as soon as the page is long enough.
pub(super) fn restore() {
    let Some(state) = state() else { return };
    let place = state.split_once(BETWEEN).and_then(|(scrolled, href)| Some((scrolled.parse().ok()?, href.to_owned())));
    if let Some((scrolled, href)) = place {
        step(state, scrolled, href, now_ms() + RESTORE_WITHIN_MS);
    }
}

/// What the current entry keeps.
fn state() -> Option<String> {
    window().history().and_then(|history| history.state()).ok()?.as_string()
}

fn step(entry: String, scrolled: i32, href: String, until: f64) {
    request_animation_frame(move || {
        // The viewer may have gone on meanwhile.
        if state().as_deref() != Some(&*entry) {
            return;
        }
        let room = document().document_element().map_or(0, |page| page.scroll_height() - page.client_height());
        if room >= scrolled {
            window().scroll_to_with_x_and_y(0.0, scrolled.into());
            focus_link(&href);
        } else if now_ms() < until {
            step(entry, scrolled, href, until);
        }
    });
}

fn links() -> impl Iterator<Item = web_sys::Element> {
    let links = document().get_elements_by_tag_name("a");
    (0..links.length()).filter_map(move |index| links.item(index))
}

fn focus(element: &web_sys::Element) {
    if let Some(element) = element.dyn_ref::<web_sys::HtmlElement>() {
        let options = web_sys::FocusOptions::new();
        options.set_prevent_scroll(true);
        let _ = element.focus_with_options(&options);
    }
}

fn now_ms() -> f64 {
    window().performance().map_or(0.0, |performance| performance.now())
}
