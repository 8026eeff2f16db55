//! What stands before a segment of a path, and what that says of the segment: `/users/jane` is a name, `/api/rechnungen` may be none.

use super::{
    route_words::ROUTE_WORDS,
    segment::{NAME, Segment, is_verb, segment},
};

/// Words behind which an unknown word is a person's or a thing's name, beside all plurals.
const COLLECTIONS: &[&str] = &[
    "author", "by", "channel", "key", "name", "owner", "package", "people", "person", "profile", "room", "scope",
    "tag", "tree", "user",
];
/// Words that are names of people as well. Behind a plural they are names.
const NAMES_OF_PEOPLE: &[&str] = &[
    "bill", "chase", "chef", "gene", "grant", "harry", "jenkins", "jersey", "mark", "master", "max", "may", "miles",
    "page", "ray", "river", "rug", "ruby", "star", "van", "will", "willow", "wolf",
];

/// Behind these a word is a person's or a team's name, unless routes have it beside such names.
const OF_PEOPLE: &[&str] =
    &["authors", "members", "orgs", "organizations", "owners", "people", "profiles", "u", "users"];
/// They end as plurals do, and what stands behind them is no name of one of them.
const NO_PLURALS: &[&str] = &[
    "access",
    "address",
    "analytics",
    "assets",
    "canvas",
    "credentials",
    "details",
    "diagnostics",
    "docs",
    "forms",
    "graphics",
    "insights",
    "logistics",
    "metrics",
    "news",
    "options",
    "permissions",
    "preferences",
    "reports",
    "series",
    "services",
    "settings",
    "statistics",
    "stats",
    "status",
    "tools",
    "utils",
];

/// The segment with which routers end a name that may have slashes: `/{name}/-/{file}.tgz`.
pub(super) const END_OF_NAME: &str = "-";

/// What stands before a segment.
#[derive(Clone, Copy, Debug)]
pub(super) enum Before<'a> {
    /// Nothing, or a part in braces that is no name.
    Open,
    Word(&'a str),
    /// A part in braces that is a name.
    Name,
    /// A scope, as in `/@{name}/{name}`.
    Scope,
}

impl Before<'_> {
    /// Behind a part that is in braces, or has some.
    pub(super) fn part(part: &str) -> Self {
        match part {
            NAME => Self::Name,
            "@{name}" => Self::Scope,
            _ => Self::Open,
        }
    }

    /// What a segment is by its look and by what stands before it.
    pub(super) fn segment(self, part: &str) -> Segment<'_> {
        match segment(part) {
            Segment::DictionaryWord if self.makes_unknown_name() => Segment::Unknown,
            Segment::DictionaryWord => Segment::Word,
            segment => segment,
        }
    }

    /// Whether a segment is a name in any case, though it may be a word.
    pub(super) fn makes_name(self, segment: &str, next: Option<&str>) -> bool {
        next == Some(END_OF_NAME)
            || matches!(self, Self::Scope)
            || (NAMES_OF_PEOPLE.contains(&segment) || is_code(segment)) && self.is_collection()
    }

    /// Whether a listed word is a name: `/users/parker`, `/namespaces/default/pods`. A word that ends a path behind other plurals may be a
    /// route: `/orders/export`, `/orders/archive`.
    pub(super) fn makes_name_of_word(self, segment: &str, next: Option<&str>) -> bool {
        let Self::Word(before) = self else { return false };
        if ROUTE_WORDS.contains(&segment) || is_verb(segment) {
            return false;
        }
        let is_thing = || is_plural(before) && !NO_PLURALS.contains(&before) && !is_plural(segment);
        OF_PEOPLE.contains(&before) && !is_plural(segment) || next.is_some_and(|next| !next.is_empty()) && is_thing()
    }

    /// Whether an unknown word is a name in any case.
    pub(super) fn makes_unknown_name(self) -> bool {
        matches!(self, Self::Name) || self.is_collection()
    }

    fn is_collection(self) -> bool {
        let Self::Word(word) = self else { return false };
        // One letter, as in `/u/jane` or `/r/rust`.
        is_plural(word) || word.len() == 1 || COLLECTIONS.contains(&word)
    }
}

fn is_plural(word: &str) -> bool {
    word.len() > 3 && word.ends_with('s') && !word.ends_with("ss")
}

/// Capitals alone, as of an airport or a currency.
fn is_code(segment: &str) -> bool {
    (2..=5).contains(&segment.len()) && segment.bytes().all(|byte| byte.is_ascii_uppercase())
}
