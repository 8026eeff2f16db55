//! Database health: MongoDB as the probe of the monitor finds it.

use serde::{Deserialize, Serialize};

use super::{AppCommands, DatabaseServer};

/// The database, as last probed: once a second.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
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
    /// It does not, and why.
    Failed(DatabaseFailure),
}

/// Why the database does not answer.
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
    /// The address cannot be resolved or reached.
    Unreachable,
    /// Connected or connecting, and no answer in time: frozen, overloaded, or cut off.
    TimedOut,
    /// Wrong user or password.
    AuthenticationFailed,
    /// Logged in, and not permitted.
    NotAuthorised,
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
            Self::AuthenticationFailed => "authentication failed",
            Self::NotAuthorised => "not authorised",
            Self::BadUri => "bad connection string",
            Self::Other => "error",
        }
    }
}

impl Database {
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
