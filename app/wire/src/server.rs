//! The database server's own state, as it tells the monitor's probe. What a login may not ask is unknown, and says which right is missing.

use serde::{Deserialize, Serialize};

use super::Reading;

/// What the server says of itself; each part none before it was asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DatabaseServer {
    /// From `serverStatus`, every ten seconds, and every two while somebody looks.
    pub status: Option<DatedReading<ServerStatus>>,
    /// From `replSetGetStatus`, as often; a set of no name where nothing is replicated.
    pub replication: Option<DatedReading<Replication>>,
    /// From `dbStats`, every five minutes while somebody looks.
    pub databases: Option<DatedReading<Databases>>,
    /// From `$collStats`, while somebody looks.
    pub collections: Option<DatedReading<Collections>>,
    /// From `$currentOp`, while somebody looks.
    pub operations: Option<DatedReading<Vec<Operation>>>,
    /// The longest time that a round of these questions took in the last minute.
    pub round_max_us: u64,
}

/// An answer of the server, or why there is none, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatedReading<T> {
    /// When it was asked.
    pub at_unix_ms: u64,
    /// What it said.
    pub reading: Reading<T>,
}

/// How the server does. Rates are between the last two answers; none at the first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServerStatus {
    /// Its own name and port.
    pub host: String,
    /// `wiredTiger`, as a rule.
    pub storage_engine: Option<String>,
    /// Seconds since it was started.
    pub uptime_seconds: u64,
    /// Connections of all clients.
    pub connections: ServerConnections,
    /// Operations per second: insert, query, update, delete, getmore, command.
    pub operations_per_second: Option<[f64; 6]>,
    /// Mean time of reads, writes and commands within the server.
    pub latency_us: Option<[Option<u64>; 3]>,
    /// Clients that read or write now, and those that wait for a lock to.
    pub active_clients: Option<u64>,
    /// Those that wait.
    pub queued_clients: Option<u64>,
    /// The storage engine's cache.
    pub cache: Option<Cache>,
    /// Resident memory of the server.
    pub resident_bytes: Option<u64>,
    /// Its address space.
    pub virtual_bytes: Option<u64>,
    /// Bytes that came in and went out per second.
    pub network_bytes_per_second: Option<[f64; 2]>,
    /// Assertions since it was started: regular, warning, message, user.
    pub assertions: [u64; 4],
}

/// The server's connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerConnections {
    /// Open now.
    pub current: u64,
    /// That could still be opened.
    pub available: u64,
    /// Of the open ones, those with an operation under way.
    pub active: Option<u64>,
    /// Opened since the server was started.
    pub created: Option<u64>,
}

impl ServerConnections {
    /// Open ones as a percentage of as many as there may be.
    pub fn percent(&self) -> f64 {
        100.0 * self.current as f64 / (self.current + self.available).max(1) as f64
    }
}

/// WiredTiger's cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cache {
    /// What it holds.
    pub used_bytes: u64,
    /// What it may hold.
    pub max_bytes: u64,
    /// Of what it holds, what has not been written to disk.
    pub dirty_bytes: u64,
    /// Pages per second that the threads of clients had to make room for themselves.
    pub evicted_by_clients_per_second: Option<f64>,
}

impl Cache {
    /// What it holds as a percentage of what it may hold.
    pub fn used_percent(&self) -> f64 {
        100.0 * self.used_bytes as f64 / self.max_bytes.max(1) as f64
    }

    /// What is not on disk as a percentage of what it may hold.
    pub fn dirty_percent(&self) -> f64 {
        100.0 * self.dirty_bytes as f64 / self.max_bytes.max(1) as f64
    }
}

/// The replica set, as the asked member sees it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Replication {
    /// Its name; empty where nothing is replicated.
    pub set: String,
    /// Elections that it has had.
    pub term: Option<i64>,
    /// Its members.
    pub members: Vec<ReplicaMember>,
    /// From the oldest to the newest entry of the oplog; none where nothing is replicated, or the server does not tell. A member that was away for longer has to begin anew.
    pub oplog_window_seconds: Option<u64>,
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
    /// How far it is behind the primary; none for the primary, and where that is not known.
    pub lag_seconds: Option<u64>,
    /// Seconds since it was started.
    pub uptime_seconds: Option<u64>,
    /// Whether it is the one that was asked.
    pub is_self: bool,
}

/// The largest databases.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Databases {
    /// At most 50.
    pub largest: Vec<DatabaseSize>,
    /// Others: smaller ones, those that the login may not ask, and those that took too long to tell.
    pub not_told: u64,
}

/// A database by its size.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseSize {
    /// Its name.
    pub name: String,
    /// Its collections.
    pub collections: u64,
    /// Their documents.
    pub documents: u64,
    /// The documents' size.
    pub data_bytes: u64,
    /// What they take on disk.
    pub storage_bytes: u64,
    /// What their indexes take on disk.
    pub index_bytes: u64,
}

/// The largest collections of the application's database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collections {
    /// The database.
    pub database: String,
    /// Collections that were looked at so far; a few at a time.
    pub looked_at: u64,
    /// Whether those are all.
    pub is_all: bool,
    /// Of those, the ones that did not tell: dropped meanwhile, or too slow.
    pub not_told: u64,
    /// The largest, at most 50.
    pub largest: Vec<CollectionSize>,
}

/// A collection by its size.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectionSize {
    /// Its name.
    pub name: String,
    /// Its documents.
    pub documents: u64,
    /// Their size.
    pub data_bytes: u64,
    /// What they take on disk.
    pub storage_bytes: u64,
    /// How many indexes it has.
    pub indexes: u64,
    /// What these take on disk.
    pub index_bytes: u64,
}

/// An operation that has been running for a while; neither what it asks nor whom it is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// `query`, `update`, `command`.
    pub kind: String,
    /// Database and collection.
    pub namespace: String,
    /// How long it has been running.
    pub running_us: u64,
    /// The name that its client goes by.
    pub app_name: String,
    /// Whether it waits for a lock.
    pub waits_for_lock: bool,
    /// How it reads: `IXSCAN`, `COLLSCAN`; empty where it does not say.
    pub plan: String,
}
