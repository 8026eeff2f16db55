//! Finds parameters whose values are words, by what follows them: `/repos/linux/issues`, `/repos/notes/issues` and `/repos/todo/issues`
//! are one route. Runs when a template is added.

use std::{collections::HashMap, sync::Arc};

use foldhash::fast::RandomState;

use super::{
    place_kind::{PlaceKind, kind_of_place},
    plurals::is_plural,
    route_words::{is_of_routes, may_be_thing},
    segment::NAME,
    tables::{Place, Tables},
};

/// Words at a place that lead to the same next word.
const SAME_NEXT: usize = 3;
/// The same behind a word that is no plural: `/reports/sales/daily` beside `/reports/traffic/daily` may be two routes.
const MANY_SAME_NEXT: usize = 5;
/// Next words that they have in common where routes have such words as well: beside `/api/orders/{id}` may be `/api/users/{id}`.
const SAME_NEXT_OF_RESOURCES: usize = 2;
/// Words that end paths behind a plural: `/plans/basic`.
const ENDS: usize = 4;
/// The same behind a word in the singular: beside `/project/apollo` may be some routes as `/project/budget`.
const ENDS_OF_SINGULAR: usize = 8;
/// The same if names that are no words came to the place as well.
const ENDS_BESIDE_NAMES: usize = 3;

/// A word at a place, and what follows it.
struct Word<'a> {
    name: &'a Arc<str>,
    /// Requests end with it.
    ends: bool,
    /// What stands behind it; `None` if nothing does.
    next: Option<&'a Place>,
}

impl Word<'_> {
    /// The words behind it that not every resource has.
    fn next_words(&self) -> impl Iterator<Item = &Arc<str>> {
        self.next.into_iter().flat_map(|next| &next.names).filter(|word| !word.is_empty() && !is_of_routes(word))
    }

    /// A resource has its items behind it.
    fn has_items(&self) -> bool {
        self.next.is_some_and(|next| next.label.is_some())
    }

    /// Whether it ends paths alone, and may be a value: `/plans/basic`. Beside it may be `/plans/features`.
    fn is_end(&self) -> bool {
        self.ends && self.next.is_none() && !is_of_routes(self.name) && !is_plural(self.name)
    }

    /// Whether all that follows the word follows the place's parameter as well.
    fn fits(&self, parameter: &Word<'_>) -> bool {
        let Some(next) = self.next else { return self.ends && parameter.ends };
        let Some(known) = parameter.next else { return false };
        (next.label.is_none() || known.label.is_some())
            && next.names.iter().all(|word| word.is_empty() || known.names.contains(word))
    }
}

impl Tables {
    /// Finds the parameters that a new template shows. Returns the template that took its place, if one did.
    pub(super) fn find_parameters(&mut self, template: &Arc<str>) -> Arc<str> {
        let mut template = Arc::clone(template);
        let mut depth = 0;
        while let Some((slash, _)) = template.match_indices('/').nth(depth) {
            let place = template[..slash].to_owned();
            let next = template[slash + 1..].split('/').nth(1);
            if next.is_none_or(|next| self.may_be_common(&place, next)) {
                self.find_parameter(&place);
            }
            if let Some(merged) = self.merged.get(&template) {
                template = Arc::clone(merged);
            }
            depth += 1;
        }
        template
    }

    /// Whether what stands behind a word at a place may stand behind another word there too.
    fn may_be_common(&self, place: &str, next: &str) -> bool {
        if next.is_empty() || next == "*" || next.contains('{') || is_of_routes(next) {
            return true;
        }
        let Some(known) = self.places.get(place) else { return false };
        let mut behind = format!("{place}/");
        let mut leads_to_next = |name: &str| {
            behind.truncate(place.len() + 1);
            behind.push_str(name);
            self.places.get(behind.as_str()).is_some_and(|behind| behind.names.contains(next))
        };
        known.label.iter().chain(&known.names).filter(|name| leads_to_next(name)).nth(1).is_some()
    }

    /// Makes words at a place its parameter, and looks at the places behind it then.
    fn find_parameter(&mut self, place: &str) {
        let values = self.values(place);
        if values.is_empty() {
            return;
        }
        let known = Arc::make_mut(self.places.entry(place.into()).or_default());
        known.is_parameter = true;
        let behind = format!("{place}/{}", known.label.get_or_insert_with(|| NAME.into()));
        for value in values {
            self.hide(place, &value);
        }
        let is_behind = |other: &&Arc<str>| {
            other.strip_prefix(&*behind).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let mut places: Vec<_> = self.places.keys().filter(is_behind).cloned().collect();
        places.sort_unstable();
        for place in places {
            self.find_parameter(&place);
        }
    }

    /// What follows a word at a place.
    fn word<'a>(&'a self, place: &str, name: &'a Arc<str>) -> Word<'a> {
        let beginning = format!("{place}/{name}");
        let next = self.places.get(beginning.as_str()).map(|next| &**next);
        // Django's paths end in a slash.
        let is_more_than_slash = |next: &&Place| {
            next.label.is_some() || !next.names.iter().all(|word| word.is_empty()) || next.names.is_empty()
        };
        let ends = self.templates.contains_key(beginning.as_str()) || next.is_some_and(|next| next.names.contains(""));
        Word { name, ends, next: next.filter(is_more_than_slash) }
    }

    /// The words at a place that are values of its parameter; none if it has none.
    fn values(&self, place: &str) -> Vec<Arc<str>> {
        let Some(known) = self.places.get(place) else { return vec![] };
        let may_be_value = |name: &&Arc<str>| may_be_thing(name) && !name.starts_with(['_', '.', '-', '@', '$']);
        let words: Vec<_> = known.names.iter().filter(may_be_value).map(|name| self.word(place, name)).collect();
        if words.is_empty() {
            return vec![];
        }
        let kind = kind_of_place(place);
        let label = known.label.as_ref().map(|label| self.word(place, label));
        // The parameter that there is already: names that are no words came.
        let names = label.as_ref().filter(|label| matches!(&**label.name, "{name}" | "{key}"));
        if known.is_parameter || lead_to_same(kind, &words, names) || lead_to_items(kind, &words, names) {
            return fitting(kind, &words, label.as_ref());
        }
        let least = match (kind, &label, names) {
            (PlaceKind::Collection, None, _) => ENDS,
            (PlaceKind::Singular, None, _) => ENDS_OF_SINGULAR,
            (PlaceKind::Collection, _, Some(names)) if names.ends && **names.name == *NAME => 1,
            (PlaceKind::Collection, _, Some(names)) if names.ends || **names.name == *NAME => ENDS_BESIDE_NAMES,
            (PlaceKind::Verb, None, _)
                if words.iter().filter(|word| word.is_end() && word.name.contains('-')).count() > 1 =>
            {
                ENDS
            }
            (PlaceKind::Word | PlaceKind::Singular | PlaceKind::Verb, _, Some(names)) if names.ends => {
                ENDS_BESIDE_NAMES
            }
            (PlaceKind::Parameter, _, Some(names)) if names.ends && place.ends_with("/{id}") => ENDS_BESIDE_NAMES,
            _ => return vec![],
        };
        // `/news/{id}/city-guide` may be a title, and `/news/{id}/comment` is not.
        let is_title = |word: &Word<'_>| kind != PlaceKind::Parameter || word.name.contains('-');
        let ends: Vec<_> =
            words.iter().filter(|word| word.is_end() && is_title(word)).map(|word| Arc::clone(word.name)).collect();
        if ends.len() < least { vec![] } else { ends }
    }
}

/// Whether words lead to the same next words, so that they are values.
fn lead_to_same(kind: PlaceKind, words: &[Word<'_>], names: Option<&Word<'_>>) -> bool {
    // Where resources stand, `/orders/{id}/history` is beside `/users/{id}/history`.
    let is_resource = |word: &Word<'_>| matches!(kind, PlaceKind::Parameter | PlaceKind::Root) && word.has_items();
    let mut counts: HashMap<&str, usize, RandomState> = HashMap::default();
    let all = words.iter().filter(|word| !is_resource(word)).chain(names);
    for next in all.flat_map(Word::next_words) {
        *counts.entry(next).or_default() += 1;
    }
    // No resource has items of names such as `_search`.
    let weight = |next: &str| if next.starts_with('_') { SAME_NEXT_OF_RESOURCES } else { 1 };
    let common =
        |least: usize| counts.iter().filter(|(_, count)| **count >= least).map(|(next, _)| weight(next)).sum::<usize>();
    // Names are two of the words.
    let least = SAME_NEXT - usize::from(names.is_some());
    match kind {
        PlaceKind::Collection | PlaceKind::Singular => common(least) > 0,
        PlaceKind::Word | PlaceKind::Verb if names.is_some() => common(least) > 0,
        PlaceKind::Word | PlaceKind::Verb => {
            common(MANY_SAME_NEXT) > 0
                || common(SAME_NEXT) >= SAME_NEXT_OF_RESOURCES && words.iter().any(Word::has_items)
        }
        PlaceKind::Parameter | PlaceKind::Root => common(least) >= SAME_NEXT_OF_RESOURCES,
    }
}

/// The words that have nothing behind them which values of the parameter do not have.
fn fitting(kind: PlaceKind, words: &[Word<'_>], label: Option<&Word<'_>>) -> Vec<Arc<str>> {
    let mut counts: HashMap<&str, usize, RandomState> = HashMap::default();
    for next in words.iter().chain(label).flat_map(Word::next_words) {
        *counts.entry(next).or_default() += 1;
    }
    let fits = |word: &&Word<'_>| {
        if is_of_routes(word.name) && word.next_words().next().is_none() {
            return false;
        }
        label.is_some_and(|label| word.fits(label))
            || word.next_words().any(|next| counts.get(&**next).is_some_and(|count| *count > 1))
            || kind == PlaceKind::Collection && word.is_end()
    };
    words.iter().filter(fits).map(|word| Arc::clone(word.name)).collect()
}

/// Whether words lead to the same as names do: `/history/berlin/{date}` beside `/history/{name}/{date}`.
fn lead_to_items(kind: PlaceKind, words: &[Word<'_>], names: Option<&Word<'_>>) -> bool {
    let lead = |names: &Word<'_>| words.iter().filter(|word| word.next.is_some() && word.fits(names)).count();
    let least = match kind {
        PlaceKind::Collection => 1,
        PlaceKind::Singular | PlaceKind::Word | PlaceKind::Verb => SAME_NEXT - 1,
        PlaceKind::Parameter | PlaceKind::Root => return false,
    };
    names.is_some_and(|names| lead(names) >= least)
}
