//! Listens to the application's MongoDB client: its commands, its connection pools, and its view of the deployment. The handlers run
//! within the application's calls, so they are a few atomic adds. They never keep documents, filters or error texts.

mod chain;
mod connections;
mod pools;
mod reader;
mod shape;
mod shapes;
mod topology;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
};

use mongodb::{
    bson::{Bson, Document},
    event::{
        cmap::CmapEvent,
        command::{CommandEvent, CommandFailedEvent, CommandStartedEvent, CommandSucceededEvent, ConnectionInfo},
        sdam::SdamEvent,
    },
    options::{ClientOptions, ServerAddress},
};

pub(crate) use self::reader::CommandReader;
use self::{
    chain::chain, connections::ConnectionSlots, pools::Pools, shape::CommandOutcome, shapes::Shapes,
    topology::Topologies,
};
use super::{CHECK_OUT, attribution};
use crate::database::mongodb::classify;

/// Commands whose first field names a collection. The first field of other commands can be anything: a user, a text.
const OF_COLLECTIONS: [&str; 15] = [
    "aggregate",
    "collMod",
    "collStats",
    "count",
    "create",
    "createIndexes",
    "delete",
    "distinct",
    "drop",
    "dropIndexes",
    "find",
    "findAndModify",
    "insert",
    "listIndexes",
    "update",
];
/// Commands whose reply has the number of documents that they wrote.
const WRITES: [&str; 4] = ["bulkWrite", "delete", "insert", "update"];
/// Commands that continue another command.
const GOES_ON: [&str; 4] = ["getMore", "killCursors", "commitTransaction", "abortTransaction"];

/// The counters that the handlers write. Each monitor leaks one, since the application's clients may outlive it.
pub(crate) struct Listener {
    shapes: Shapes,
    connections: ConnectionSlots,
    pools: Pools,
    topologies: Mutex<Topologies>,
    /// Clients that the listener listens to.
    clients: AtomicU32,
    /// Commands that were sent for a request, and for no known request.
    of_requests: AtomicU64,
    of_others: AtomicU64,
    faults: AtomicU64,
}

impl Listener {
    pub(crate) fn new() -> &'static Self {
        Box::leak(Box::new(Self {
            shapes: Shapes::new(),
            connections: ConnectionSlots::new(),
            pools: Pools::new(),
            topologies: Mutex::default(),
            clients: AtomicU32::new(0),
            of_requests: AtomicU64::new(0),
            of_others: AtomicU64::new(0),
            faults: AtomicU64::new(0),
        }))
    }

    /// Adds our handlers to a client's options, beside those that are there. Each client gets a number.
    pub(crate) fn listen(&'static self, mut options: ClientOptions) -> ClientOptions {
        attribution::enable();
        let client = self.clients.fetch_add(1, Relaxed);
        let commands = move |event: &CommandEvent| self.catch_panic(|| self.command(client, event));
        options.command_event_handler = chain(options.command_event_handler, commands);
        let pool = move |event: &CmapEvent| self.catch_panic(|| self.pool(client, event));
        options.cmap_event_handler = chain(options.cmap_event_handler, pool);
        let deployment = move |event: &SdamEvent| self.catch_panic(|| self.deployment(client, event));
        options.sdam_event_handler = chain(options.sdam_event_handler, deployment);
        options
    }

    /// Keeps a panic of ours from the application, and counts it.
    fn catch_panic(&self, work: impl FnOnce()) {
        if catch_unwind(AssertUnwindSafe(work)).is_err() {
            self.faults.fetch_add(1, Relaxed);
        }
    }

    fn command(&'static self, client: u32, event: &CommandEvent) {
        match event {
            CommandEvent::Started(event) => self.on_command_started(client, event),
            CommandEvent::Succeeded(event) => self.on_command_succeeded(client, event),
            CommandEvent::Failed(event) => self.on_command_failed(client, event),
            _ => {}
        }
    }

    fn on_command_started(&'static self, client: u32, event: &CommandStartedEvent) {
        let collection = collection(&event.command_name, &event.command);
        let (number, shape) = self.shapes.find_or_add(&event.command_name, &event.db, collection);
        shape.start();
        let fields = fields(&event.command_name, &event.command);
        let goes_on = GOES_ON.contains(&&*event.command_name);
        let is_of_request = attribution::write(|trace| trace.send(number, fields, goes_on));
        let sender = if is_of_request { &self.of_requests } else { &self.of_others };
        sender.fetch_add(1, Relaxed);
        // The sender of an earlier command on this connection did not wait for its reply.
        if let Some(before) = self.connections.begin(self.key(client, &event.connection), number) {
            self.shapes.by_number(before).end(&CommandOutcome::Cancelled);
        }
    }

    fn on_command_succeeded(&'static self, client: u32, event: &CommandSucceededEvent) {
        let documents = documents(&event.command_name, &event.reply);
        let outcome = match write_error(&event.reply) {
            Some(code) => CommandOutcome::Failed { elapsed: event.duration, code, name: "" },
            None => CommandOutcome::Fine { elapsed: event.duration, documents },
        };
        self.record_completion(client, &event.connection, &outcome);
    }

    fn on_command_failed(&'static self, client: u32, event: &CommandFailedEvent) {
        let (code, name) = classify::code(&event.failure);
        self.record_completion(
            client,
            &event.connection,
            &CommandOutcome::Failed { elapsed: event.duration, code, name },
        );
    }

    fn record_completion(&'static self, client: u32, connection: &ConnectionInfo, outcome: &CommandOutcome<'_>) {
        // Without a slot for the connection, the shape is not known.
        let number = self.connections.end(self.key(client, connection)).unwrap_or(shapes::OTHER);
        self.shapes.by_number(number).end(outcome);
        if let Some((elapsed, failed)) = outcome.duration() {
            attribution::write(|trace| trace.end(number, elapsed, failed));
        }
    }

    fn pool(&'static self, client: u32, event: &CmapEvent) {
        match event {
            CmapEvent::ConnectionCheckoutStarted(event) => {
                self.shapes.by_number(CHECK_OUT).start();
                self.pools.pool_for(client, &event.address).wait();
            }
            CmapEvent::ConnectionCheckedOut(event) => {
                let key = self.connections.key(client, &event.address, event.connection_id);
                self.pools.pool_for(client, &event.address).check_out(self.connections.give_out(key));
                self.shapes.by_number(CHECK_OUT).end(&CommandOutcome::Fine { elapsed: event.duration, documents: 0 });
            }
            CmapEvent::ConnectionCheckoutFailed(event) => {
                self.pools.pool_for(client, &event.address).check_out_failed();
                self.shapes.by_number(CHECK_OUT).end(&CommandOutcome::Failed {
                    elapsed: event.duration,
                    code: 0,
                    name: "",
                });
            }
            CmapEvent::ConnectionCheckedIn(event) => self.take_back(client, &event.address, event.connection_id),
            CmapEvent::ConnectionClosed(event) => {
                self.take_back(client, &event.address, event.connection_id);
                self.pools.pool_for(client, &event.address).close(&event.reason);
            }
            other => self.pools.note(client, other),
        }
    }

    /// A connection is back in its pool, or closed. If it still carries a command, the sender did not wait for the reply.
    fn take_back(&'static self, client: u32, address: &ServerAddress, connection: u32) {
        let Some(check_in) = self.connections.take_back(self.connections.key(client, address, connection)) else {
            return;
        };
        self.pools.pool_for(client, address).check_in();
        if let Some(number) = check_in.given_up {
            self.shapes.by_number(number).end(&CommandOutcome::Cancelled);
        }
    }

    fn deployment(&self, client: u32, event: &SdamEvent) {
        // The driver calls this from a task of its own: no request waits for the lock.
        let mut topologies = self.topologies.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            SdamEvent::TopologyDescriptionChanged(event) => {
                if let Some(topology) = topologies.topology_for(client) {
                    topology.change(&event.new_description);
                }
            }
            SdamEvent::TopologyClosed(_) => topologies.forget(client),
            _ => {}
        }
    }

    fn key(&self, client: u32, connection: &ConnectionInfo) -> u64 {
        self.connections.key::<ServerAddress>(client, &connection.address, connection.id)
    }
}

/// The collection of a command; empty if it has none.
fn collection<'a>(name: &str, command: &'a Document) -> &'a str {
    let named = match name {
        "getMore" => command.get("collection"),
        name if OF_COLLECTIONS.contains(&name) => command.values().next(),
        _ => None,
    };
    named.and_then(Bson::as_str).unwrap_or_default()
}

/// A hash of the names of the fields that a command filters by. Two commands that differ only in values have the same.
fn fields(name: &str, command: &Document) -> u32 {
    let first = |list: &str, field: &str| {
        let first = command.get_array(list).ok()?.first()?.as_document()?;
        first.get_document(field).ok()
    };
    let filter = match name {
        "find" => command.get_document("filter").ok(),
        "aggregate" => first("pipeline", "$match"),
        "update" => first("updates", "q"),
        "delete" => first("deletes", "q"),
        _ => command.get_document("query").ok(),
    };
    // FNV-1a: the names are short, and a collision does no harm.
    let bytes = filter.into_iter().flat_map(|filter| filter.keys()).flat_map(|key| key.bytes().chain([0]));
    bytes.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// The number of documents that a reply has, or that a command wrote.
fn documents(name: &str, reply: &Document) -> u64 {
    if let Ok(cursor) = reply.get_document("cursor") {
        let batch = cursor.get_array("firstBatch").or_else(|_| cursor.get_array("nextBatch"));
        return batch.map_or(0, |batch| batch.len() as u64);
    }
    match reply.get("n").filter(|_| WRITES.contains(&name)) {
        Some(Bson::Int32(n)) => u64::try_from(*n).unwrap_or(0),
        Some(Bson::Int64(n)) => u64::try_from(*n).unwrap_or(0),
        _ => 0,
    }
}

/// The code of the first write error in a reply.
fn write_error(reply: &Document) -> Option<i32> {
    reply.get_array("writeErrors").ok()?.first()?.as_document()?.get_i32("code").ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mongodb::bson::doc;

    #[test]
    fn a_command_tells_what_it_is_about_and_asks_for() {
        assert_eq!(collection("find", &doc! { "find": "orders", "filter": { "a": 1 } }), "orders");
        assert_eq!(collection("getMore", &doc! { "getMore": 7_i64, "collection": "orders" }), "orders");
        assert_eq!(collection("ping", &doc! { "ping": 1 }), "");
        let of = |filter: Document| fields("find", &doc! { "find": "orders", "filter": filter });
        assert_eq!(of(doc! { "number": 1 }), of(doc! { "number": 2 }));
        assert_ne!(of(doc! { "number": 1 }), of(doc! { "customer": 1 }));
        assert_ne!(of(doc! { "ab": 1, "c": 1 }), of(doc! { "a": 1, "bc": 1 }));
        assert_eq!(documents("find", &doc! { "cursor": { "firstBatch": [{}, {}] }, "ok": 1 }), 2);
        assert_eq!(documents("insert", &doc! { "n": 3, "ok": 1 }), 3);
        assert_eq!(documents("count", &doc! { "n": 5_000_000, "ok": 1 }), 0, "one number");
        assert_eq!(collection("dropUser", &doc! { "dropUser": "bob@x.org" }), "");
        assert_eq!(write_error(&doc! { "n": 0, "writeErrors": [{ "code": 11000, "errmsg": "x" }] }), Some(11000));
    }
}
