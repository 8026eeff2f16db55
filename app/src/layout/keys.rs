//! The keys of the page. They do nothing while the viewer writes into a field, except Ctrl-K.

use std::time::Duration;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use watchboard_wire::Window;

use super::dialog_content::Dialog;
use crate::{
    live::Live,
    selection::{Selection, View, navigate},
};

/// The letters of a view come within this time of `g`.
const TOGETHER_MS: f64 = 1_500.0;
/// The looks for the filter of a view that waits for its figures, and the time between them: five seconds in all.
const LOOKS: u32 = 100;
const LOOK_EACH: Duration = Duration::from_millis(50);

/// Listens to the keys of the whole page.
pub(super) fn listen(live: Live, open: RwSignal<Option<Dialog>>) {
    let began_at = StoredValue::new(f64::NEG_INFINITY);
    let listener = window_event_listener(leptos::ev::keydown, move |event| {
        let key = event.key();
        if (event.ctrl_key() || event.meta_key()) && key == "k" {
            event.prevent_default();
            open.set(Some(Dialog::Find));
            return;
        }
        let is_modified = event.ctrl_key() || event.meta_key() || event.alt_key();
        if is_modified || open.get_untracked().is_some() || is_field(&event) {
            return;
        }
        let follows_g = event.time_stamp() - began_at.get_value() < TOGETHER_MS;
        began_at.set_value(if key == "g" { event.time_stamp() } else { f64::NEG_INFINITY });
        let go = |to: Selection| navigate(live.selection, true, to);
        let selection = live.selection.get_untracked();
        match (&*key, follows_g) {
            ("o", true) => go(selection.to_view(View::Overview)),
            ("r", true) => go(selection.to_view(View::Requests)),
            ("m", true) => go(selection.to_view(View::Memory)),
            ("d", true) => go(selection.to_view(View::Database)),
            ("p", _) => live.preferences.update(|preferences| preferences.paused = !preferences.paused),
            ("?", _) => open.set(Some(Dialog::Keys)),
            ("Escape", _) => close(),
            ("ArrowLeft" | "ArrowRight", _) if !is_of_chart(&event) => {
                let by = if key == "ArrowLeft" { -1 } else { 1 };
                if let Some(name) = beside(&live, &selection, by) {
                    go(selection.to_endpoint(&name));
                }
            }
            ("/", _) => {
                event.prevent_default();
                focus_filter(live);
            }
            (digit, _) => {
                let index = digit.parse::<usize>().ok().and_then(|digit| digit.checked_sub(1));
                if let Some(window) = index.and_then(|index| Window::ALL.get(index)) {
                    go(selection.to_window(*window));
                }
            }
        }
    });
    // A click beside an open menu closes it.
    let clicks = window_event_listener(leptos::ev::click, move |event| {
        let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        if target.is_some_and(|target| target.closest("details").ok().flatten().is_none()) {
            close_menus();
        }
    });
    on_cleanup(move || {
        listener.remove();
        clicks.remove();
    });
}

/// Whether a key belongs to a field.
fn is_field(event: &web_sys::KeyboardEvent) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    target.is_some_and(|target| matches!(&*target.tag_name(), "INPUT" | "SELECT" | "TEXTAREA"))
}

/// Whether a key moves the crosshair of a chart.
fn is_of_chart(event: &web_sys::KeyboardEvent) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    target.is_some_and(|target| target.closest(".plot").ok().flatten().is_some())
}

/// The endpoint before or after the one that is shown, in the order of the table.
fn beside(live: &Live, selection: &Selection, by: isize) -> Option<String> {
    let shown = selection.endpoint.as_ref()?;
    live.table_order.with_value(|order| {
        let at = order.iter().position(|name| name == shown)?;
        order.get(at.checked_add_signed(by)?).cloned()
    })
}

/// Closes the menus, or the drawer if no menu is open.
fn close() {
    if !close_menus()
        && let Ok(Some(link)) = document().query_selector(".drawer .close")
        && let Some(link) = link.dyn_ref::<web_sys::HtmlElement>()
    {
        link.click();
    }
}

/// Closes the menus that are open over the page, and says whether one was.
fn close_menus() -> bool {
    let mut was_open = false;
    let open = document().get_elements_by_tag_name("details");
    for index in 0..open.length() {
        if let Some(details) = open.item(index).filter(|it| it.closest(".menu, .status").ok().flatten().is_some()) {
            was_open |= details.has_attribute("open");
            let _ = details.remove_attribute("open");
        }
    }
    was_open
}

/// Focuses the filter. From other views this goes to it first.
fn focus_filter(live: Live) {
    if !focus_if_there() {
        navigate(live.selection, true, live.selection.get_untracked().to_view(View::Requests));
        focus_until(LOOKS);
    }
}

/// Whether the filter is there; it has the focus then.
fn focus_if_there() -> bool {
    let field = document().get_element_by_id("filter").and_then(|field| field.dyn_into::<web_sys::HtmlElement>().ok());
    field.is_some_and(|field| field.focus().is_ok())
}

/// Focuses the filter as soon as its view has its figures.
fn focus_until(looks: u32) {
    if looks > 0 && !focus_if_there() {
        set_timeout(move || focus_until(looks - 1), LOOK_EACH);
    }
}
