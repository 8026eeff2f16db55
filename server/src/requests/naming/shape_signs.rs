//! Signs that words at a place are values of a parameter: all of them look alike by the shape of what stands behind them.

use std::sync::Arc;

use super::{
    file_endings::ending,
    place_kind::{PlaceKind, ends_in_any, is_version_of_word},
    plurals::NO_PLURALS,
    route_words::is_of_routes,
    tables::{Place, Tables},
    value_signs::{MANY_SAME_NEXT, SAME_NEXT, Word, are_resources, names_of},
};

/// Words that all end paths behind a thing: `/pins/{id}/name`. A thing has fewer routes that are neither verbs nor plurals.
const ALL_ENDS: usize = 8;
/// The same where other values end paths as well, or where an API has one matter.
const ALL_ENDS_BESIDE_NAMES: usize = 5;
/// The same behind a word that a thing has, which ends no path.
const ALL_ENDS_OF_WORD: usize = 4;

impl Tables {
    /// Words that end no path, and have one part behind them that does: `/generation/{key}/solar/{date}`. A resource ends paths as well, as
    /// `/users/{id}/orders`.
    pub(super) fn lead_to_one_part(&self, place: &str, kind: PlaceKind, words: &[Word<'_>]) -> Vec<Arc<str>> {
        if kind == PlaceKind::Root || words.iter().any(|word| word.ends) {
            return vec![];
        }
        let leads = |word: &Word<'_>| {
            word.next.is_some_and(|next| {
                let ends = |part: &Arc<str>| !self.places.contains_key(&*format!("{place}/{}/{part}", word.name));
                next.label.iter().chain(&next.names).all(ends)
            })
        };
        if !words.iter().all(leads) {
            return vec![];
        }
        let mut labels = words.iter().map(|word| word.next.and_then(Place::only_label));
        let first = labels.next().flatten();
        let is_same = first.is_some_and(|first| first != "{id}") && labels.all(|label| label == first);
        let is_sure = kind == PlaceKind::Collection || is_same && !are_resources(words);
        let have_items = words.iter().filter(|word| word.has_items()).count();
        let least = if is_sure { SAME_NEXT + 1 } else { MANY_SAME_NEXT + 1 };
        if words.len() < least || have_items * 2 < words.len() {
            return vec![];
        }
        names_of(words, |_| true)
    }
}

/// Many words that all end paths, behind a thing or behind the version of an API of one matter: `/matrix/v1/walking`. What a thing has and
/// ends no path itself has fewer: `/flights/{id}/seatmap/economy`.
pub(super) fn all_end(
    (place, ends): (&str, bool),
    kind: PlaceKind,
    words: &[Word<'_>],
    names: Option<&Word<'_>>,
) -> Vec<Arc<str>> {
    let is_leaf = |word: &Word<'_>| word.ends && word.next.is_none() && ending(word.name).is_none();
    let all = names_of(words, |word| is_leaf(word) && !is_of_routes(word.name));
    let is_beside_ends = names.is_some_and(|names| names.ends && names.next.is_none());
    let least = match kind {
        PlaceKind::Parameter if are_resources(words) => return vec![],
        PlaceKind::Parameter if is_beside_ends || !ends => ALL_ENDS_BESIDE_NAMES,
        PlaceKind::Parameter => ALL_ENDS,
        PlaceKind::Word if place.contains('{') && (ends || ends_in_any(place, NO_PLURALS)) => ALL_ENDS,
        PlaceKind::Word if place.contains('{') => ALL_ENDS_OF_WORD,
        PlaceKind::Root if is_version_of_word(place) && !are_resources(words) => ALL_ENDS_BESIDE_NAMES,
        _ => return vec![],
    };
    if all.len() < least || !words.iter().all(is_leaf) { vec![] } else { all }
}
