//! Finds parameters whose values are words, by what follows them: `/repos/linux/issues`, `/repos/notes/issues` and `/repos/todo/issues`
//! are one route. Runs when a template is added.

use std::{collections::HashMap, sync::Arc};

use foldhash::fast::RandomState;

use super::{
    context::makes_routes_of_constants,
    place_kind::{PlaceKind, kind_of_place},
    plurals::is_plural,
    route_words::{is_of_routes, may_be_thing},
    segment::{KEY, NAME},
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

/// Words at a place of which each is looked at.
const MANY_WORDS: usize = 32;
/// So many places behind a word are looked at, and so many ways to each.
const LATER: usize = 3;
const MANY_BEHIND: usize = 16;

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

    /// The words that lead to the same words by way of others that they do not share: `/project/github/acme/web/pipeline` and
    /// `/project/gitlab/widgets/shop/pipeline`.
    fn lead_to_same_later(
        &self,
        place: &str,
        kind: PlaceKind,
        words: &[Word<'_>],
        names: Option<&Word<'_>>,
    ) -> Vec<Arc<str>> {
        // An application's resources end paths as well.
        let are_resources = || words.len() < SAME_NEXT || words.iter().any(|word| word.ends);
        if words.len() > MANY_WORDS || kind == PlaceKind::Root && are_resources() {
            return vec![];
        }
        let all = || words.iter().chain(names);
        let later: Vec<_> = all().map(|word| self.later_words(&format!("{place}/{}", word.name), words)).collect();
        let mut counts: HashMap<&(usize, Arc<str>), usize, RandomState> = HashMap::default();
        later.iter().flatten().for_each(|word| *counts.entry(word).or_default() += 1);
        let least = SAME_NEXT - usize::from(names.is_some());
        let is_common = |word: &&(usize, Arc<str>)| counts[*word] >= least;
        let common = counts.keys().filter(|word| is_common(word)).count();
        if common < SAME_NEXT_OF_RESOURCES {
            return vec![];
        }
        let leads = |(_, later): &(&Word<'_>, &Vec<_>)| later.iter().any(|word| is_common(&word));
        words.iter().zip(&later).filter(leads).map(|(word, _)| Arc::clone(word.name)).collect()
    }

    /// The words two and three places behind a beginning, by way of names that no other of `words` leads to.
    fn later_words(&self, beginning: &str, words: &[Word<'_>]) -> Vec<(usize, Arc<str>)> {
        let is_shared = |name: &str| {
            words.iter().filter(|word| word.next.is_some_and(|next| next.names.contains(name))).nth(1).is_some()
        };
        let mut found = vec![];
        let mut beginnings = vec![beginning.to_owned()];
        for depth in 1..=LATER {
            let mut behind = vec![];
            for beginning in &beginnings {
                let Some(place) = self.places.get(beginning.as_str()) else { continue };
                let is_later = |name: &&Arc<str>| depth > 1 && !name.is_empty() && !is_of_routes(name);
                found.extend(place.names.iter().filter(is_later).map(|name| (depth, Arc::clone(name))));
                // What has items is a resource.
                let label = place.label.iter().filter(|label| depth > 1 && matches!(&***label, NAME | KEY));
                let names = place.names.iter().filter(|name| !name.is_empty() && (depth > 1 || !is_shared(name)));
                let mut parts: Vec<_> = label.chain(names).collect();
                parts.sort_unstable();
                behind.extend(parts.iter().take(MANY_BEHIND).map(|name| format!("{beginning}/{name}")));
            }
            behind.truncate(MANY_BEHIND);
            beginnings = behind;
        }
        found.sort_unstable();
        found.dedup();
        found
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
        let may_be_value =
            |name: &&Arc<str>| !name.is_empty() && may_be_thing(name) && !name.starts_with(['_', '.', '-', '@', '$']);
        let words: Vec<_> = known.names.iter().filter(may_be_value).map(|name| self.word(place, name)).collect();
        if words.is_empty() {
            return vec![];
        }
        let kind = kind_of_place(place);
        let label = known.label.as_ref().map(|label| self.word(place, label));
        // The parameter that there is already: names that are no words came.
        let names = label.as_ref().filter(|label| matches!(&**label.name, "{name}" | "{key}" | "{text}"));
        let is_parameter =
            known.is_parameter || lead_to_same(kind, &words, names) || lead_to_items(kind, &words, names);
        for values in [
            if is_parameter { fitting(kind, &words, label.as_ref()) } else { vec![] },
            self.lead_to_same_later(place, kind, &words, names),
            lead_to_all_the_same(&words),
            lead_to_numbers(kind, &words),
            constants(place, kind, &words, names),
        ] {
            if !values.is_empty() {
                return values;
            }
        }
        if is_parameter {
            return vec![];
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

/// Words that never end a path, and have the very same words behind them: `/v4/tennis/live` and `/v4/tennis/players` beside `/v4/rugby/live` and
/// `/v4/rugby/players`.
fn lead_to_all_the_same(words: &[Word<'_>]) -> Vec<Arc<str>> {
    let mut alike: HashMap<Vec<&str>, Vec<&Word<'_>>, RandomState> = HashMap::default();
    for word in words {
        let Some(next) = word.next.filter(|next| !word.ends && next.label.is_none()) else {
            return vec![];
        };
        let mut names: Vec<_> = next.names.iter().map(|name| &**name).collect();
        names.sort_unstable();
        alike.entry(names).or_default().push(word);
    }
    let least = |names: &[&str]| if names.len() > 1 { SAME_NEXT + 1 } else { MANY_SAME_NEXT + 1 };
    // The names decide between as many, so that it is the same each time.
    let most = alike.into_iter().max_by(|(a, x), (b, y)| x.len().cmp(&y.len()).then_with(|| a.cmp(b)));
    // What many resources have, as `/order/list` and `/invoice/list`, says nothing.
    let Some((names, words)) = most.filter(|(names, _)| !names.iter().all(|name| is_of_routes(name))) else {
        return vec![];
    };
    if words.len() < least(&names) || are_resources(words.iter().copied()) {
        vec![]
    } else {
        words.iter().map(|word| Arc::clone(word.name)).collect()
    }
}

/// Most resources are named in the plural: `/shop/orders/7`, `/shop/carts/7`.
fn are_resources<'a>(words: impl IntoIterator<Item = &'a Word<'a>>) -> bool {
    let (plurals, others): (Vec<_>, Vec<_>) = words.into_iter().partition(|word| is_plural(word.name));
    plurals.len() > others.len()
}

/// Words that never end a path, and have a number alone behind them: `/map/wind/4/7`
fn lead_to_numbers(kind: PlaceKind, words: &[Word<'_>]) -> Vec<Arc<str>> {
    let leads = |word: &&Word<'_>| {
        !word.ends && word.next.is_some_and(|next| next.names.is_empty() && next.label.as_deref() == Some("{id}"))
    };
    let all: Vec<_> = words.iter().filter(leads).map(|word| Arc::clone(word.name)).collect();
    let holds_resources = matches!(kind, PlaceKind::Root | PlaceKind::Parameter);
    if holds_resources || are_resources(words) || all.len() < MANY_SAME_NEXT || all.len() < words.len() {
        vec![]
    } else {
        all
    }
}

/// Words in capitals behind others, where routes have few: `/entries/{name}/BRONZE`. Beside names one is enough: `/aircraft/AIR`.
fn constants(place: &str, kind: PlaceKind, words: &[Word<'_>], names: Option<&Word<'_>>) -> Vec<Arc<str>> {
    let is_constant = |word: &&Word<'_>| {
        word.name.len() > 1 && word.name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
    };
    let all: Vec<_> = words.iter().filter(is_constant).map(|word| Arc::clone(word.name)).collect();
    let least = if names.is_some() { 1 } else { SAME_NEXT };
    if kind == PlaceKind::Root || all.len() < least || makes_routes_of_constants(place) { vec![] } else { all }
}

/// Whether words lead to the same next words, so that they are values.
fn lead_to_same(kind: PlaceKind, words: &[Word<'_>], names: Option<&Word<'_>>) -> bool {
    // Where resources stand, `/orders/{id}/history` is beside `/users/{id}/history`.
    let is_resource = |word: &Word<'_>| matches!(kind, PlaceKind::Parameter | PlaceKind::Root) && word.has_items();
    let mut counts: HashMap<&str, usize, RandomState> = HashMap::default();
    let mut counts_of_all: HashMap<&str, usize, RandomState> = HashMap::default();
    for word in words.iter().chain(names) {
        for next in word.next_words() {
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
