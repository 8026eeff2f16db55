//! Signs that words at a place are values of a parameter: what stands two places behind them and further.

use std::{collections::HashMap, sync::Arc};

use foldhash::fast::RandomState;

use super::{
    place_kind::PlaceKind,
    plurals::is_plural,
    route_words::is_of_routes,
    segment::{KEY, NAME},
    tables::{Place, Tables},
    value_signs::{MANY_WORDS, SAME_NEXT, SAME_NEXT_OF_RESOURCES, Word, are_resources, names_of},
};

/// So many places behind a word are looked at, and so many ways to each.
const LATER: usize = 3;
const MANY_BEHIND: usize = 16;

/// Words by the part in braces behind them and the words behind that.
type ByItems<'a> = HashMap<(&'a str, Vec<&'a Arc<str>>), Vec<Arc<str>>, RandomState>;

impl Tables {
    /// The words that lead to the same words by way of others that they do not share: `/project/github/acme/web/pipeline` and
    /// `/project/gitlab/widgets/shop/pipeline`.
    pub(super) fn lead_to_same_later(
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
        let is_of_root = beginning.rfind('/') == Some(0);
        let mut found = vec![];
        let mut beginnings = vec![beginning.to_owned()];
        for depth in 1..=LATER {
            let mut behind = vec![];
            for beginning in &beginnings {
                let Some(place) = self.places.get(beginning.as_str()) else { continue };
                // What stands behind words of the root may be their items.
                let may_say = |name: &str| !is_of_root || is_plural(name);
                let is_later = |name: &&Arc<str>| depth > 1 && !name.is_empty() && !is_of_routes(name) && may_say(name);
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

    /// The words behind a plural that have items with the very same words behind them: `/objects/contacts/{id}/associations` and
    /// `/objects/deals/{id}/associations`.
    pub(super) fn lead_to_same_items(&self, place: &str, kind: PlaceKind, words: &[Word<'_>]) -> Vec<Arc<str>> {
        let mut alike = ByItems::default();
        if kind != PlaceKind::Collection {
            return vec![];
        }
        for word in words {
            let Some(label) = word.next.and_then(|next| next.label.as_deref()) else { continue };
            let behind = format!("{place}/{}/{label}", word.name);
            let Some(behind) = self.places.get(behind.as_str()) else { continue };
            let mut names: Vec<_> = behind.names.iter().filter(|name| !name.is_empty()).collect();
            names.sort_unstable();
            if !names.is_empty() {
                alike.entry((label, names)).or_default().push(Arc::clone(word.name));
            }
        }
        // All of them: which one came first would differ from run to run.
        alike.into_values().filter(|words| words.len() > SAME_NEXT).flatten().collect()
    }

    /// The words with two parameters behind them and nothing else, as maps have them: `/tiles/dark/{id}/{id}/{id}`. Resources rarely have.
    pub(super) fn lead_to_two_parameters(&self, place: &str, kind: PlaceKind, words: &[Word<'_>]) -> Vec<Arc<str>> {
        let leads = |word: &Word<'_>| {
            let label = word.next.filter(|_| !word.ends).and_then(Place::only_label);
            // A resource's items may be of a thing: `/variants/human/rs7`.
            let may_lead = |label: &&str| kind != PlaceKind::Root || matches!(*label, "{id}" | "{number}");
            label.filter(may_lead).is_some_and(|label| {
                let behind = format!("{place}/{}/{label}", word.name);
                self.places.get(behind.as_str()).is_some_and(|behind| behind.only_label().is_some())
            })
        };
        let all = names_of(words, leads);
        if all.len() < SAME_NEXT || are_resources(words) { vec![] } else { all }
    }
}
