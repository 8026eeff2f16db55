//! Signs that words at a place are values of a parameter: how they look, and what stands right behind them.

use std::{collections::HashMap, sync::Arc};

use foldhash::fast::RandomState;

use super::{
    context::makes_routes_of_constants, file_endings::is_ending, place_kind::PlaceKind, plurals::is_plural,
    route_words::is_of_routes, tables::Place,
};

/// Words at a place that lead to the same next word.
pub(super) const SAME_NEXT: usize = 3;
/// The same behind a word that is no plural: `/reports/sales/daily` beside `/reports/traffic/daily` may be two routes.
pub(super) const MANY_SAME_NEXT: usize = 5;
/// Next words that they have in common where routes have such words as well: beside `/api/orders/{id}` may be `/api/users/{id}`.
pub(super) const SAME_NEXT_OF_RESOURCES: usize = 2;

/// Formats that end paths at a place: `/invoices/{id}/pdf` alone is a route.
const FORMATS: usize = 2;

/// Words at a place of which each is looked at.
pub(super) const MANY_WORDS: usize = 32;

/// A word at a place, and what follows it.
pub(super) struct Word<'a> {
    pub(super) name: &'a Arc<str>,
    /// Requests end with it.
    pub(super) ends: bool,
    /// What stands behind it; `None` if nothing does.
    pub(super) next: Option<&'a Place>,
}

impl Word<'_> {
    /// The words behind it that not every resource has.
    pub(super) fn next_words(&self) -> impl Iterator<Item = &Arc<str>> {
        self.next.into_iter().flat_map(|next| &next.names).filter(|word| !word.is_empty() && !is_of_routes(word))
    }

    /// A resource has its items behind it.
    pub(super) fn has_items(&self) -> bool {
        self.next.is_some_and(|next| next.label.is_some())
    }

    /// Whether it ends paths alone, and may be a value: `/plans/basic`. Beside it may be `/plans/features`.
    pub(super) fn is_end(&self) -> bool {
        self.ends && self.next.is_none() && !is_of_routes(self.name) && !is_plural(self.name)
    }

    /// Whether the very same follows the word and the place's parameter.
    fn leads_to_all_of(&self, parameter: &Word<'_>) -> bool {
        let Some((next, known)) = self.next.zip(parameter.next) else { return false };
        self.ends == parameter.ends && next.label == known.label && next.names == known.names
    }

    /// Whether all that follows the word follows the place's parameter as well.
    pub(super) fn fits(&self, parameter: &Word<'_>) -> bool {
        let Some(next) = self.next else { return self.ends && parameter.ends };
        let Some(known) = parameter.next else { return false };
        (parameter.ends || !self.ends)
            && (next.label.is_none() || known.label.is_some())
            && next.names.iter().all(|word| word.is_empty() || known.names.contains(word))
    }
}

/// The names of the words that have a sign.
pub(super) fn names_of(words: &[Word<'_>], has_sign: impl Fn(&Word<'_>) -> bool) -> Vec<Arc<str>> {
    words.iter().filter(|word| has_sign(word)).map(|word| Arc::clone(word.name)).collect()
}

/// Words that have the very same words behind them: `/v4/tennis/live` and `/v4/tennis/players` beside `/v4/rugby/live` and `/v4/rugby/players`.
/// Where an application's resources stand, they end no path.
pub(super) fn lead_to_all_the_same(place: &str, kind: PlaceKind, words: &[Word<'_>]) -> Vec<Arc<str>> {
    let is_of_thing = place.contains('{') && kind != PlaceKind::Parameter;
    let may_end = is_of_thing || matches!(kind, PlaceKind::Collection | PlaceKind::Parameter);
    let mut alike: HashMap<(bool, Vec<&str>), Vec<&Word<'_>>, RandomState> = HashMap::default();
    let mut are_all = true;
    for word in words {
        let Some(next) = word.next.filter(|next| (may_end || !word.ends) && next.label.is_none()) else {
            are_all = false;
            continue;
        };
        let mut names: Vec<_> = next.names.iter().map(|name| &**name).collect();
        names.sort_unstable();
        alike.entry((word.ends, names)).or_default().push(word);
    }
    let least = |names: &[&str]| if are_all && names.len() > 1 { SAME_NEXT + 1 } else { MANY_SAME_NEXT + 1 };
    // The names decide between as many, so that it is the same each time.
    let most = alike.into_iter().max_by(|(a, x), (b, y)| x.len().cmp(&y.len()).then_with(|| a.cmp(b)));
    // What many resources have, as `/order/list` and `/invoice/list`, says nothing. A thing has no resources that are all alike:
    // `/telemetry/battery/latest`, `/telemetry/power/latest`
    let says = |names: &[&str]| is_of_thing && are_all || !names.iter().all(|name| is_of_routes(name));
    let Some(((_, names), words)) = most.filter(|((_, names), _)| says(names)) else { return vec![] };
    if words.len() < least(&names) || are_resources(words.iter().copied()) {
        vec![]
    } else {
        words.iter().map(|word| Arc::clone(word.name)).collect()
    }
}

/// Most resources are named in the plural: `/shop/orders/7`, `/shop/carts/7`.
pub(super) fn are_resources<'a>(words: impl IntoIterator<Item = &'a Word<'a>>) -> bool {
    let (plurals, others): (Vec<_>, Vec<_>) = words.into_iter().partition(|word| is_plural(word.name));
    plurals.len() > others.len()
}

/// Words that never end a path, and have a number alone behind them: `/map/wind/4/7`. Resources have no coordinates as numbers.
pub(super) fn lead_to_numbers(kind: PlaceKind, words: &[Word<'_>]) -> Vec<Arc<str>> {
    let leads = |word: &Word<'_>| number(word).is_some();
    let have_ids = words.iter().any(|word| number(word) == Some("{id}"));
    let all = names_of(words, leads);
    let holds_resources = have_ids && matches!(kind, PlaceKind::Root | PlaceKind::Parameter);
    if holds_resources || are_resources(words) || all.len() < MANY_SAME_NEXT || all.len() < words.len() {
        vec![]
    } else {
        all
    }
}

/// The number that alone follows a word.
fn number<'a>(word: &Word<'a>) -> Option<&'a str> {
    word.next.filter(|_| !word.ends)?.only_label().filter(|label| matches!(*label, "{id}" | "{number}"))
}

/// Words in capitals behind others, where routes have few: `/entries/{name}/BRONZE`. Beside names one is enough: `/aircraft/AIR`.
pub(super) fn constants(place: &str, kind: PlaceKind, words: &[Word<'_>], names: Option<&Word<'_>>) -> Vec<Arc<str>> {
    let is_constant = |word: &Word<'_>| {
        word.name.len() > 1 && word.name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
    };
    let all = names_of(words, is_constant);
    let least = if names.is_some() { 1 } else { SAME_NEXT };
    if kind == PlaceKind::Root || all.len() < least || makes_routes_of_constants(place) { vec![] } else { all }
}

/// Many words behind a plural that a thing has, all of which end paths: `/objects/{id}/associations/deals`. Or many words behind a plural
/// that all have items: `/properties/deals/amount`.
pub(super) fn kinds(place: &str, kind: PlaceKind, words: &[Word<'_>]) -> Vec<Arc<str>> {
    let all_end = words.iter().all(|word| word.ends && word.next.is_none() && !is_of_routes(word.name));
    let all_lead = words.iter().all(|word| word.ends && word.next.is_some());
    let are_kinds = all_end && place.contains('{') || all_lead;
    let least = if place.contains('{') && all_lead { SAME_NEXT } else { MANY_SAME_NEXT };
    if kind == PlaceKind::Collection && are_kinds && words.len() > least { names_of(words, |_| true) } else { vec![] }
}

/// Words of which some have a hyphen and some an underline: routes are written in one way. `/evaluate/{key}/dark_mode` beside
/// `/evaluate/{key}/free-tier`
pub(super) fn of_two_styles(kind: PlaceKind, words: &[Word<'_>]) -> Vec<Arc<str>> {
    let count = |mark: char| words.iter().filter(|word| word.name.trim_start_matches('_').contains(mark)).count();
    let is_compound = |word: &Word<'_>| word.ends && word.name.contains(['-', '_']) && !is_of_routes(word.name);
    let all = names_of(words, is_compound);
    let are_values = kind != PlaceKind::Root && count('-') > 0 && count('_') > 0 && all.len() > SAME_NEXT;
    if are_values { all } else { vec![] }
}

/// Formats that end paths: `/layers/{id}/export/png`
pub(super) fn formats(kind: PlaceKind, words: &[Word<'_>]) -> Vec<Arc<str>> {
    let is_format = |word: &Word<'_>| word.ends && word.next.is_none() && is_ending(word.name);
    let all = names_of(words, is_format);
    if kind == PlaceKind::Root || all.len() < FORMATS { vec![] } else { all }
}

/// Letters that end paths: `/lightcurve/g`
pub(super) fn letters(kind: PlaceKind, words: &[Word<'_>]) -> Vec<Arc<str>> {
    let is_letter = |word: &Word<'_>| word.name.len() == 1 && word.is_end();
    let all = names_of(words, is_letter);
    if kind == PlaceKind::Root || all.len() < SAME_NEXT { vec![] } else { all }
}

/// Whether words lead to the same next words, so that they are values.
pub(super) fn lead_to_same(place: &str, kind: PlaceKind, words: &[Word<'_>], names: Option<&Word<'_>>) -> bool {
    // Where resources stand, `/orders/{id}/history` is beside `/users/{id}/history`.
    let is_resource = |word: &Word<'_>| matches!(kind, PlaceKind::Parameter | PlaceKind::Root) && word.has_items();
    let mut counts: HashMap<&str, usize, RandomState> = HashMap::default();
    let mut counts_of_all: HashMap<&str, usize, RandomState> = HashMap::default();
    for word in words.iter().chain(names) {
        // What stands behind words of the root may be their items: `/overlap/human` beside `/variants/human`.
        let says = |next: &&Arc<str>| !place.is_empty() || next.starts_with('_') || is_plural(next);
        for next in word.next_words().filter(says) {
            *counts_of_all.entry(next).or_default() += 1;
            if !is_resource(word) {
                *counts.entry(next).or_default() += 1;
            }
        }
    }
    // No resource has items of names such as `_search`.
    let weight = |next: &str| if next.starts_with('_') { SAME_NEXT_OF_RESOURCES } else { 1 };
    let common =
        |least: usize| counts.iter().filter(|(_, count)| **count >= least).map(|(next, _)| weight(next)).sum::<usize>();
    // Names are two of the words.
    let least = SAME_NEXT - usize::from(names.is_some());
    match kind {
        PlaceKind::Parameter if counts_of_all.values().filter(|count| **count >= least).count() >= SAME_NEXT => true,
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
pub(super) fn fitting(kind: PlaceKind, words: &[Word<'_>], label: Option<&Word<'_>>) -> Vec<Arc<str>> {
    let mut counts: HashMap<&str, usize, RandomState> = HashMap::default();
    for next in words.iter().chain(label).flat_map(Word::next_words) {
        *counts.entry(next).or_default() += 1;
    }
    // `/events/sign-up/counts` beside `/events/{name}/counts`
    let is_name = |word: &Word<'_>| {
        let is_compound = word.name.contains(['-', '_']) && !word.name.starts_with("by-");
        kind == PlaceKind::Collection && is_compound && word.next.is_some() && !word.ends
    };
    let fits = |word: &Word<'_>| {
        if is_of_routes(word.name) && word.next_words().next().is_none() && !is_name(word) {
            return false;
        }
        label.is_some_and(|label| word.fits(label))
            || word.next_words().any(|next| counts.get(&**next).is_some_and(|count| *count > 1))
            || kind == PlaceKind::Collection && word.is_end()
    };
    names_of(words, fits)
}

/// Whether words lead to the same as names do: `/history/berlin/{date}` beside `/history/{name}/{date}`.
pub(super) fn lead_to_items(kind: PlaceKind, words: &[Word<'_>], names: Option<&Word<'_>>) -> bool {
    let lead = |names: &Word<'_>| words.iter().filter(|word| word.next.is_some() && word.fits(names)).count();
    let least = match kind {
        PlaceKind::Collection => 1,
        PlaceKind::Singular | PlaceKind::Word | PlaceKind::Verb => SAME_NEXT - 1,
        PlaceKind::Parameter => {
            let leads = |names: &Word<'_>| words.iter().filter(|word| word.leads_to_all_of(names)).count();
            return names.is_some_and(|names| leads(names) >= SAME_NEXT);
        }
        PlaceKind::Root => return false,
    };
    names.is_some_and(|names| lead(names) >= least)
}
