//! How inference learns and forgets. A word of the lists is shown from its first request on, unless its place is crowded. Other words, and
//! those at a crowded place, are shown once they recur, and as long as they do.

use std::{
    collections::HashMap,
    hash::BuildHasher,
    sync::Arc,
    time::{Duration, Instant},
};

use foldhash::fast::RandomState;

use super::{
    api_version::is_numbered,
    context::{Before, END_OF_NAME},
    images::is_image_of_thing,
    place_kind::{PlaceKind, is_of_resources, kind_of_place},
    private_places::{is_of_people, is_of_secrets},
    route_words::is_route_word,
    segment::{KEY, NAME, Segment},
    spelling::is_likely_word,
    tables::{Place, Tables, ends_in_thing, is_whole},
    words::{Term, term},
};

/// Templates in all.
pub(super) const MAX_TEMPLATES: usize = 2048;
/// Names at one place that are shown from their first request on. No router has many more. Where more come, somebody invents them.
pub(super) const CROWDED: usize = 96;
/// Names at one place in all.
const MAX_NAMES: usize = 160;
/// Requests within an hour or two with which a name recurs.
pub(super) const RECURS: u32 = 3;
/// Unknown names at one place. An application whose routes have more is better declared.
const MAX_UNKNOWN: usize = 8;
/// The same where an application's resources stand, as in `/api/kunden`: their names may be of any language.
const MAX_UNKNOWN_RESOURCES: usize = 32;
/// The same behind a name: `/catalogs/{name}/cone`. What differs more is a name as well.
const MAX_UNKNOWN_OF_NAMES: usize = 2;
/// Requests with which an unknown word recurs that has a number, a UUID or the like behind it: it is a resource's name.
const RECURS_BEFORE_ITEM: u32 = 2;
/// Unknown names with a number, or of two letters, that are shown at one place: more are values, such as regions or codes.
const MAX_ALIKE: usize = 2;
/// Unknown names that came to a place, from which on it has a part in braces.
const PARAMETER: usize = 3;
/// Unknown names that came to a place, from which on words are values there as well.
const VALUES: usize = 6;
/// A name among values is shown if it has so many requests, and one in so many of all that came to the place.
pub(super) const RECURS_AMONG_VALUES: u32 = 8;
const SHARE_AMONG_VALUES: u32 = 5;
/// Names that wait for their recurrence.
const MAX_CANDIDATES: usize = 8192;
/// Counts of recurrence halve this often.
pub(super) const HALVE_EACH: Duration = Duration::from_hours(1);

/// What is counted towards showing a name.
#[derive(Debug)]
pub(super) struct Learning {
    hasher: RandomState,
    /// By the hash of a place and a name, so that no text of a path is kept.
    candidates: HashMap<u64, u32, RandomState>,
    /// By the hash of a place: the hashes of unknown names that came to it.
    unknown: HashMap<u64, Vec<u64>, RandomState>,
    halved_at: Instant,
}

impl Default for Learning {
    fn default() -> Self {
        Self {
            hasher: RandomState::default(),
            candidates: HashMap::default(),
            unknown: HashMap::default(),
            halved_at: Instant::now(),
        }
    }
}

impl Learning {
    /// Learns a name that [`Tables::name`] made. Returns the template to count the request under; `None` if it has no row yet. The tables
    /// are copied only if they change.
    pub(super) fn learn(&mut self, tables: &mut Arc<Tables>, name: &str) -> Option<Arc<str>> {
        let mut template = String::with_capacity(name.len());
        let mut is_held = false;
        let mut before = Before::Root;
        let mut parts = name.split('/').skip(1).peekable();
        while let Some(part) = parts.next() {
            let next = parts.peek().copied();
            let is_name = before.makes_name(part, next);
            if next == Some(END_OF_NAME) && tables.places.get(template.as_str()).is_none_or(|place| !place.holds_values)
            {
                Arc::make_mut(tables).hold_values(&template);
            }
            let is_image = |next: Option<&str>| next.is_none() && is_image_of_thing(part) && ends_in_thing(&template);
            let shown = if part.is_empty() || is_image(next) {
                part.to_owned()
            } else if part.contains('{') || part == "*" {
                tables.places.get(template.as_str()).map_or(part, |place| place.label(part)).to_owned()
            } else {
                match before.segment(part, next) {
                    Segment::Word if is_numbered(part) && is_value(tables, &template, part, next) => {
                        label(tables, &template)
                    }
                    Segment::Word if !is_name && !before.makes_name_of_word(part, next) => {
                        self.word(tables, &template, part)
                    }
                    Segment::Unknown if !is_name => {
                        let shown = self.unknown(tables, (&template, before), part, next);
                        is_held |= shown.is_none();
                        shown.unwrap_or_else(|| part.to_owned())
                    }
                    Segment::Parameter(shown) if *shown == *part => part.to_owned(),
                    _ => label(tables, &template),
                }
            };
            before = if shown == part && !part.contains('{') { Before::Word(part) } else { before.part(&shown) };
            template.push('/');
            template.push_str(&shown);
        }
        if is_held {
            return None;
        }
        if let Some((known, visits)) = tables.templates.get_key_value(&*template) {
            visits.add();
            return Some(Arc::clone(known));
        }
        let tables = Arc::make_mut(tables);
        let template = tables.add(&template, None)?;
        let template = tables.find_file_names(&template).unwrap_or(template);
        let template = tables.find_formats(&template).unwrap_or(template);
        Some(tables.find_parameters(&template))
    }

    /// What is shown of a word of the lists.
    fn word(&mut self, tables: &mut Arc<Tables>, place: &str, name: &str) -> String {
        let names = tables.places.get(place).map_or(0, |place| place.names.len());
        match tables.places.get(place) {
            Some(known) if known.names.contains(name) => return name.to_owned(),
            Some(known) if !known.is_crowded => {
                let unknown = self.unknown.get(&self.hasher.hash_one(place)).map_or(0, Vec::len);
                if unknown >= VALUES && unknown * 3 >= names && !is_of_resources(place) {
                    Arc::make_mut(tables).hold_values(place);
                } else if names >= CROWDED {
                    Arc::make_mut(tables).crowd(place);
                } else {
                    return name.to_owned();
                }
            }
            Some(_) => {}
            None => return name.to_owned(),
        }
        if is_route_word(name) {
            return name.to_owned();
        }
        let holds_values = tables.places.get(place).is_some_and(|place| place.holds_values);
        let count = self.count(place, name);
        let recurs = if holds_values {
            let all = self.count(place, "");
            count >= RECURS_AMONG_VALUES && count.saturating_mul(SHARE_AMONG_VALUES) >= all
        } else {
            count >= RECURS
        };
        if recurs && make_room(tables, place) {
            return name.to_owned();
        }
        label(tables, place)
    }

    /// What is shown of a word that no list has; `None` if that is open.
    fn unknown(
        &mut self,
        tables: &mut Arc<Tables>,
        (place, before): (&str, Before<'_>),
        name: &str,
        next: Option<&str>,
    ) -> Option<String> {
        let known = tables.places.get(place);
        if known.is_some_and(|known| known.names.contains(name)) {
            return Some(name.to_owned());
        }
        let next = next.filter(|next| !next.is_empty());
        let kind = kind_of_place(place);
        let is_resource = is_of_resources(place) && next.is_none_or(is_whole);
        let most = match kind {
            _ if is_resource => MAX_UNKNOWN_RESOURCES,
            _ if before.is_name() => MAX_UNKNOWN_OF_NAMES,
            _ => MAX_UNKNOWN,
        };
        let recurs = match next {
            Some(next) if is_whole(next) && next != NAME => RECURS_BEFORE_ITEM,
            _ if is_behind_item(place) && is_likely_word(name) => 1,
            _ => RECURS,
        };
        let shown = |known: &Arc<Place>| known.names.iter().filter(|name| term(name) == Term::OneUnknown).count();
        let shown = known.map_or(0, shown);
        // Beside random text, an unknown word may be random as well.
        let is_beside_keys = known.is_some_and(|known| known.label.as_deref() == Some(KEY)) && kind != PlaceKind::Root;
        let looks: [fn(&str) -> bool; 2] = [ends_in_digit, is_of_two_letters];
        let look = looks.into_iter().find(|look| look(name) && !place.is_empty());
        let value_look = look.filter(|look| {
            known.is_some_and(|known| {
                let alike = known.names.iter().filter(|name| look(name) && term(name) == Term::OneUnknown);
                known.label.is_some() || alike.count() >= MAX_ALIKE
            })
        });
        let is_labelled = known.is_some_and(|known| known.is_crowded || known.label.is_some());
        let key = self.hasher.hash_one(name);
        let others = self.note_unknown(place, key);
        let holds_values = known.is_some_and(|known| known.holds_values);
        // Behind a name at the root may stand anything.
        let is_name = before.makes_unknown_name() || before.is_name() && place.rfind('/') == Some(0);
        // Values may be shown before enough of them came.
        let is_end_of_word = matches!(kind, PlaceKind::Word | PlaceKind::Verb | PlaceKind::Singular) && next.is_none();
        let are_values = is_end_of_word && shown + others > PARAMETER;
        let is_parameter =
            are_values || value_look.is_some() || others >= if kind == PlaceKind::Root { most } else { PARAMETER };
        if !is_name
            && !holds_values
            && !is_beside_keys
            && others <= most
            && shown < most
            && !are_values
            && value_look.is_none()
            && self.count(place, name) >= recurs
        {
            if let Some(unknown) = self.unknown.get_mut(&self.hasher.hash_one(place)) {
                unknown.retain(|other| *other != key);
            }
            return make_room(tables, place).then(|| name.to_owned());
        }
        if let Some(look) = value_look {
            hide_unknown(tables, place, look);
        } else if is_parameter && kind != PlaceKind::Root {
            hide_unknown(tables, place, |_| true);
        }
        (is_name || is_labelled || is_parameter).then(|| label(tables, place))
    }

    /// Unknown names that came to a place, with this one.
    fn note_unknown(&mut self, place: &str, name: u64) -> usize {
        let place = self.hasher.hash_one(place);
        if self.unknown.len() >= MAX_TEMPLATES && !self.unknown.contains_key(&place) {
            return PARAMETER;
        }
        let names = self.unknown.entry(place).or_default();
        if names.len() < MAX_NAMES && !names.contains(&name) {
            names.push(name);
        }
        names.len()
    }

    /// Requests of a name at a place, with this one.
    fn count(&mut self, place: &str, name: &str) -> u32 {
        if self.candidates.len() >= MAX_CANDIDATES {
            self.candidates.retain(|_, count| *count > 1);
        }
        if self.candidates.len() >= MAX_CANDIDATES {
            return 0;
        }
        let count = self.candidates.entry(self.hasher.hash_one((place, name))).or_default();
        *count += 1;
        *count
    }

    /// Forgets what has not recurred, if it is time.
    pub(super) fn forget(&mut self, tables: &mut Arc<Tables>, now: Instant) {
        if now.duration_since(self.halved_at) < HALVE_EACH {
            return;
        }
        self.halved_at = now;
        self.candidates.retain(|_, count| {
            *count /= 2;
            *count > 0
        });
        self.unknown.clear();
        tables.templates.values().for_each(|visits| visits.halve());
        if tables.is_full || tables.idle_unknown().next().is_some() {
            Arc::make_mut(tables).forget();
        }
    }
}

/// Whether a place has room for one more name. The name with the fewest visits makes room if it has not recurred.
fn make_room(tables: &mut Arc<Tables>, place: &str) -> bool {
    let Some(names) = tables.places.get(place).map(|place| &place.names) else { return true };
    if names.len() < MAX_NAMES {
        return true;
    }
    let least = names.iter().map(|name| (tables.visits(place, name), Arc::clone(name))).min();
    match least {
        Some((visits, name)) if visits < RECURS => {
            Arc::make_mut(tables).hide(place, &name);
            true
        }
        _ => false,
    }
}

/// Whether a place is behind the number, the UUID or the like of a thing, which no code or token follows: `/invoices/{id}`.
fn is_behind_item(place: &str) -> bool {
    let mut parts = place.rsplit('/');
    let is_item = parts.next().is_some_and(|part| matches!(part, "{id}" | "{uuid}" | "{hash}"));
    is_item
        && parts.next().is_some_and(|before| !before.contains('{') && !is_of_secrets(before) && !is_of_people(before))
}

/// Whether a date or numbers with dots are a value at a place, and no version of an API.
fn is_value(tables: &mut Arc<Tables>, place: &str, version: &str, next: Option<&str>) -> bool {
    match tables.places.get(place) {
        Some(known) if known.names.contains(version) => false,
        Some(known) if known.holds_numbers() => true,
        Some(_) if tables.makes_values_of_versions(place, version, next) => {
            Arc::make_mut(tables).make_values_of_versions(place, version);
            true
        }
        _ => false,
    }
}

/// `euw1`
fn ends_in_digit(name: &str) -> bool {
    name.ends_with(|char: char| char.is_ascii_digit())
}

/// `qx`
fn is_of_two_letters(name: &str) -> bool {
    name.len() == 2 && name.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// Hides those of the unknown names of a place that are as others, which show that they are values.
fn hide_unknown(tables: &mut Arc<Tables>, place: &str, are_alike: fn(&str) -> bool) {
    let Some(known) = tables.places.get(place) else { return };
    let is_value = |name: &&Arc<str>| are_alike(name) && term(name) == Term::OneUnknown;
    let unknown: Vec<_> = known.names.iter().filter(is_value).cloned().collect();
    for name in unknown {
        Arc::make_mut(tables).hide(place, &name);
    }
}

/// The part in braces of a place for a name.
fn label(tables: &Tables, place: &str) -> String {
    tables.places.get(place).map_or(NAME, |place| place.label(NAME)).to_owned()
}
