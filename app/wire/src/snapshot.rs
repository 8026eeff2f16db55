//! Everything that is watched, at one tick of the monitor.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::{CommandsSnapshot, DatabaseHealth, EndpointTotals, ErrorEvent, Health, Memory, Requests, Runtime, format};

/// A snapshot is taken every second. Once it is older than this, it is stale: no state that it has holds any more.
pub const STALE_AFTER: Duration = Duration::from_secs(5);

/// The snapshot with every endpoint, error and command, for `/health` and `/metrics`.
#[derive(Clone, Debug)]
pub struct FullSnapshot {
    /// The part that pages get too.
    pub snapshot: Snapshot,
    /// The time at which it was taken, by the monotonic clock.
    pub taken_at: Instant,
    /// Every endpoint since the start of the monitor.
    pub endpoints: Vec<Arc<EndpointTotals>>,
    /// The last errors, newest first; at most 100.
    pub errors: Vec<ErrorEvent>,
    /// The commands that the application sent to its database; `None` without a command listener.
    pub commands: Option<CommandsSnapshot>,
}

impl FullSnapshot {
    /// Its age now.
    pub fn age(&self) -> Duration {
        self.taken_at.elapsed()
    }

    /// Why it says nothing about now, if it is too old for that.
    pub fn stale(&self) -> Option<String> {
        let age = self.age();
        let text = || format!("the monitor has not taken figures for {}", format::span(age.as_secs()));
        (age > STALE_AFTER).then(text)
    }
}

/// The state of all that is watched at one tick of the monitor. It ticks once a second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The name of the watched application.
    pub service: String,
    /// Watchboard's own version.
    pub version: String,
    /// The time at which the monitor was built, by the wall clock. It identifies a run of the process.
    pub started_at_unix_ms: u64,
    /// Whole seconds from the start of the monitor to this snapshot, by the monotonic clock.
    pub tick: u64,
    /// The wall-clock time of this snapshot.
    pub taken_at_unix_ms: u64,
    /// The verdict on requests, memory and database together.
    pub health: Health,
    /// Request metrics.
    pub requests: Requests,
    /// Memory analytics.
    pub memory: Memory,
    /// Database health.
    pub database: DatabaseHealth,
    /// Whether the monitor listens to the events of the application's database client.
    pub listens: bool,
    /// The async runtime; `None` if the monitor was built outside of one.
    pub runtime: Option<Runtime>,
}
