//! Finds parameters whose values are words, by what follows them: `/repos/linux/issues`, `/repos/notes/issues` and `/repos/todo/issues`
//! are one route. Runs when a template is added.

use std::sync::Arc;

use super::{
    place_kind::{PlaceKind, ends_in_any, is_version_of_things, kind_of_place},
    plurals::{NO_PLURALS, is_selector},
    route_words::{is_of_routes, may_be_thing},
    segment::NAME,
    shape_signs::all_end,
    tables::{Place, Tables},
    value_signs::{
        MANY_WORDS, Word, constants, fitting, formats, kinds, lead_to_all_the_same, lead_to_items, lead_to_numbers,
        lead_to_same, letters, names_of, of_two_styles,
    },
};

/// Words that end paths behind a plural: `/plans/basic`.
const ENDS: usize = 4;
/// The same behind a word in the singular: beside `/project/apollo` may be some routes as `/project/budget`.
const ENDS_OF_SINGULAR: usize = 8;
/// The same behind a word that a thing has: `/zones/{id}/generation/solar`.
const ENDS_OF_WORD: usize = 6;
/// The same if names that are no words came to the place as well.
const ENDS_BESIDE_NAMES: usize = 3;

impl Tables {
    /// Finds the parameters that a new template shows. Returns the template that took its place, if one did.
    pub(super) fn find_parameters(&mut self, template: &Arc<str>) -> Arc<str> {
        let mut template = Arc::clone(template);
        let mut depth = 0;
        while let Some((slash, _)) = template.match_indices('/').nth(depth) {
            let place = template[..slash].to_owned();
            let next = template[slash + 1..].split('/').nth(1);
            if next.is_none_or(|next| self.may_be_common(&place, next)) || self.has_few_words(&place) {
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

    /// Whether words at a place may be values by what stands further behind them, and are few enough to look at each.
    fn has_few_words(&self, place: &str) -> bool {
        self.places
            .get(place)
            .is_some_and(|known| (1 + usize::from(known.label.is_none())..=MANY_WORDS).contains(&known.names.len()))
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
        // `/api` is no value beside `/{name}`.
        let may_be = |name: &str| may_be_thing(name) && !(place.is_empty() && name == "api");
        let may_be_value =
            |name: &&Arc<str>| !name.is_empty() && may_be(name) && !name.starts_with(['_', '.', '-', '@', '$']);
        let words = known.names.iter().filter(may_be_value).map(|name| self.word(place, name));
        // `/vehicles/plate/{name}`
        let words: Vec<_> = words.filter(|word| word.next.is_none() || !is_selector(word.name)).collect();
        if words.is_empty() {
            return vec![];
        }
        let kind = kind_of_place(place);
        // `/styles/v1/dark/sprite.json`
        let kind_of_values = if is_version_of_things(place) { PlaceKind::Collection } else { kind };
        let label = known.label.as_ref().map(|label| self.word(place, label));
        // The parameter that there is already: names that are no words came.
        let names = label.as_ref().filter(|label| matches!(&**label.name, "{name}" | "{key}" | "{text}"));
        let is_parameter = known.is_parameter
            || lead_to_same(place, kind_of_values, &words, names)
            || lead_to_items(kind_of_values, &words, names);
        // One after the other: most places end at an early one.
        let signs: [&dyn Fn() -> Vec<Arc<str>>; 13] = [
            &|| if is_parameter { fitting(kind, &words, label.as_ref()) } else { vec![] },
            &|| self.lead_to_same_later(place, kind, &words, names),
            &|| lead_to_all_the_same(place, kind, &words),
            &|| self.lead_to_same_items(place, kind, &words),
            &|| lead_to_numbers(kind, &words),
            &|| self.lead_to_two_parameters(place, kind, &words),
            &|| constants(place, kind, &words, names),
            &|| letters(kind, &words),
            &|| formats(kind, &words),
            &|| of_two_styles(kind, &words),
            &|| kinds(place, kind, &words),
            &|| self.lead_to_one_part(place, kind, &words),
            &|| all_end((place, self.templates.contains_key(place)), kind, &words, names),
        ];
        if let Some(values) = signs.iter().map(|values| values()).find(|values| !values.is_empty()) {
            return values;
        }
        if is_parameter {
            return vec![];
        }
        let least = match (kind, &label, names) {
            (PlaceKind::Collection, None, _) => ENDS,
            (PlaceKind::Singular, None, _) => ENDS_OF_SINGULAR,
            (PlaceKind::Word, None, _) if place.contains('{') && !ends_in_any(place, NO_PLURALS) => ENDS_OF_WORD,
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
            (PlaceKind::Parameter, _, Some(names)) if names.ends && ends_in_any(place, &["{id}", NAME]) => {
                ENDS_BESIDE_NAMES
            }
            _ => return vec![],
        };
        // `/news/{id}/city-guide` may be a title, and `/news/{id}/comment` is not.
        let is_title = |word: &Word<'_>| kind != PlaceKind::Parameter || word.name.contains('-');
        let ends = names_of(&words, |word| word.is_end() && is_title(word));
        if ends.len() < least { vec![] } else { ends }
    }
}
