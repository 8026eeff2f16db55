//! Every type that crosses the network, as plain data in the words of the page. Units stand last in names:
//! `_us` microseconds, `_ms` milliseconds, `_bytes`, `_percent` (0 to 100). Times are Unix milliseconds, UTC.

mod database;
mod health;
mod memory;
mod requests;
mod timeline;

pub use database::{Database, DatabaseFailure, DatabaseState, FailureKind};
pub use health::{Health, Status};
pub use memory::{Container, Handles, Headline, Memory, Process, System, Thread, Threads};
pub use requests::{Endpoint, ErrorEvent, ErrorKind, Latency, RecentRequests, Requests};
pub use timeline::{POINTS, STEP_SECONDS, Timeline, TimelineColumns};

use serde::{Deserialize, Serialize};

/// A figure, or why there is none. A failed probe is never shown as a zero.
pub type Reading<T> = Result<T, Unknown>;

/// What is known of a reading; its reason, to pass on, where nothing is.
///
/// # Errors
/// The reading's own reason.
pub fn known<T>(reading: &Reading<T>) -> Reading<&T> {
    reading.as_ref().map_err(Clone::clone)
}

/// Why a figure is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{reason}")]
pub struct Unknown {
    /// What stood in the way, in a sentence for the operator.
    pub reason: String,
}

impl Unknown {
    /// An unknown figure with its reason.
    pub fn because(reason: impl ToString) -> Self {
        Self { reason: reason.to_string() }
    }
}

/// All that is watched, frozen at one tick of the monitor: once a second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The name of the watched application.
    pub service: String,
    /// Watchboard's own version.
    pub version: String,
    /// When the monitor was built; tells one run of the process from the next.
    pub started_at_unix_ms: u64,
    /// Whole seconds from the start of the monitor to this freeze, by the monotonic clock.
    pub tick: u64,
    /// The wall-clock time of this freeze.
    pub taken_at_unix_ms: u64,
    /// The three below, judged together.
    pub health: Health,
    /// Request metrics.
    pub requests: Requests,
    /// Memory analytics.
    pub memory: Memory,
    /// Database health.
    pub database: Database,
}

/// What a page has already: it asks for what came after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// [`Snapshot::started_at_unix_ms`] of what it has.
    pub started_at_unix_ms: u64,
    /// [`Snapshot::tick`] of what it has.
    pub tick: u64,
}

/// The answer to a refresh: the newest snapshot and the part of the timeline that the page lacks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refreshed {
    /// The newest snapshot.
    pub snapshot: Snapshot,
    /// From the bucket of [`Seen::tick`] on; all of it when the page has nothing of this run.
    pub timeline: Timeline,
    /// The server's wall clock when it answered: with `taken_at_unix_ms` the age of the figures.
    pub served_at_unix_ms: u64,
}

impl Refreshed {
    /// How old the figures were when the server sent them.
    pub fn age_ms(&self) -> u64 {
        self.served_at_unix_ms.saturating_sub(self.snapshot.taken_at_unix_ms)
    }
}

impl Snapshot {
    /// What a page that shows this snapshot tells the server at its next refresh.
    pub fn seen(&self) -> Seen {
        Seen { started_at_unix_ms: self.started_at_unix_ms, tick: self.tick }
    }
}
