//! Where the viewer was on the page: how far it was scrolled, and what had the focus. Each entry of the browser's history keeps its own,
//! so that back and forward lead to it.

use std::cell::Cell;

use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

use super::elements::{focus, focus_at, focus_link, place_of};

/// A view that comes back may have to wait for its figures.
const RESTORE_WITHIN_MS: f64 = 5_000.0;
/// The frames in which a table draws the rows of its place: a third of a second.
const FRAMES: u32 = 20;
const BETWEEN: char = ' ';
thread_local! {
    /// The number of the last way to another entry.
    static WAY: Cell<u32> = const { Cell::new(0) };
    /// Whether its place is being restored: what scrolls and takes the focus meanwhile is not the viewer.
    static IS_UNDER_WAY: Cell<bool> = const { Cell::new(false) };
}

/// Keeps the place in the current entry from now on, whenever the viewer has scrolled or moved the focus.
pub(super) fn follow() {
    let keep = Closure::<dyn Fn()>::new(|| {
        if !IS_UNDER_WAY.get() {
            keep();
        }
    });
    for event in ["scrollend", "focusin"] {
        // A table that scrolls tells it to those alone who capture it.
        let _ = document().add_event_listener_with_callback_and_bool(event, keep.as_ref().unchecked_ref(), true);
    }
    keep.forget();
}

/// Keeps the place in the current entry: how far the page and the table in it are scrolled, and what has the focus.
pub(super) fn keep() {
    // Whole pixels: code that reads fractions is large.
    let scrolled = window().scroll_y().unwrap_or_default().round() as i32;
    let table = tall_table().map_or(0, |table| table.scroll_top());
    let focused = focused().unwrap_or_default();
    let state = JsValue::from_str(&format!("{scrolled}{BETWEEN}{table}{BETWEEN}{focused}"));
    if let Ok(history) = window().history() {
        // Without it the way back leads to the top.
        let _ = history.replace_state_with_url(&state, "", None);
    }
}

/// The place of what has the focus, and its address if it is a link.
fn focused() -> Option<String> {
    let focused = document().active_element().filter(|focused| focused.tag_name() != "BODY")?;
    Some(format!("{}{BETWEEN}{}", place_of(&focused), focused.get_attribute("href").unwrap_or_default()))
}

fn focus_again(focused: &str) {
    let (place, href) = focused.split_once(BETWEEN).unwrap_or((focused, ""));
    focus_at(place, Some(href).filter(|href| !href.is_empty()));
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

/// The viewer goes to another entry: nothing is restored on the one that is left.
pub(super) fn leave() {
    WAY.set(WAY.get() + 1);
    IS_UNDER_WAY.set(false);
}

/// Goes back to the place of the current entry, as soon as the page is long enough.
pub(super) fn restore() {
    leave();
    let Some(state) = window().history().and_then(|history| history.state()).ok().and_then(|state| state.as_string())
    else {
        return;
    };
    let mut parts = state.splitn(3, BETWEEN);
    let mut number = || parts.next()?.parse().ok();
    if let (Some(scrolled), Some(table)) = (number(), number()) {
        let focused = parts.next().unwrap_or_default().to_owned();
        IS_UNDER_WAY.set(true);
        step(WAY.get(), ViewerPlace { scrolled, table, focused }, now_ms() + RESTORE_WITHIN_MS);
    }
}

struct ViewerPlace {
    scrolled: i32,
    table: i32,
    focused: String,
}

fn step(way: u32, place: ViewerPlace, until: f64) {
    request_animation_frame(move || {
        // The viewer may have gone on meanwhile.
        if WAY.get() != way {
            return;
        }
        let page = document().document_element();
        let room = page.map_or(0, |page| page.scroll_height() - page.client_height());
        let table = tall_table();
        let room_of_table = table.as_ref().map_or(0, |table| table.scroll_height() - table.client_height());
        if room >= place.scrolled && room_of_table >= place.table {
            window().scroll_to_with_x_and_y(0.0, place.scrolled.into());
            if let Some(table) = table.filter(|_| place.table > 0) {
                table.set_scroll_top(place.table);
            }
            hold_focus(way, place.focused, FRAMES);
        } else if now_ms() < until {
            step(way, place, until);
        } else {
            IS_UNDER_WAY.set(false);
        }
    });
}

/// Focuses an element, again if the rows of its table are drawn anew, which takes some frames.
fn hold_focus(way: u32, place: String, frames: u32) {
    if focused().as_deref() != Some(&*place) {
        focus_again(&place);
    }
    request_animation_frame(move || {
        if WAY.get() != way {
        } else if frames > 0 {
            hold_focus(way, place, frames - 1);
        } else {
            IS_UNDER_WAY.set(false);
        }
    });
}

fn tall_table() -> Option<web_sys::Element> {
    document().query_selector(".tall").ok().flatten()
}

fn now_ms() -> f64 {
    window().performance().map_or(0.0, |performance| performance.now())
}
