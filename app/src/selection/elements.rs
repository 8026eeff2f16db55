//! Elements of the view: found by their places or links, and focused.

use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// The positions among its siblings of an element and of all around it, up to the view.
pub(super) fn place_in_view(element: &web_sys::Element) -> Vec<u32> {
    let mut place = vec![];
    let mut at = element.clone();
    while at.id() != "view" {
        let Some(parent) = at.parent_element() else { break };
        let siblings = parent.children();
        let position = (0..siblings.length()).find(|index| siblings.item(*index).as_ref() == Some(&at));
        place.push(position.unwrap_or_default());
        at = parent;
    }
    place
}

pub(super) fn at_place(place: &[u32]) -> Option<web_sys::Element> {
    let view = document().get_element_by_id("view")?;
    place.iter().rev().try_fold(view, |at, position| at.children().item(*position))
}

/// Focuses the first link with this address.
pub(super) fn focus_link(href: &str) {
    links().find(|link| link.get_attribute("href").as_deref() == Some(href)).iter().for_each(focus);
}

fn links() -> impl Iterator<Item = web_sys::Element> {
    let links = document().get_elements_by_tag_name("a");
    (0..links.length()).filter_map(move |index| links.item(index))
}

pub(super) fn focus(element: &web_sys::Element) {
    if let Some(element) = element.dyn_ref::<web_sys::HtmlElement>() {
        let options = web_sys::FocusOptions::new();
        options.set_prevent_scroll(true);
        let _ = element.focus_with_options(&options);
    }
}
