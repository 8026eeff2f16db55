//! The figures of the MongoDB server itself, from the monitor's probe. A missing privilege becomes the reason of that
//! reading.

use serde::{Deserialize, Serialize};

use super::Reading;

/// The figures of the server. Each part is `None` before its first question.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DatabaseServer {
    /// From `serverStatus`: every ten seconds, and every two while a page shows it.
    pub status: Option<DatedReading<ServerStatus>>,
    /// From `replSetGetStatus`, as often; a set without a name if the server has no replication.
    pub replication: Option<DatedReading<Replication>>,
    /// From `dbStats`: every five minutes while a page shows it.
    pub databases: Option<DatedReading<Databases>>,
    /// From `$collStats`, while a page shows it.
    pub collections: Option<DatedReading<Collections>>,
    /// From `$currentOp`, while a page shows it.
    pub operations: Option<DatedReading<Vec<Operation>>>,
    /// The longest round of these questions in the last minute, in microseconds.
    pub round_max_us: u64,
}

/// An answer of the server or the reason for its lack, with its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatedReading<T> {
    /// The time of the question.
    pub at_unix_ms: u64,
    /// The answer, or the reason.
    pub reading: Reading<T>,
}

/// The answer to `serverStatus`. Rates are between the last two answers, and `None` at the first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServerStatus {
    /// Its own name and port.
    pub host: String,
    /// `storageEngine.name`: usually `wiredTiger`.
    pub storage_engine: Option<String>,
    /// Seconds since its start: `uptime`.
    pub uptime_seconds: u64,
    /// The connections of all clients.
    pub connections: ServerConnections,
    /// Operations per second, from `opcounters`: insert, query, update, delete, getmore, command.
    pub operations_per_second: Option<[f64; 6]>,
    /// Mean time of reads, writes and commands within the server, from `opLatencies`.
    pub latency_us: Option<[Option<u64>; 3]>,
    /// Clients that read or write now: `globalLock.activeClients`.
    pub active_clients: Option<u64>,
    /// Clients that wait for a lock or a ticket: `globalLock.currentQueue`.
    pub queued_clients: Option<u64>,
    /// The storage engine's cache.
    pub cache: Option<Cache>,
    /// Resident memory of the server: `mem.resident`.
    pub resident_bytes: Option<u64>,
    /// Its address space: `mem.virtual`.
    pub virtual_bytes: Option<u64>,
    /// Bytes received and sent per second, from `network`.
    pub network_bytes_per_second: Option<[f64; 2]>,
    /// Assertions since its start, from `asserts`: regular, warning, message, user.
    pub assertions: [u64; 4],
}

/// The server's connections, from `connections`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerConnections {
    /// Open connections.
    pub current: u64,
    /// Connections that can still be opened.
    pub available: u64,
    /// Connections with an operation in flight.
    pub active: Option<u64>,
    /// Connections opened since the server's start.
    pub created: Option<u64>,
}

impl ServerConnections {
    /// Open connections in percent of the maximum.
    pub fn percent(&self) -> f64 {
        100.0 * self.current as f64 / (self.current + self.available).max(1) as f64
    }
}

/// WiredTiger's cache, from `wiredTiger.cache`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cache {
    /// Bytes in the cache.
    pub used_bytes: u64,
    /// Bytes at most.
    pub max_bytes: u64,
    /// Bytes in the cache that are not yet on disk.
    pub dirty_bytes: u64,
    /// Pages per second that clients' threads evicted.
    pub evicted_by_clients_per_second: Option<f64>,
}

impl Cache {
    /// Used bytes in percent of the maximum.
    pub fn used_percent(&self) -> f64 {
        100.0 * self.used_bytes as f64 / self.max_bytes.max(1) as f64
    }

    /// Bytes that are not yet on disk, in percent of the maximum.
    pub fn dirty_percent(&self) -> f64 {
        100.0 * self.dirty_bytes as f64 / self.max_bytes.max(1) as f64
    }
}

/// The replica set in the view of the asked member, from `replSetGetStatus`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Replication {
    /// Its name; empty without replication.
    pub set: String,
    /// The number of its elections.
    pub term: Option<i64>,
    /// Its members.
    pub members: Vec<ReplicaMember>,
    /// Seconds from the oldest to the newest entry of the oplog; `None` without replication, or if the server does not
    /// report it. A member that was away for longer needs an initial sync.
    pub oplog_window_seconds: Option<u64>,
    /// Why the delay of a member is unknown, if it is: the login may not read the set's configuration.
    pub delays_unknown: Option<String>,
}

/// A member of the set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReplicaMember {
    /// Its name and port.
    pub name: String,
    /// `PRIMARY`, `SECONDARY`, `(not reachable/healthy)`.
    pub state: String,
    /// Whether the asked member reaches it.
    pub healthy: bool,
    /// Its lag behind the primary, less the delay that it is meant to have; `None` for the primary, and if the lag is unknown.
    pub lag_seconds: Option<u64>,
    /// The delay that it is meant to have (`secondaryDelaySecs`); `None` if it is unknown.
    pub delay_seconds: Option<u64>,
    /// Seconds since its start.
    pub uptime_seconds: Option<u64>,
    /// Whether this is the asked member.
    pub is_self: bool,
}

/// The largest databases, from `dbStats`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Databases {
    /// The largest databases, at most 50.
    pub largest: Vec<DatabaseSize>,
    /// The number of other databases: smaller, too slow to answer, or without a privilege to ask.
    pub omitted: u64,
}

/// The size of a database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseSize {
    /// Its name.
    pub name: String,
    /// The number of its collections.
    pub collections: u64,
    /// The number of their documents.
    pub documents: u64,
    /// The size of the documents before compression.
    pub data_bytes: u64,
    /// The size on disk.
    pub storage_bytes: u64,
    /// The size of the indexes on disk.
    pub index_bytes: u64,
}

/// The largest collections of the application's database, from `$collStats`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collections {
    /// The database.
    pub database: String,
    /// Collections that were asked so far; a few in each round.
    pub looked_at: u64,
    /// Whether these are all collections.
    pub is_all: bool,
    /// Collections without an answer: dropped meanwhile, or too slow.
    pub omitted: u64,
    /// The largest collections, at most 50.
    pub largest: Vec<CollectionSize>,
}

/// The size of a collection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectionSize {
    /// Its name.
    pub name: String,
    /// The number of its documents.
    pub documents: u64,
    /// Their size before compression.
    pub data_bytes: u64,
    /// The size on disk.
    pub storage_bytes: u64,
    /// The number of its indexes.
    pub indexes: u64,
    /// The size of the indexes on disk.
    pub index_bytes: u64,
}

/// A long-running operation, from `$currentOp`, without its arguments and its user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Its kind: `query`, `update`, `command`.
    pub kind: String,
    /// Its database and collection.
    pub namespace: String,
    /// The time for which it has run.
    pub running_us: u64,
    /// Its client's `appName`.
    pub app_name: String,
    /// Whether it waits for a lock.
    pub waits_for_lock: bool,
    /// Its plan: `IXSCAN`, `COLLSCAN`; empty if it is unknown.
    pub plan: String,
}
