//! The MongoDB server's own state, asked in tiers: what is cheap often, what is costly seldom and only while somebody looks. One round takes
//! no longer than [`ROUND`], however much there is to ask.

mod operations;
mod replication;
mod status;
mod storage;

use std::time::Duration;

use mongodb::{
    Client,
    bson::{Bson, Document},
    error::{Error, ErrorKind},
};
use tokio::time::{Instant, timeout};
use watchboard_app::wire::{DatabaseServer, Reading, Told, Unknown};

use self::{status::Rates, storage::Storage};
use super::classify::classify;
use crate::clock::now_unix_ms;

/// All questions of a round together.
const ROUND: Duration = Duration::from_millis(250);
/// What the server itself may spend on one of them, in milliseconds: it gives up where nobody waits any more.
const MOST_MS: i32 = 200;
/// How often the server's status is asked: always, and while somebody looks.
const STATUS_EVERY: Duration = Duration::from_secs(10);
const STATUS_EVERY_WATCHED: Duration = Duration::from_secs(2);
/// Operations under way are asked so often while somebody looks.
const OPERATIONS_EVERY: Duration = Duration::from_secs(2);

/// What a login may not ask is asked again so often.
const REFUSED_EVERY: Duration = Duration::from_mins(1);
/// How the reason begins where no answer came in time.
const LATE: &str = "the server did not answer";
/// How the reason of a refusal begins.
const NO_RIGHT: &str = "The login has no right to";

/// Asks the server, and remembers what it said.
pub(super) struct ServerState {
    found: DatabaseServer,
    rates: Rates,
    /// How far the oplog reaches back, in seconds.
    oplog: Reading<u64>,
    storage: Storage,
    status_at: Option<Instant>,
    replication_at: Option<Instant>,
    operations_at: Option<Instant>,
    /// The longest rounds, of this minute and of the one before, and when this one began.
    longest: [Duration; 2],
    minute_at: Option<Instant>,
}

impl Default for ServerState {
    fn default() -> Self {
        Self {
            found: DatabaseServer::default(),
            rates: Rates::default(),
            oplog: Err(Unknown::because("not told yet")),
            storage: Storage::default(),
            status_at: None,
            replication_at: None,
            operations_at: None,
            longest: [Duration::ZERO; 2],
            minute_at: None,
        }
    }
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
        if is_due(self.status_at, unless_refused(every, self.found.status.as_ref())) {
            self.status_at = Some(Instant::now());
            let status = ask(until, "serverStatus", admin.run_command(status::question())).await;
            let rates = &mut self.rates;
            self.oplog = status.as_ref().map_err(Clone::clone).and_then(replication::oplog_window);
            note(&mut self.found.status, status.map(|answer| status::parse(&answer, rates)));
        }
        let is_left = || Instant::now() < until;
        if is_left() && is_due(self.replication_at, unless_refused(every, self.found.replication.as_ref())) {
            self.replication_at = Some(Instant::now());
            note(&mut self.found.replication, replication::read(until, client, self.oplog.clone()).await);
        }
        let operations_every = unless_refused(OPERATIONS_EVERY, self.found.operations.as_ref());
        if watched && is_left() && is_due(self.operations_at, operations_every) {
            self.operations_at = Some(Instant::now());
            note(&mut self.found.operations, operations::read(until, client).await);
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

/// So often; what a login may not ask, seldom: servers write each refusal into their log.
fn unless_refused<T>(every: Duration, told: Option<&Told<T>>) -> Duration {
    let refused = told.and_then(|told| told.reading.as_ref().err()).is_some_and(|why| why.reason.starts_with(NO_RIGHT));
    if refused { every.max(REFUSED_EVERY) } else { every }
}

fn is_due(last: Option<Instant>, every: Duration) -> bool {
    // A little before, since rounds are not on the dot.
    last.is_none_or(|last| last.elapsed() + Duration::from_millis(500) >= every)
}

/// Takes in what was said. Where there was no answer in time, what was said before stays, with its age.
fn note<T>(told: &mut Option<Told<T>>, reading: Reading<T>) {
    let is_late = reading.as_ref().is_err_and(|why| why.reason.starts_with(LATE));
    let is_known = told.as_ref().is_some_and(|told| told.reading.is_ok());
    if !(is_late && is_known) {
        *told = Some(Told { at_unix_ms: now_unix_ms(), reading });
    }
}

/// An answer within the time of the round. `what` is what it needs the right to.
async fn ask<T>(
    until: Instant,
    what: &str,
    question: impl IntoFuture<Output = mongodb::error::Result<T>>,
) -> Reading<T> {
    let left = until.saturating_duration_since(Instant::now());
    match timeout(left, question.into_future()).await {
        Ok(answer) => answer.map_err(|error| unknown(what, &error)),
        Err(_) => Err(Unknown::because(format!("{LATE} {what} in time"))),
    }
}

fn unknown(what: &str, error: &Error) -> Unknown {
    match &*error.kind {
        ErrorKind::Command(command) if matches!(command.code, 13 | 8000) => {
            Unknown::because(format!("{NO_RIGHT} {what}: grant it the role of the README, in which it is named."))
        }
        // Only its code and name: the rest can hold data.
        ErrorKind::Command(command) => {
            Unknown::because(format!("the server refused {what}: {} ({})", command.code_name, command.code))
        }
        _ => Unknown::because(format!("{what}: {}", classify(error).detail)),
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
