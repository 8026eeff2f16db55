//! Everything that is watched, at one tick of the monitor.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{CommandsSnapshot, DatabaseHealth, EndpointTotals, ErrorEvent, Health, Memory, Requests, Runtime};

/// All that is watched, frozen at one tick of the monitor for whoever asks for the whole: `/health`, `/metrics`.
#[derive(Clone, Debug)]
pub struct FullSnapshot {
    /// What pages get too.
    pub snapshot: Snapshot,
    /// Every endpoint since the start.
    pub endpoints: Vec<Arc<EndpointTotals>>,
    /// The last errors, newest first; at most 100.
    pub errors: Vec<ErrorEvent>,
    /// What the application asked of its database; none where its client is not listened to.
    pub commands: Option<CommandsSnapshot>,
}

/// All that is watched, frozen at one tick of the monitor: once a second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
    pub database: DatabaseHealth,
    /// Whether the application's database client is listened to.
    pub listens: bool,
    /// The async runtime; none where the monitor was not built within one.
    pub runtime: Option<Runtime>,
}
