//! Elements of the page: found by their places or links, and focused.

use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// Between the parts of a place.
const STEP: char = '/';

/// The place of an element: the nearest id around it, and the positions among their siblings from there down to it. `endpoints/1/0/2`.
pub(super) fn place_of(element: &web_sys::Element) -> String {
    let mut place = String::new();
    let mut at = element.clone();
    while at.id().is_empty() {
        let Some(parent) = at.parent_element() else { break };
        let siblings = parent.children();
        let position = (0..siblings.length()).find(|index| siblings.item(*index).as_ref() == Some(&at));
        place = format!("{STEP}{}{place}", position.unwrap_or_default());
        at = parent;
    }
    at.id() + &place
}

/// The element at a place.
pub(super) fn at_place(place: &str) -> Option<web_sys::Element> {
    let mut steps = place.split(STEP);
    let root = document().get_element_by_id(steps.next()?)?;
    steps.try_fold(root, |at, position| at.children().item(position.parse().ok()?))
}

/// Focuses the element at a place. If that is no link with this address any more, the first such link does, of those around the place, or of
/// the page.
pub(super) fn focus_at(place: &str, href: Option<&str>) {
    let is_same = |element: &web_sys::Element| element.get_attribute("href").as_deref() == href;
    let around = || {
        let root = document().get_element_by_id(place.split(STEP).next()?)?;
        links(&root.get_elements_by_tag_name("a")).find(is_same)
    };
    let found = at_place(place).filter(is_same).or_else(|| href.and_then(|_| around()));
    match (found, href) {
        (Some(found), _) => focus(&found),
        (None, Some(href)) => focus_link(href),
        (None, None) => {}
    }
}

/// Focuses the first link with this address.
pub(super) fn focus_link(href: &str) {
    let links = document().get_elements_by_tag_name("a");
    self::links(&links).find(|link| link.get_attribute("href").as_deref() == Some(href)).iter().for_each(focus);
}

fn links(all: &web_sys::HtmlCollection) -> impl Iterator<Item = web_sys::Element> {
    (0..all.length()).filter_map(|index| all.item(index))
}

pub(super) fn focus(element: &web_sys::Element) {
    if let Some(element) = element.dyn_ref::<web_sys::HtmlElement>() {
        let options = web_sys::FocusOptions::new();
        options.set_prevent_scroll(true);
        let _ = element.focus_with_options(&options);
    }
}
