//! Database health, as the probe of the monitor finds it.

use serde::{Deserialize, Serialize};

use super::{AppCommands, DatabaseServer};

/// The database, as last probed: once a second.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseHealth {
    /// What it is: `MongoDB`, `SQLite`; empty where none is configured.
    pub kind: String,
    /// How it is.
    pub state: DatabaseState,
    /// When it came to be so.
    pub since_unix_ms: u64,
    /// When it was last asked; none before the first probe.
    pub probed_at_unix_ms: Option<u64>,
    /// When it last answered; none when it never has.
    pub answered_at_unix_ms: Option<u64>,
    /// Its addresses, without any credentials.
    pub hosts: String,
    /// Round trip of the last probe that was answered, waiting for a connection included.
    pub latency_us: Option<u64>,
    /// The server's version; none until it has told.
    pub server_version: Option<String>,
    /// `standalone`, `replica set NAME (primary)`, `sharded cluster`; none until it has told.
    pub topology: Option<String>,
    /// The file of an embedded database; none for a server.
    pub file: Option<DatabaseFile>,
}

/// The file of an embedded database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseFile {
    /// All its pages.
    pub size_bytes: u64,
    /// Those of its pages that are free to be used again.
    pub free_bytes: u64,
    /// What is written ahead of it and not yet in it; none where it has no such log.
    pub log_bytes: Option<u64>,
    /// How it keeps its changes safe: `wal`, `delete`.
    pub journal_mode: String,
}

/// How the database is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatabaseState {
    /// The application gave the monitor no database.
    #[default]
    NotConfigured,
    /// The first probe is under way.
    Connecting,
    /// It answers.
    Healthy,
    /// It does not, or not as it should, and why.
    Failed(DatabaseFailure),
}

/// Why the database is of no use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseFailure {
    /// The kind of failure.
    pub kind: FailureKind,
    /// What to know or do about it, without any secret.
    pub detail: String,
}

/// The kinds of failure, told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// Nothing listens at the address.
    Refused,
    /// The address cannot be resolved or reached; the file is not there.
    Unreachable,
    /// Not even a connection in time: cut off on the way.
    TimedOut,
    /// Connections are taken, and no answer comes: stopped, hanging or overloaded.
    Frozen,
    /// Connections are made and break off.
    BrokenOff,
    /// No secure connection: the server speaks no TLS, or shows a certificate that is not trusted.
    TlsFailed,
    /// Wrong user or password, or a user that is not there any more.
    AuthenticationFailed,
    /// Not logged in where a login is asked for, or logged in and not permitted.
    NotAuthorised,
    /// Members of the replica set answer, and none of them takes writes.
    NoPrimary,
    /// It answers, and takes no writes.
    ReadOnly,
    /// Somebody else holds it.
    Busy,
    /// What is there is not a database, or a damaged one.
    Damaged,
    /// The connection string cannot be used.
    BadUri,
    /// The server answered with an error, or the driver did.
    Other,
}

impl FailureKind {
    /// The words of the page and of `/health`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Refused => "connection refused",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed out",
            Self::Frozen => "frozen",
            Self::BrokenOff => "connection broken off",
            Self::TlsFailed => "TLS failed",
            Self::AuthenticationFailed => "authentication failed",
            Self::NotAuthorised => "not authorised",
            Self::NoPrimary => "no primary",
            Self::ReadOnly => "read-only",
            Self::Busy => "busy",
            Self::Damaged => "damaged",
            Self::BadUri => "bad connection string",
            Self::Other => "error",
        }
    }
}

impl DatabaseFailure {
    /// A failure of a kind, with what to know or do about it: without any secret.
    pub fn new(kind: FailureKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }
}

impl DatabaseHealth {
    /// Why an application that needs it is not ready; none while it is healthy.
    pub fn unready(&self) -> Option<String> {
        (self.state != DatabaseState::Healthy).then(|| format!("database: {}", self.status_text()))
    }

    /// `healthy`, `not configured`, `connecting`, or `error: WHY`, as `/health` says it.
    pub fn status_text(&self) -> String {
        match &self.state {
            DatabaseState::NotConfigured => "not configured".to_owned(),
            DatabaseState::Connecting => "connecting".to_owned(),
            DatabaseState::Healthy => "healthy".to_owned(),
            DatabaseState::Failed(failure) => format!("error: {}: {}", failure.kind.words(), failure.detail),
        }
    }
}

/// What the database view shows beyond the snapshot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DatabaseDetail {
    /// The server's own state; none before it has told any of it.
    pub server: Option<DatabaseServer>,
    /// What the application asked of it; none where its client is not listened to.
    pub commands: Option<AppCommands>,
}
