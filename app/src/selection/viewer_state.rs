//! What the viewer holds on the page, the focus, open folds and selected text, while its elements are replaced.

use leptos::prelude::*;

use super::elements::{at_place, focus_at, place_of};

/// Keeps the focus, the open folds and the selected text while a part that the server drew is replaced by the same part: by their places.
pub(crate) fn keep_viewer_state() {
    let is_drawn = |element: &web_sys::Element| element.closest(".as-drawn").is_ok_and(|drawn| drawn.is_some());
    let selected = selected_text(is_drawn);
    let focused = document().active_element().filter(is_drawn);
    let focused = focused.map(|focused| (focused.get_attribute("href"), place_of(&focused)));
    let folds = document().get_elements_by_tag_name("details");
    let folds = (0..folds.length()).filter_map(|index| folds.item(index));
    let open: Vec<_> =
        folds.filter(|fold| fold.has_attribute("open") && is_drawn(fold)).map(|fold| place_of(&fold)).collect();
    request_animation_frame(move || {
        for fold in open.iter().filter_map(|place| at_place(place)) {
            let _ = fold.set_attribute("open", "");
        }
        if let Some(selected) = selected {
            select_text(selected);
        }
        // Rows may have changed their places since.
        if let Some((href, place)) = focused {
            focus_at(&place, href.as_deref());
        }
    });
}

/// An end of the selected text: the element around it, by its place, the text node by its number among the element's, and the character.
type TextPlace = (String, usize, u32);

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
        Some((place_of(&elements[index]), number, *character))
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
