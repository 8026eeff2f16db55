//! Words that stand in routes where others are values.

use std::{collections::HashMap, sync::LazyLock};

use foldhash::fast::RandomState;

use super::{
    lists::is_person,
    words::{Term, term},
};
use crate::masking::humps;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    /// It stands beside values: `/users/search` beside `/users/{id}`.
    BesideValues,
    /// It says what a route does: `/orders/7:cancel`.
    Verb,
    Both,
}

static ROUTE_WORDS: LazyLock<HashMap<&str, Use, RandomState>> = LazyLock::new(|| {
    let verbs = include_str!("verbs.txt").split_ascii_whitespace();
    let mut words: HashMap<_, _, _> = verbs.map(|verb| (verb, Use::Verb)).collect();
    for word in include_str!("route_words.txt").split_ascii_whitespace() {
        words.entry(word).and_modify(|of| *of = Use::Both).or_insert(Use::BesideValues);
    }
    words
});

/// How routes use a word. In some it begins with a capital: `/api/Orders/Search`.
fn use_of(word: &str) -> Option<Use> {
    let is_capitalised = word.starts_with(|char: char| char.is_ascii_uppercase())
        && word[1..].bytes().all(|byte| byte.is_ascii_lowercase());
    if is_capitalised { ROUTE_WORDS.get(&*word.to_ascii_lowercase()) } else { ROUTE_WORDS.get(word) }.copied()
}

/// Words of routes that are names of things as well, where what follows says so: `/events/_search` beside `/users/_search`.
const THINGS: &[&str] = &[
    "admin", "api", "archive", "assets", "auth", "batch", "config", "docs", "drafts", "events", "health", "inbox",
    "junk", "metrics", "outbox", "preview", "public", "sent", "spam", "static", "stats", "status", "test", "trash",
];

/// Whether routes have a word beside values.
pub(super) fn is_route_word(word: &str) -> bool {
    use_of(word).is_some_and(|of| of != Use::Verb)
}

/// Whether a word says what a route does. Any text behind a colon that does not may be a name or a secret.
pub(super) fn is_verb(word: &str) -> bool {
    use_of(word).is_some_and(|of| of != Use::BesideValues)
}

/// Operations of FHIR, and by what things are found, that no list of words has.
const OPERATIONS: &[&str] = &["everything", "lastn", "lookup", "validate"];
const FOUND_BY: &[&str] = &[
    "ean", "gtin", "guid", "iban", "icao", "imei", "isbn", "isin", "isrc", "mac", "mrn", "npi", "oid", "puuid", "sku",
    "ssn", "upc", "uuid", "vin",
];

/// `$metadata`, `$lastn`
pub(super) fn is_operation(word: &str) -> bool {
    OPERATIONS.contains(&word) || matches!(term(word), Term::Words | Term::Dictionary) && !is_person(word)
}

/// `by-name`, `by-puuid`: by what a thing is found.
pub(super) fn is_by(part: &str) -> bool {
    let Some(rest) = part.strip_prefix("by").or_else(|| part.strip_prefix("By")) else { return false };
    // `ByStatus`
    if rest.starts_with(|char: char| char.is_ascii_uppercase()) {
        return !matches!(term(part), Term::Other) && !is_person(rest);
    }
    let word = rest.strip_prefix(['-', '_']);
    FOUND_BY.contains(&rest)
        || word.is_some_and(|word| FOUND_BY.contains(&word) || term(word) != Term::Other && !is_person(word))
}

/// Whether a word says what a route does, or stands in many routes. So does `sign-in`.
pub(super) fn is_of_routes(word: &str) -> bool {
    if is_by(word) {
        return true;
    }
    let first = word.split(['-', '_']).next().unwrap_or_default();
    use_of(word).is_some() || is_verb(first) || humps(word).next().is_some_and(is_verb)
}

/// Whether a word may be a value if what follows it follows other values as well.
pub(super) fn may_be_thing(word: &str) -> bool {
    THINGS.contains(&word) || word.contains(['-', '_']) || !is_of_routes(word)
}
