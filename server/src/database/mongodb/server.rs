//! The MongoDB server's own state: cheap queries often, costly ones seldom and only for viewers. One round takes no longer than
//! [`ROUND`], however much there is to ask.

mod delays;
mod fields;
mod operations;
mod query;
mod replication;
mod status;
mod storage;

use std::time::Duration;

use mongodb::Client;
use tokio::time::Instant;
use watchboard_wire::DatabaseServer;

use self::{
    delays::Delays,
    query::{ROUND, Schedule, run_query},
    status::Rates,
    storage::Storage,
};

/// The interval of the server's status: without viewers, and with one.
const STATUS_EVERY: Duration = Duration::from_secs(10);
const STATUS_EVERY_WATCHED: Duration = Duration::from_secs(2);
/// The interval of the running operations, with a viewer.
const OPERATIONS_EVERY: Duration = Duration::from_secs(2);

/// Asks the server, and holds its answers.
#[derive(Default)]
pub(super) struct ServerState {
    state: DatabaseServer,
    rates: Rates,
    /// The time that the oplog covers.
    oplog_window_seconds: Option<u64>,
    storage: Storage,
    status: Schedule,
    replication: Schedule,
    delays: Delays,
    operations: Schedule,
    /// The longest round of this minute and of the minute before, and the begin of this minute.
    longest: [Duration; 2],
    minute_at: Option<Instant>,
}

impl ServerState {
    pub(super) fn state(&self) -> &DatabaseServer {
        &self.state
    }

    /// One round. Queries that do not fit into its time wait for the next.
    pub(super) async fn read(&mut self, client: &Client, watched: bool) {
        let until = Instant::now() + ROUND;
        let admin = client.database("admin");
        let every = if watched { STATUS_EVERY_WATCHED } else { STATUS_EVERY };
        if self.status.is_due(every) {
            self.status.begin();
            let status = run_query(until, "serverStatus", admin.run_command(status::query())).await;
            if let Ok(answer) = &status {
                self.oplog_window_seconds = replication::oplog_window_seconds(answer);
            }
            let rates = &mut self.rates;
            self.status.note(&mut self.state.status, status.map(|answer| status::parse(&answer, rates)));
        }
        let is_left = || Instant::now() < until;
        if is_left() && self.replication.is_due(every) {
            self.replication.begin();
            let replication = replication::read(until, client, self.oplog_window_seconds, &mut self.delays).await;
            self.replication.note(&mut self.state.replication, replication);
        }
        if watched && is_left() && self.operations.is_due(OPERATIONS_EVERY) {
            self.operations.begin();
            self.operations.note(&mut self.state.operations, operations::read(until, client).await);
        }
        if is_left() {
            self.storage.read(until, client, watched, &mut self.state).await;
        }
        self.note_time(Instant::now() + ROUND - until);
    }

    fn note_time(&mut self, duration: Duration) {
        if self.minute_at.is_none_or(|began| began.elapsed() >= Duration::from_mins(1)) {
            self.minute_at = Some(Instant::now());
            self.longest = [Duration::ZERO, self.longest[0]];
        }
        self.longest[0] = self.longest[0].max(duration);
        self.state.round_max_us = self.longest[0].max(self.longest[1]).as_micros() as u64;
    }
}
