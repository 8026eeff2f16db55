//! What a place of a path is by what stands before it: the names of one kind of thing, as in `/users`, or of an application's resources.

use super::{
    lists::is_foreign_plural,
    plurals::{COLLECTIONS, NO_PLURALS, is_plural, is_selector},
    route_words::{is_by, is_verb},
    words::is_version,
};

/// Things that routes have in the singular before their names.
const SINGULARS: &[&str] = &[
    "app",
    "board",
    "book",
    "category",
    "cluster",
    "collection",
    "company",
    "customer",
    "database",
    "device",
    "domain",
    "event",
    "field",
    "game",
    "group",
    "host",
    "index",
    "instance",
    "item",
    "job",
    "league",
    "lesson",
    "machine",
    "member",
    "model",
    "module",
    "node",
    "order",
    "org",
    "organization",
    "page",
    "player",
    "playlist",
    "plugin",
    "product",
    "project",
    "realm",
    "schema",
    "secret",
    "server",
    "service",
    "site",
    "snapshot",
    "stack",
    "station",
    "store",
    "stream",
    "team",
    "template",
    "tool",
    "track",
    "vehicle",
    "venue",
    "video",
    "volume",
    "zone",
];

/// What a place is by what stands before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PlaceKind {
    /// The names of an application's resources: `/`, `/api/v1`.
    Root,
    /// The names or numbers of one kind of thing: `/users`.
    Collection,
    /// The same of a thing whose name is in the singular: `/project`. Beside its names may be words: `/project/settings`.
    Singular,
    /// Behind a verb: `/encrypt`.
    Verb,
    /// Behind another word.
    Word,
    /// What a thing has: `/users/{id}`.
    Parameter,
}

/// Whether an application's resources stand at a place, and not all that its root has: `/api`, `/v1`.
pub(super) fn is_of_resources(place: &str) -> bool {
    !place.is_empty() && kind_of_place(place) == PlaceKind::Root
}

/// Whether a place is behind the version of an API of things: `/styles/v1`.
pub(super) fn is_version_of_things(place: &str) -> bool {
    let mut parts = place.rsplit('/');
    parts.next().is_some_and(is_version)
        && parts.next().is_some_and(|before| is_plural(before) && !NO_PLURALS.contains(&before))
}

/// Whether a place is behind the version of an API of one matter: `/matrix/v1`.
pub(super) fn is_version_of_word(place: &str) -> bool {
    let mut parts = place.rsplit('/');
    parts.next().is_some_and(is_version) && parts.next().is_some_and(|before| kind_of_place(before) == PlaceKind::Word)
}

/// What a place is by what stands before it.
pub(super) fn kind_of_place(place: &str) -> PlaceKind {
    let before = place.rsplit('/').next().unwrap_or_default();
    match before {
        "" | "api" | "apis" | "rest" => PlaceKind::Root,
        _ if before.contains('{') => PlaceKind::Parameter,
        _ if is_version(before) => PlaceKind::Root,
        _ if NO_PLURALS.contains(&before) => PlaceKind::Word,
        _ if is_plural(before) || is_foreign_plural(before) || COLLECTIONS.contains(&before) => PlaceKind::Collection,
        _ if is_selector(before) || is_by(before) => PlaceKind::Collection,
        _ if SINGULARS.contains(&before) => PlaceKind::Singular,
        _ if is_verb(before) => PlaceKind::Verb,
        _ => PlaceKind::Word,
    }
}

/// Whether the last part of a place is one of some.
pub(super) fn ends_in_any(place: &str, parts: &[&str]) -> bool {
    place.rsplit('/').next().is_some_and(|last| parts.contains(&last))
}
