//! Every type that crosses the network, as plain data in the words of the page. Units stand last in names:
//! `_us` microseconds, `_ms` milliseconds, `_bytes`, `_percent` (0 to 100). Times are Unix milliseconds, UTC.

mod application;
mod ask;
mod commands;
mod database;
mod detail;
mod endpoints;
mod errors;
pub mod format;
mod health;
mod memory;
mod requests;
mod runtime;
mod server;
mod timeline;
mod window;

pub use application::{Application, ApplicationProcess, Role};
pub use ask::{Ask, Part, RefreshCursor, RefreshResponse};
pub use commands::{
    AppCommands, CommandError, CommandName, CommandRow, CommandStep, CommandTotals, CommandsSnapshot, Deployment,
    DeploymentMember, EndpointCommand, Pool, RequestCommands, RequestDatabase,
};
pub use database::{DatabaseDetail, DatabaseFailure, DatabaseFile, DatabaseHealth, DatabaseState, FailureKind};
pub use detail::{Cost, Devices, Disk, HeavyProcess, MemoryDetail, Network, ThreadGroup};
pub use endpoints::{
    Band, EndpointColumns, EndpointDetail, EndpointName, EndpointRow, EndpointTotals, NameSource, StatusTotals,
};
pub use errors::{ErrorCause, ErrorEvent, ErrorKind, ErrorSample, SlowRequest};
pub use health::{Finding, FindingSubject, Health, Status};
pub use memory::{
    Allocator, Container, CpuQuota, Descriptors, Handles, Headline, Heap, Memory, PageSharing, Pressure, Process,
    System, Thread, Threads,
};
pub use requests::{Latency, RecentRequests, RequestMemory, RequestUpstream, Requests, WindowTotals};
pub use runtime::Runtime;
pub use server::{
    Cache, CollectionSize, Collections, DatabaseServer, DatabaseSize, Databases, DatedReading, Operation,
    ReplicaMember, Replication, ServerConnections, ServerStatus,
};
use timeline::columns;
pub use timeline::{Columns, Timeline, TimelineColumns};
pub use window::Window;

use std::sync::Arc;

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
