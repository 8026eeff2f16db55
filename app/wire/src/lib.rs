//! Every type that crosses the network, as plain data in the words of the page. Names end in their unit: `_us`
//! (microseconds), `_ms` (milliseconds), `_seconds`, `_bytes`, `_percent` (0 to 100). Times are Unix milliseconds in
//! UTC.
//!
//! `None` means that there is no such figure. A figure that could not be read is a [`Reading`] with its reason.

mod application;
mod axis;
mod capacity;
mod commands;
mod database;
mod detail;
mod earlier;
mod endpoints;
mod errors;
mod failure;
mod fault;
pub mod format;
mod health;
mod instances;
mod latency;
mod long_lived;
mod mark;
mod memory;
mod reading;
mod refresh;
mod requests;
mod runtime;
mod server;
mod snapshot;
mod timeline;
mod trace_url;
mod window;

pub use application::{Application, ApplicationProcess, ProcessEnd, Role};
pub use axis::{Axis, Unit};
pub use capacity::CapacityUse;
pub use commands::{
    AppCommands, CommandError, CommandName, CommandRow, CommandStep, CommandTotals, CommandsSnapshot, Deployment,
    DeploymentMember, EndpointCommand, Pool, RequestCommands, RequestDatabase,
};
pub use database::{DatabaseDetail, DatabaseFailure, DatabaseFile, DatabaseHealth, DatabaseState};
pub use detail::{Cost, Devices, Disk, HeavyProcess, MemoryDetail, Network, ThreadGroup};
pub use earlier::EarlierSpan;
pub use endpoints::{
    EndpointColumns, EndpointDetail, EndpointName, EndpointRow, EndpointStrip, EndpointTotals, Exemplar, NameSource,
    StatusTotals,
};
pub use errors::{ErrorCause, ErrorEvent, ErrorKind, ErrorSample, SlowRequest};
pub use failure::FailureKind;
pub use fault::Fault;
pub use health::{Finding, FindingSubject, Health, Severity, Status};
pub use instances::{
    FleetFigures, InstanceFigures, InstanceList, InstanceRow, InstanceScope, InstanceState, InstanceStrip,
    MAX_INSTANCE_NAME, is_fleet_database, is_instance_name,
};
pub use latency::{Band, EndpointLatency, Latency};
pub use long_lived::{
    ClosedBy, Closes, LongLivedKind, LongLivedRow, LongLivedTotals, MAX_LONG_LIVED_ROWS, close_code_name,
};
pub use mark::{Mark, MarkKind};
pub use memory::{
    Allocator, Container, CpuQuota, Descriptors, Handles, Headline, Heap, Memory, PageSharing, Pressure, Process,
    System, Thread, Threads,
};
pub use reading::{Reading, Unknown, reading_ref};
pub use refresh::{Part, RefreshCursor, RefreshQuery, RefreshResponse};
pub use requests::{RecentRequests, RequestMemory, RequestUpstream, Requests, WindowBefore, WindowTotals};
pub use runtime::Runtime;
pub use server::{
    Cache, CollectionSize, Collections, DatabaseServer, DatabaseSize, Databases, DatedReading, Operation,
    ReplicaMember, Replication, ServerConnections, ServerStatus,
};
pub use snapshot::{FleetDelivery, FullSnapshot, STALE_AFTER, Snapshot, StoredHistory};
use timeline::columns;
pub use timeline::{Columns, Timeline, TimelineColumns};
pub use trace_url::{TraceUrl, TraceUrlError};
pub use window::{ShownSpan, Window};
