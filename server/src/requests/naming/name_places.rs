//! Words behind which names stand, by kind, and words that are names there.

/// Of these, and of the plurals, a thing has what the plural behind it names: `/project/default/versions`.
pub(super) const HAVE_ITEMS: &[&str] =
    &["bucket", "keyspace", "namespace", "project", "queue", "repo", "schema", "snapshot", "table", "tenant", "topic"];
/// Words that are names of people as well. Behind a plural they are names.
pub(super) const NAMES_OF_PEOPLE: &[&str] = &[
    "bill", "chase", "chef", "gene", "grant", "harry", "jenkins", "jersey", "mark", "master", "max", "may", "miles",
    "page", "ray", "river", "rug", "ruby", "star", "van", "will", "willow", "wolf",
];

/// Behind these a word is a name that a user has chosen, unless routes have it beside such names.
pub(super) const OF_PEOPLE: &[&str] = &[
    "authors",
    "beneficiaries",
    "branch",
    "branches",
    "breeds",
    "environments",
    "genres",
    "hashtags",
    "job",
    "keyspaces",
    "members",
    "orgs",
    "organizations",
    "owners",
    "people",
    "profiles",
    "r",
    "repos",
    "t",
    "tenants",
    "u",
    "users",
    "variables",
    "workspaces",
];
/// Behind these stands a name that somebody has chosen, also in the plural: `/orgs/acme-labs`.
pub(super) const OWNERS: &[&str] =
    &["companies", "namespaces", "organizations", "orgs", "repos", "tenants", "workspaces"];
/// Behind these, words that routes have are values as well: `/alerts/severity/info`.
pub(super) const OF_STATES: &[&str] =
    &["branches", "compare", "dist-tags", "environments", "level", "manifests", "o", "priority", "severity", "stage"];
/// States of a thing, which are values behind `status`: `/orders/status/paid`.
pub(super) const STATES: &[&str] = &[
    "active",
    "approved",
    "archived",
    "blocked",
    "canceled",
    "cancelled",
    "closed",
    "completed",
    "delivered",
    "draft",
    "expired",
    "failed",
    "inactive",
    "new",
    "open",
    "overdue",
    "paid",
    "pending",
    "published",
    "refunded",
    "rejected",
    "resolved",
    "returned",
    "shipped",
    "unpaid",
];
/// Behind these, names may begin with a verb: `/flags/enable-sso`.
pub(super) const OF_FLAGS: &[&str] = &["experiments", "features", "flags", "toggles"];
/// They end as plurals do, and routes stand behind them: `/reports/aging`.
pub(super) const OF_ROUTES: &[&str] =
    &["analytics", "metrics", "preferences", "reports", "settings", "statistics", "stats"];
/// Folders of mail, and what stands before them.
pub(super) const FOLDERS: &[&str] = &["archive", "drafts", "inbox", "junk", "outbox", "sent", "spam", "trash"];
pub(super) const OF_MAIL: &[&str] = &["folders", "mailboxes"];
/// Behind these a plural may be a name as well: `/tables/orders`.
pub(super) const OF_DATA: &[&str] = &[
    "b",
    "buckets",
    "collections",
    "databases",
    "datasets",
    "indexes",
    "indices",
    "packages",
    "queues",
    "schemas",
    "tables",
    "topics",
];
/// Behind these, words in capitals and words with dots are routes: `/commands/START_SESSION`, `/methods/chat.post`.
pub(super) const OF_CONSTANTS: &[&str] = &["actions", "commands", "events", "methods", "operations", "types"];
/// Words of titles: `/episodes/why-we-sleep`.
pub(super) const OF_TITLES: &[&str] = &[
    "a", "an", "and", "are", "at", "der", "die", "du", "et", "for", "from", "how", "in", "is", "it", "la", "le", "my",
    "of", "on", "one", "our", "that", "the", "this", "to", "und", "was", "we", "what", "when", "why", "with", "you",
    "your",
];

/// Behind these, a name with `@` is somebody's, as behind plurals. Behind these plurals it is a scope of packages.
pub(super) const OF_HANDLES: &[&str] = &["c", "channel"];
pub(super) const PACKAGES: &[&str] = &["modules", "packages"];

/// Behind these stands a branch or a tag: `/blob/v3`.
pub(super) const OF_REVISIONS: &[&str] = &["blob", "branch", "raw", "tree"];

/// Words behind which other versions than those of an API stand.
pub(super) const OF_OTHERS: &[&str] = &["build", "download", "firmware", "package", "release", "tag", "version"];
