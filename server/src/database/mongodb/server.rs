//! The MongoDB server's own state, asked in tiers: what is cheap often, what is costly seldom and only while somebody looks. One round takes
//! no longer than [`ROUND`], however much there is to ask.

mod ask;
mod operations;
mod replication;
mod status;
mod storage;

use std::time::Duration;

use mongodb::{
    Client,
    bson::{Bson, Document},
};
use tokio::time::Instant;
use watchboard_wire::DatabaseServer;

use self::{
    ask::{Pace, ask},
    status::Rates,
    storage::Storage,
};

/// All questions of a round together.
const ROUND: Duration = Duration::from_millis(250);
/// What the server itself may spend on one of them, in milliseconds: it gives up where nobody waits any more.
const MOST_MS: i32 = 200;
/// How often the server's status is asked: always, and while somebody looks.
const STATUS_EVERY: Duration = Duration::from_secs(10);
const STATUS_EVERY_WATCHED: Duration = Duration::from_secs(2);
/// Operations under way are asked so often while somebody looks.
const OPERATIONS_EVERY: Duration = Duration::from_secs(2);

/// Asks the server, and remembers what it said.
#[derive(Default)]
pub(super) struct ServerState {
    found: DatabaseServer,
    rates: Rates,
    /// How far the oplog reaches back.
    oplog_window_seconds: Option<u64>,
    storage: Storage,
    status: Pace,
    replication: Pace,
    operations: Pace,
    /// The longest rounds, of this minute and of the one before, and when this one began.
    longest: [Duration; 2],
    minute_at: Option<Instant>,
}

impl ServerState {
    pub(super) fn found(&self) -> &DatabaseServer {
        &self.found
    }

    /// One round. What does not fit into its time waits for the next.
    pub(super) async fn read(&mut self, client: &Client, watched: bool) {
        let until = Instant::now() + ROUND;
        let admin = client.database("admin");
        let every = if watched { STATUS_EVERY_WATCHED } else { STATUS_EVERY };
        if self.status.is_due(every) {
            self.status.begin();
            let status = ask(until, "serverStatus", admin.run_command(status::question())).await;
            if let Ok(answer) = &status {
                self.oplog_window_seconds = replication::oplog_window_seconds(answer);
            }
            let rates = &mut self.rates;
            self.status.note(&mut self.found.status, status.map(|answer| status::parse(&answer, rates)));
        }
        let is_left = || Instant::now() < until;
        if is_left() && self.replication.is_due(every) {
            self.replication.begin();
            let replication = replication::read(until, client, self.oplog_window_seconds).await;
            self.replication.note(&mut self.found.replication, replication);
        }
        if watched && is_left() && self.operations.is_due(OPERATIONS_EVERY) {
            self.operations.begin();
            self.operations.note(&mut self.found.operations, operations::read(until, client).await);
        }
        if is_left() {
            self.storage.read(until, client, watched, &mut self.found).await;
        }
        self.note_time(Instant::now() + ROUND - until);
    }

    fn note_time(&mut self, took: Duration) {
        if self.minute_at.is_none_or(|began| began.elapsed() >= Duration::from_mins(1)) {
            self.minute_at = Some(Instant::now());
            self.longest = [Duration::ZERO, self.longest[0]];
        }
        self.longest[0] = self.longest[0].max(took);
        self.found.round_max_us = self.longest[0].max(self.longest[1]).as_micros() as u64;
    }
}

/// A number of whatever kind the server has chosen; none where it is missing or no number.
fn number(document: &Document, path: &[&str]) -> Option<u64> {
    let (last, folders) = path.split_last()?;
    let within = folders.iter().try_fold(document, |within, name| within.get_document(name).ok())?;
    match within.get(last)? {
        Bson::Int32(value) => u64::try_from(*value).ok(),
        Bson::Int64(value) => u64::try_from(*value).ok(),
        Bson::Double(value) if *value >= 0.0 => Some(*value as u64),
        _ => None,
    }
}

fn text(document: &Document, name: &str) -> String {
    document.get_str(name).unwrap_or_default().to_owned()
}
