//! What stands before a segment of a path, and what that says of the segment: `/users/jane` is a name, `/api/rechnungen` may be none.

use super::{
    locales::is_locale,
    route_words::{is_of_routes, is_verb},
    segment::{NAME, Segment, segment},
    words::is_version,
};

/// Words behind which an unknown word is a person's or a thing's name, beside all plurals.
pub(super) const COLLECTIONS: &[&str] = &[
    "artist",
    "author",
    "branch",
    "bucket",
    "by",
    "channel",
    "city",
    "country",
    "genre",
    "hashtag",
    "key",
    "keyspace",
    "name",
    "namespace",
    "owner",
    "package",
    "people",
    "person",
    "profile",
    "queue",
    "region",
    "repo",
    "room",
    "scope",
    "table",
    "tag",
    "tenant",
    "topic",
    "tree",
    "user",
    "workspace",
];
/// Of these, and of the plurals, a thing has what the plural behind it names: `/project/default/versions`.
const HAVE_ITEMS: &[&str] =
    &["bucket", "keyspace", "namespace", "project", "queue", "repo", "schema", "snapshot", "table", "tenant", "topic"];
/// Words that are names of people as well. Behind a plural they are names.
const NAMES_OF_PEOPLE: &[&str] = &[
    "bill", "chase", "chef", "gene", "grant", "harry", "jenkins", "jersey", "mark", "master", "max", "may", "miles",
    "page", "ray", "river", "rug", "ruby", "star", "van", "will", "willow", "wolf",
];

/// Behind these a word is a person's or a team's name, unless routes have it beside such names.
const OF_PEOPLE: &[&str] =
    &["authors", "members", "orgs", "organizations", "owners", "people", "profiles", "u", "users"];
/// They end as plurals do, and what stands behind them is no name of one of them.
pub(super) const NO_PLURALS: &[&str] = &[
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

    /// What a segment is by its look and by what stands before and behind it.
    pub(super) fn segment<'p>(self, part: &'p str, next: Option<&str>) -> Segment<'p> {
        let next = next.filter(|next| !next.is_empty());
        match segment(part) {
            Segment::Parameter(_) if self.makes_version(part, next) => Segment::Word,
            Segment::Word if self.makes_name_of_version(part, next) || self.makes_name_of_locale(part) => {
                Segment::Parameter(NAME.into())
            }
            Segment::DictionaryWord | Segment::Unknown if self.makes_name_of_locale(part) => {
                Segment::Parameter(NAME.into())
            }
            Segment::DictionaryWord | Segment::Unknown if is_verb(part) => Segment::Word,
            Segment::DictionaryWord if self.makes_unknown_name() && !self.makes_item(next) => Segment::Unknown,
            Segment::DictionaryWord => Segment::Word,
            // `/youtube/v3`, `/wc/v3`
            Segment::Unknown if self.makes_part_of_api(next) => Segment::Word,
            Segment::Parameter(_) if is_short(part) && self.makes_part_of_api(next) => Segment::Word,
            segment => segment,
        }
    }

    /// `/rest/api/3/issue`
    fn makes_version(self, part: &str, next: Option<&str>) -> bool {
        let is_api = matches!(self, Self::Word("api" | "apis" | "rest" | "version"));
        is_api && part.len() == 1 && part.bytes().all(|byte| byte.is_ascii_digit()) && next.is_some()
    }

    /// Whether a version follows, and no name of a thing is expected.
    fn makes_part_of_api(self, next: Option<&str>) -> bool {
        !self.makes_unknown_name() && next.is_some_and(is_version_of_api)
    }

    /// `/branches/v2`, `/manifests/v1.2.3`
    fn makes_name_of_version(self, part: &str, next: Option<&str>) -> bool {
        next.is_none()
            && is_version(part)
            && matches!(self, Self::Word(before) if is_plural(before) && !NO_PLURALS.contains(&before))
    }

    /// `/markets/de`, `/captions/pt-BR`. `/de/shop` may be all that there is.
    fn makes_name_of_locale(self, part: &str) -> bool {
        is_locale(part) && (part.len() > 2 || !matches!(self, Self::Open))
    }

    /// Whether what follows a word is a number or the like, and the word not a person: `/datasources/proxy/7`.
    fn makes_item(self, next: Option<&str>) -> bool {
        let is_of_people =
            matches!(self, Self::Word(before) if OF_PEOPLE.contains(&before)) || matches!(self, Self::Name);
        !is_of_people && next.is_some_and(|next| matches!(segment(next), Segment::Parameter(shown) if *shown != *NAME))
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
        // `_search`
        if is_of_routes(segment) || segment.starts_with(['_', '.']) {
            return false;
        }
        let next = next.filter(|next| !next.is_empty());
        let is_thing = || is_plural(before) && !NO_PLURALS.contains(&before) && !is_plural(segment);
        let has_items = |next| HAVE_ITEMS.contains(&before) && is_plural(next) && !is_plural(segment);
        OF_PEOPLE.contains(&before) && !is_plural(segment)
            || next.is_some_and(|next| (is_thing() || has_items(next)) && !self.makes_item(Some(next)))
    }

    /// Whether an unknown word is a name in any case.
    pub(super) fn makes_unknown_name(self) -> bool {
        matches!(self, Self::Name) || self.is_collection()
    }

    pub(super) fn is_collection(self) -> bool {
        let Self::Word(word) = self else { return false };
        // One letter, as in `/u/jane` or `/r/rust`.
        is_plural(word) || word.len() == 1 || COLLECTIONS.contains(&word)
    }
}

pub(super) fn is_plural(word: &str) -> bool {
    word.len() > 3 && word != "apis" && word.ends_with('s') && !word.ends_with("ss")
}

/// `v3` and `v1beta1`, not `3.1`.
fn is_version_of_api(segment: &str) -> bool {
    segment.starts_with('v') && is_version(segment)
}

/// Two or three small letters: an abbreviation.
fn is_short(segment: &str) -> bool {
    (2..=3).contains(&segment.len()) && segment.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// Capitals alone, as of an airport or a currency.
fn is_code(segment: &str) -> bool {
    (2..=5).contains(&segment.len()) && segment.bytes().all(|byte| byte.is_ascii_uppercase())
}
