//! Database health: the results of the monitor's own probe.

use serde::{Deserialize, Serialize};

use super::{AppCommands, DatabaseServer, FailureKind};

/// The database at its last probe. The monitor probes once a second.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseHealth {
    /// `MongoDB` or `SQLite`; empty if no database is configured.
    pub kind: String,
    /// Its state.
    pub state: DatabaseState,
    /// The time at which it came into this state.
    pub since_unix_ms: u64,
    /// The time of the last probe; `None` before the first.
    pub probed_at_unix_ms: Option<u64>,
    /// The time of the last answer; `None` before the first.
    pub answered_at_unix_ms: Option<u64>,
    /// Its addresses as configured, without credentials.
    pub hosts: String,
    /// The round trip of the last probe that was answered, with the wait for a connection.
    pub latency_us: Option<u64>,
    /// The server's version, from `buildInfo` or SQLite's library; `None` until it is known.
    pub server_version: Option<String>,
    /// `standalone`, `replica set NAME (primary)`, `sharded cluster`; `None` until it is known.
    pub topology: Option<String>,
    /// The file of an embedded database; `None` for a server.
    pub file: Option<DatabaseFile>,
}

/// The file of an SQLite database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseFile {
    /// The size of all pages: `page_count` times `page_size`.
    pub size_bytes: u64,
    /// The size of the free pages, which SQLite uses again: `freelist_count` times `page_size`.
    pub free_bytes: u64,
    /// The size of the write-ahead log; `None` without one.
    pub log_bytes: Option<u64>,
    /// The `journal_mode`: `wal`, `delete`.
    pub journal_mode: String,
}

/// The state of the database.
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
    /// It does not answer, or it answers with an error.
    Failed(DatabaseFailure),
}

impl DatabaseState {
    /// Whether the database answers further questions than that for its state.
    pub fn answers(&self) -> bool {
        match self {
            Self::Healthy => true,
            Self::Failed(failure) => matches!(failure.kind, FailureKind::NotAuthorised | FailureKind::ReadOnly),
            Self::NotConfigured | Self::Connecting => false,
        }
    }
}

/// Why the database cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseFailure {
    /// The kind of failure.
    pub kind: FailureKind,
    /// The cause or the next step, without secrets.
    pub detail: String,
}

impl DatabaseFailure {
    /// A failure with its cause or the next step. The detail must hold no secret.
    pub fn new(kind: FailureKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }
}

impl DatabaseHealth {
    /// The reason why an application that needs it is not ready; `None` if it is healthy.
    pub fn unready(&self) -> Option<String> {
        (self.state != DatabaseState::Healthy).then(|| format!("database: {}", self.status_text()))
    }

    /// The text in `/health`: `healthy`, `not configured`, `connecting`, or `error: WHY`.
    pub fn status_text(&self) -> String {
        match &self.state {
            DatabaseState::NotConfigured => "not configured".to_owned(),
            DatabaseState::Connecting => "connecting".to_owned(),
            DatabaseState::Healthy => "healthy".to_owned(),
            DatabaseState::Failed(failure) => format!("error: {}: {}", failure.kind.words(), failure.detail),
        }
    }
}

/// The figures that the database view shows beyond the snapshot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DatabaseDetail {
    /// The server's own figures; `None` before the first answer.
    pub server: Option<DatabaseServer>,
    /// The commands of the application; `None` without a command listener.
    pub commands: Option<AppCommands>,
}
