//! Where the viewer was on the page: how far it was scrolled, and the link that led away. Each entry of the browser's history keeps its own.

use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};

/// A view that comes back may have to wait for its figures.
const RESTORE_WITHIN_MS: f64 = 5_000.0;
/// The frames in which a table draws the rows of its place: a third of a second.
const FRAMES: u32 = 20;
const BETWEEN: char = ' ';

/// Keeps the place in the current entry, before a link leads away from it: of the page, and of the table that scrolls within it.
pub(super) fn keep(href: &str) {
    // Whole pixels: code that reads fractions is large.
    let scrolled = window().scroll_y().unwrap_or_default().round() as i32;
    let table = tall_table().map_or(0, |table| table.scroll_top());
    let state = JsValue::from_str(&format!("{scrolled}{BETWEEN}{table}{BETWEEN}{href}"));
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
    let mut parts = state.splitn(3, BETWEEN);
    let mut number = || parts.next()?.parse().ok();
    if let (Some(scrolled), Some(table)) = (number(), number()) {
        let href = parts.next().unwrap_or_default().to_owned();
        step(state.clone(), ViewerPlace { scrolled, table, href }, now_ms() + RESTORE_WITHIN_MS);
    }
}

struct ViewerPlace {
    scrolled: i32,
    table: i32,
    href: String,
}

/// What the current entry keeps.
fn state() -> Option<String> {
    window().history().and_then(|history| history.state()).ok()?.as_string()
}

fn step(entry: String, place: ViewerPlace, until: f64) {
    request_animation_frame(move || {
        // The viewer may have gone on meanwhile.
        if state().as_deref() != Some(&*entry) {
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
            hold_focus(entry, place.href, FRAMES);
        } else if now_ms() < until {
            step(entry, place, until);
        }
    });
}

/// Focuses a link, again if the rows of its table are drawn anew, which takes some frames.
fn hold_focus(entry: String, href: String, frames: u32) {
    let focused = document().active_element().and_then(|active| active.get_attribute("href"));
    if focused.as_deref() != Some(&*href) {
        focus_link(&href);
    }
    request_animation_frame(move || {
        if frames > 0 && state().as_deref() == Some(&*entry) {
            hold_focus(entry, href, frames - 1);
        }
    });
}

fn tall_table() -> Option<web_sys::Element> {
    document().query_selector(".tall").ok().flatten()
}

/// Keeps the focus, the open folds and the selected text while a part that the server drew is replaced by the same part: by their places
/// in the view.
pub(crate) fn keep_viewer_state() {
    let is_drawn = |element: &web_sys::Element| element.closest(".as-drawn").is_ok_and(|drawn| drawn.is_some());
    let selected = selected_text(is_drawn);
    let focused = document().active_element().filter(is_drawn);
    let focused = focused.map(|focused| (focused.get_attribute("href"), place_in_view(&focused)));
    let folds = document().get_elements_by_tag_name("details");
    let folds = (0..folds.length()).filter_map(|index| folds.item(index));
    let open: Vec<_> =
        folds.filter(|fold| fold.has_attribute("open") && is_drawn(fold)).map(|fold| place_in_view(&fold)).collect();
    request_animation_frame(move || {
        for fold in open.iter().filter_map(|place| at_place(place)) {
            let _ = fold.set_attribute("open", "");
        }
        if let Some(selected) = selected {
            select_text(selected);
        }
        // Rows may have changed their places since.
        match focused {
            Some((Some(href), _)) => focus_link(&href),
            Some((None, place)) => at_place(&place).iter().for_each(focus),
            None => {}
        }
    });
}

/// An end of the selected text: the element around it, by its place, the text node by its number among the element's, and the character.
type TextPlace = (Vec<u32>, usize, u32);

/// Where the selected text begins and ends, if one of both is in a part that the server drew.
fn selected_text(is_drawn: impl Fn(&web_sys::Element) -> bool) -> Option<[TextPlace; 2]> {
    let selection = window().get_selection().ok()??;
    if selection.is_collapsed() {
        return None;
    }
    let ends =
        [(selection.anchor_node()?, selection.anchor_offset()), (selection.focus_node()?, selection.focus_offset())];
    let elements = [ends[0].0.parent_element()?, ends[1].0.parent_element()?];
    if !elements.iter().any(is_drawn) {
        return None;
    }
    let place = |index: usize| {
        let (node, character) = &ends[index];
        let number = texts(&elements[index]).position(|text| text == *node)?;
        Some((place_in_view(&elements[index]), number, *character))
    };
    Some([place(0)?, place(1)?])
}

fn select_text(ends: [TextPlace; 2]) {
    let nodes = ends.each_ref().map(|(place, number, _)| texts(&at_place(place)?).nth(*number));
    if let ([Some(anchor), Some(focus)], Ok(Some(selection))) = (nodes, window().get_selection()) {
        // Beyond the end of a shorter text it fails, and nothing is selected.
        let _ = selection.set_base_and_extent(&anchor, ends[0].2, &focus, ends[1].2);
    }
}

/// The text nodes of an element that have a text.
fn texts(element: &web_sys::Element) -> impl Iterator<Item = web_sys::Node> {
    let nodes = element.child_nodes();
    let texts = (0..nodes.length()).filter_map(move |index| nodes.item(index));
    texts.filter(|node| {
        node.node_type() == web_sys::Node::TEXT_NODE && !node.text_content().unwrap_or_default().is_empty()
    })
}

/// The positions among its siblings of an element and of all around it, up to the view.
fn place_in_view(element: &web_sys::Element) -> Vec<u32> {
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

fn at_place(place: &[u32]) -> Option<web_sys::Element> {
    let view = document().get_element_by_id("view")?;
    place.iter().rev().try_fold(view, |at, position| at.children().item(*position))
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
