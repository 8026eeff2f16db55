//! The commands of the application to its database, from the events of its own client: command monitoring, pool events
//! (CMAP) and topology events (SDAM). They hold no documents, filters or error texts.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{FailureKind, Latency};

/// The commands of the application's client, its connections, and its view of the deployment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AppCommands {
    /// Commands of the window by name, database and collection, those with the most time first; at most 50.
    pub rows: Vec<CommandRow>,
    /// The number of kinds of commands in the window.
    pub kinds: u32,
    /// All commands of the window.
    pub whole: CommandRow,
    /// Waits for a connection in the window, in the form of a row of commands.
    pub waits: CommandRow,
    /// Commands in flight now.
    pub in_flight: u64,
    /// Commands since the start that were sent while a request was handled.
    pub sent_for_requests: u64,
    /// Commands since the start that other tasks sent.
    pub sent_by_others: u64,
    /// Errors since the start, the most frequent first; at most 20.
    pub errors: Vec<CommandError>,
    /// The client's pools, one for each server.
    pub pools: Vec<Pool>,
    /// The deployments, as the clients see them.
    pub deployments: Vec<Deployment>,
    /// Caught panics of the listener. They did not reach the application.
    pub faults: u64,
}

/// A command on a collection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandName {
    /// MongoDB's name: `find`, `aggregate`; `(other)` past the maximum of 256.
    pub command: String,
    /// Its database.
    pub database: String,
    /// Its collection; empty for a command without one.
    pub collection: String,
}

impl CommandName {
    /// The name in one text: `find shop.orders`.
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
    /// Their name.
    pub name: CommandName,
    /// The endpoints whose requests have sent them since the start, those with the most time first; at most three.
    pub senders: Vec<String>,
    /// Commands that ended, in any way.
    pub calls: u64,
    /// Commands that the server refused in whole or in part, or that got no answer.
    pub failed: u64,
    /// Commands whose sender did not wait for the answer.
    pub cancelled: u64,
    /// Documents that were returned or written.
    pub documents: u64,
    /// The sum of their durations.
    pub duration_sum_us: u64,
    /// From sending to the answer, without the wait for a connection; `None` without an answer.
    pub latency: Option<Latency>,
}

/// Commands of one name since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandTotals {
    /// Their name.
    pub name: CommandName,
    /// Commands that were sent.
    pub sent: u64,
    /// Commands that succeeded.
    pub fine: u64,
    /// Commands that the server refused in whole or in part, or that got no answer.
    pub failed: u64,
    /// Commands whose sender did not wait for the answer.
    pub cancelled: u64,
    /// The sum of the durations of the answered commands.
    pub duration_sum_us: u64,
}

/// The commands that the application has sent, and its connections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandsSnapshot {
    /// Every command since the start.
    pub totals: Vec<Arc<CommandTotals>>,
    /// Commands that were sent while a request was handled.
    pub sent_for_requests: u64,
    /// Commands that other tasks sent.
    pub sent_by_others: u64,
    /// Commands in flight now.
    pub in_flight: u64,
    /// The client's pools, one for each server.
    pub pools: Vec<Pool>,
}

/// Errors of one command with one code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandError {
    /// The command.
    pub name: CommandName,
    /// The server's error code; zero without an answer.
    pub code: i32,
    /// The server's name of the code; empty without one.
    pub word: String,
    /// The number of errors.
    pub count: u64,
}

/// The application's connections to one server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// The address of the server.
    pub address: String,
    /// Open connections.
    pub size: u64,
    /// `maxPoolSize`; zero without a limit.
    pub max: u64,
    /// Connections that are checked out.
    pub in_use: u64,
    /// Operations that wait for a connection.
    pub waiting: u64,
    /// Check-outs since the start.
    pub checked_out: u64,
    /// Check-outs that failed, since the start.
    pub failed: u64,
    /// How often the driver cleared the pool because the server had failed.
    pub cleared: u64,
    /// Connections opened since the start.
    pub created: u64,
    /// Connections closed since the start, by reason: idle, stale, error, abandoned in use, pool closed.
    pub closed: [u64; 5],
}

impl Pool {
    /// Whether as many connections are in use as the pool may have; `false` without a limit.
    pub fn is_full(&self) -> bool {
        self.max > 0 && self.in_use >= self.max
    }
}

/// The deployment in the view of the application's client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// The driver's topology type: `Single`, `ReplicaSetWithPrimary`.
    pub kind: String,
    /// The replica set's name; `None` without one.
    pub set_name: Option<String>,
    /// Its servers, by address.
    pub members: Vec<DeploymentMember>,
    /// How often another server became primary since the start.
    pub new_primaries: u64,
    /// The time of the last change.
    pub changed_at_unix_ms: u64,
}

impl Deployment {
    /// Whether `other` is the same deployment in the view of another client.
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
    /// The driver's server type: `RSPrimary`, `Unknown`.
    pub kind: String,
    /// The driver's mean round trip at the last change; `None` if it is unknown.
    pub round_trip_us: Option<u64>,
    /// Why it is unknown; `None` if it is known.
    pub failure: Option<FailureKind>,
}

/// The database commands of requests while they were handled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestDatabase {
    /// Requests that sent a command.
    pub requests: u64,
    /// The sum of their commands.
    pub commands: u64,
    /// The sum of the times in which a request had a command in flight.
    pub elapsed_us: u64,
    /// The sum of the times in which a request waited for a connection to the database.
    pub waited_us: u64,
    /// Requests that sent the same command at least ten times.
    pub repeated: u64,
    /// Half of these requests had commands in flight for at most this. This figure and the next two are within 0.8 %.
    pub p50_us: u64,
    /// 99 of 100 of these requests took at most this.
    pub p99_us: u64,
    /// The most that one request took.
    pub max_us: u64,
}

/// The commands of one name by the requests of one endpoint, since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointCommand {
    /// Their name.
    pub name: CommandName,
    /// Requests that sent one.
    pub requests: u64,
    /// Commands that they sent.
    pub calls: u64,
    /// The sum of their durations.
    pub duration_sum_us: u64,
    /// The most that one request sent.
    pub most: u32,
    /// Requests that sent at least ten.
    pub repeated: u64,
}

/// The database commands of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestCommands {
    /// Commands that it sent.
    pub commands: u32,
    /// The time in which at least one was in flight.
    pub elapsed_us: u64,
    /// The time in which it waited for a connection to the database.
    pub waited_us: u64,
    /// The names of its steps.
    pub names: Vec<String>,
    /// The first commands that ended; at most 24.
    pub steps: Vec<CommandStep>,
}

/// One command of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandStep {
    /// The index of its name in [`RequestCommands::names`].
    pub name: u8,
    /// The time from the request's arrival until it was sent.
    pub at_us: u64,
    /// Its duration.
    pub elapsed_us: u32,
    /// Whether it failed.
    pub failed: bool,
}
