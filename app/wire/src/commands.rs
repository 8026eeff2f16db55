//! What the application asks of its database, as the events of its own client tell. Documents, filters and error texts are not in it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{FailureKind, Latency};

/// The commands of the application's client, its connections, and what it sees of the deployment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AppCommands {
    /// Commands of the window by name, database and collection, those that took the most time first; at most 50.
    pub rows: Vec<CommandRow>,
    /// How many kinds of commands there are in the window.
    pub kinds: u32,
    /// All commands of the window.
    pub whole: CommandRow,
    /// Waits for a connection in the window, as if they were commands.
    pub waits: CommandRow,
    /// Commands under way now.
    pub in_flight: u64,
    /// Commands that were sent since the start while a request was handled.
    pub sent_for_requests: u64,
    /// Those that were sent by other tasks, since the start.
    pub sent_by_others: u64,
    /// Errors since the start, the most frequent first; at most 20.
    pub errors: Vec<CommandError>,
    /// The client's pools, one for each server.
    pub pools: Vec<Pool>,
    /// The deployments, as the clients see them.
    pub deployments: Vec<Deployment>,
    /// Panics in the listener's own code that were kept from the application's calls.
    pub faults: u64,
}

/// A command on a collection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandName {
    /// As MongoDB calls it: `find`, `aggregate`; `(other)` past the cap of 256.
    pub command: String,
    /// The database that it is sent to.
    pub database: String,
    /// The collection that it is about; empty where it is about none.
    pub collection: String,
}

impl CommandName {
    /// `find shop.orders`.
    pub fn text(&self) -> String {
        let Self { command, database, collection } = self;
        match (database.is_empty(), collection.is_empty()) {
            (true, _) => command.clone(),
            (false, true) => format!("{command} {database}"),
            (false, false) => format!("{command} {database}.{collection}"),
        }
    }
}

/// The commands of one name in a window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CommandRow {
    /// What they are.
    pub name: CommandName,
    /// Those that ended, in whatever way.
    pub calls: u64,
    /// Of these, those that the server refused in whole or in part, or that got no answer.
    pub failed: u64,
    /// Of these, those whose sender did not wait for the answer.
    pub cancelled: u64,
    /// Documents that came back or were written.
    pub documents: u64,
    /// The time that all of them took together.
    pub duration_sum_us: u64,
    /// From sending to the answer, without the wait for a connection; none where none was answered.
    pub latency: Option<Latency>,
}

/// Commands of one name since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandTotals {
    /// What they are.
    pub name: CommandName,
    /// Commands that were sent.
    pub sent: u64,
    /// Of these, those that were answered well.
    pub fine: u64,
    /// Of these, those that the server refused in whole or in part, or that got no answer.
    pub failed: u64,
    /// Of these, those whose sender did not wait for the answer.
    pub cancelled: u64,
    /// The time that the answered ones took together.
    pub duration_sum_us: u64,
}

/// The commands that the application has sent, and its connections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandsSnapshot {
    /// Every command since the start.
    pub totals: Vec<Arc<CommandTotals>>,
    /// Commands that were sent while a request was handled.
    pub sent_for_requests: u64,
    /// Those that were sent by other tasks.
    pub sent_by_others: u64,
    /// Commands under way now.
    pub in_flight: u64,
    /// The client's pools, one for each server.
    pub pools: Vec<Pool>,
}

/// Errors of one command with one code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandError {
    /// The command.
    pub name: CommandName,
    /// The server's error code; zero where there was no answer.
    pub code: i32,
    /// The server's word for it; empty where it gave none.
    pub word: String,
    /// How many.
    pub count: u64,
}

/// The application's connections to one server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// The server.
    pub address: String,
    /// Connections that are open.
    pub size: u64,
    /// As many as there may be; zero without a bound.
    pub max: u64,
    /// Those that somebody has.
    pub in_use: u64,
    /// Those who wait for one.
    pub waiting: u64,
    /// How often one was given out since the start.
    pub checked_out: u64,
    /// How often none could be given out.
    pub failed: u64,
    /// How often all were thrown away, since the server had failed.
    pub cleared: u64,
    /// Connections that were opened since the start.
    pub created: u64,
    /// Connections that were closed, by reason: idle, stale, error, given up while in use, pool closed.
    pub closed: [u64; 5],
}

impl Pool {
    /// Whether all that there may be are in use; never without a bound.
    pub fn is_full(&self) -> bool {
        self.max > 0 && self.in_use >= self.max
    }
}

/// The deployment, as the application's client sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// The driver's word for it: `Single`, `ReplicaSetWithPrimary`.
    pub kind: String,
    /// The replica set's name.
    pub set_name: Option<String>,
    /// Its servers, by address.
    pub members: Vec<DeploymentMember>,
    /// How often another server became primary since the start.
    pub new_primaries: u64,
    /// When any of this last changed.
    pub changed_at_unix_ms: u64,
}

impl Deployment {
    /// Whether another client sees the same.
    pub fn is_same(&self, other: &Self) -> bool {
        let addresses =
            |deployment: &Self| deployment.members.iter().map(|member| member.address.clone()).collect::<Vec<_>>();
        self.set_name == other.set_name && addresses(self) == addresses(other)
    }
}

/// A server of the deployment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentMember {
    /// Its address.
    pub address: String,
    /// The driver's word for it: `RSPrimary`, `Unknown`.
    pub kind: String,
    /// The driver's mean round trip, as of the last change.
    pub round_trip_us: Option<u64>,
    /// Why it is not known.
    pub failure: Option<FailureKind>,
}

/// What requests asked of the database while they were handled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestDatabase {
    /// Requests that asked anything.
    pub requests: u64,
    /// Commands of all of them.
    pub commands: u64,
    /// The time in which at least one command of a request was under way, of all of them together.
    pub took_us: u64,
    /// Requests that sent a command of one shape at least ten times.
    pub repeated: u64,
    /// Half of those that asked took at most this for it; within 0.8 %, as all that follows.
    pub p50_us: u64,
    /// 99 of 100 took at most this.
    pub p99_us: u64,
    /// The most that one took.
    pub max_us: u64,
}

/// The commands of one shape by the requests of one endpoint, since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointCommand {
    /// What they are.
    pub name: CommandName,
    /// Requests that sent any.
    pub requests: u64,
    /// How many they sent.
    pub calls: u64,
    /// The time that these took together.
    pub duration_sum_us: u64,
    /// The most that one request sent.
    pub most: u32,
    /// Requests that sent at least ten.
    pub repeated: u64,
}

/// What one request asked of the database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestCommands {
    /// Commands that it sent.
    pub commands: u32,
    /// The time in which at least one was under way.
    pub took_us: u64,
    /// The names that its steps point to.
    pub names: Vec<String>,
    /// The first that ended; at most 24.
    pub steps: Vec<CommandStep>,
}

/// One command of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandStep {
    /// Its place in [`RequestCommands::names`].
    pub name: u8,
    /// From the request's arrival until it was sent.
    pub at_us: u64,
    /// Until it ended.
    pub took_us: u32,
    /// Whether it failed.
    pub failed: bool,
}
