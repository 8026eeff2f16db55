//! Words behind which things of one kind stand: plurals, and others that routes have in the singular.

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
    "kv",
    "label",
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

/// What things are selected by: `/deals/stage/lead`. It is no name of a thing itself.
pub(super) const SELECTORS: &[&str] = &[
    "category",
    "kind",
    "level",
    "role",
    "schedule",
    "severity",
    "slug",
    "specialty",
    "stage",
    "state",
    "telemetry",
    "type",
    "username",
];

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

/// Whether a word ends as plurals do.
pub(super) fn is_plural(word: &str) -> bool {
    word.len() > 3 && word != "apis" && word.ends_with('s') && !word.ends_with("ss")
}
