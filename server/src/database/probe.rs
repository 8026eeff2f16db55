//! The probe: once a second it asks the database, on a connection of the monitor's own and within a time limit. Each kind of
//! database asks in its own way, in a file of its own. The probe never touches the application's calls.

use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use tokio::time::timeout;
use watchboard_wire::{
    DatabaseFailure, DatabaseHealth, DatabaseServer, DatabaseState, FailureKind, STALE_AFTER, format,
};

use crate::clock::now_unix_ms;

/// The time limit of an answer. With the pause before it and the search for the cause, an outage is named within three seconds.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_millis(1250);

/// The time limit of an answer of a server that answers others meanwhile: it is slow, and not gone. A result of this age is not yet stale.
const LATE_WITHIN: Duration = Duration::from_secs(4);

/// Whether the server has answered anything since a time.
pub(super) type SignOfLife = Box<dyn Fn(Instant) -> bool + Send + Sync>;

/// A kind of database.
pub(super) trait DatabaseSource: Send {
    /// One query. Writes into `result` which database it is.
    /// Returns the time of the round trip, or why there was no good answer. It is dropped after [`ANSWER_WITHIN`], or [`LATE_WITHIN`] while
    /// the server gives a sign of life.
    fn query<'a>(&'a mut self, result: &'a mut ProbeResult) -> BoxFuture<'a, Result<Duration, DatabaseFailure>>;

    /// How the server shows that it lives while a query waits.
    fn sign_of_life(&self) -> SignOfLife {
        Box::new(|_| false)
    }

    /// Whether this round asks nothing: the last state stays, with its age.
    fn is_paused(&mut self) -> bool {
        false
    }

    /// Reads the database's own state into `result`, if it answers. Takes a quarter of a second at most.
    fn read_state<'a>(&'a mut self, _result: &'a mut ProbeResult, _watched: bool) -> BoxFuture<'a, ()> {
        Box::pin(std::future::ready(()))
    }

    /// Why no answer came in time. Takes little time itself.
    fn overdue(&mut self) -> BoxFuture<'_, DatabaseFailure>;
}

/// The result of a round.
#[derive(Clone, Debug, Default)]
pub(crate) struct ProbeResult {
    pub(crate) database: DatabaseHealth,
    /// The server's own state; `None` before the first reading.
    pub(crate) server: Option<DatabaseServer>,
    /// The time of the last round; before the first, of the start.
    pub(crate) probed_at: Option<Instant>,
}

impl ProbeResult {
    /// The database's state as far as it is known now: a good state that is old is unknown.
    pub(crate) fn current(&self) -> DatabaseHealth {
        let age = self.probed_at.map(|at| at.elapsed()).filter(|age| *age > STALE_AFTER);
        match (age, &self.database.state) {
            (Some(age), DatabaseState::Healthy | DatabaseState::Connecting) => {
                let detail = format!("the monitor's probe has not answered for {}", format::span(age.as_secs()));
                self.after_failure(detail)
            }
            _ => self.database.clone(),
        }
    }

    /// The probe itself failed, for this reason.
    pub(crate) fn after_failure(&self, detail: String) -> DatabaseHealth {
        let state = DatabaseState::Failed(DatabaseFailure::new(FailureKind::NotProbed, detail));
        let since_unix_ms =
            if is_same(&state, &self.database.state) { self.database.since_unix_ms } else { now_unix_ms() };
        DatabaseHealth { state, since_unix_ms, ..self.database.clone() }
    }
}

/// Probes one database and holds the last result.
pub(crate) struct Probe {
    source: Option<Box<dyn DatabaseSource>>,
    result: ProbeResult,
}

impl Probe {
    /// A probe of a source, with the facts that are known before its first round.
    pub(super) fn new(source: Option<Box<dyn DatabaseSource>>, mut database: DatabaseHealth) -> Self {
        database.since_unix_ms = now_unix_ms();
        if source.is_some() {
            database.state = DatabaseState::Connecting;
        }
        let probed_at = source.is_some().then(Instant::now);
        Self { source, result: ProbeResult { database, server: None, probed_at } }
    }

    /// The same probe, with what an earlier one of the same database knew.
    pub(crate) fn after(self, earlier: ProbeResult) -> Self {
        Self { result: ProbeResult { probed_at: Some(Instant::now()), ..earlier }, ..self }
    }

    pub(crate) fn result(&self) -> &ProbeResult {
        &self.result
    }

    /// One round: takes little more than [`ANSWER_WITHIN`], or [`LATE_WITHIN`] of a server that is slow. A failure is a result. `watched` while the database view has a viewer.
    pub(crate) async fn round(&mut self, watched: bool) {
        let Some(source) = &mut self.source else { return };
        if source.is_paused() {
            return;
        }
        let lives = source.sign_of_life();
        let answer = match in_time(source.query(&mut self.result), lives).await {
            Some(answer) => answer,
            None => Err(source.overdue().await),
        };
        let now = now_unix_ms();
        self.result.probed_at = Some(Instant::now());
        let database = &mut self.result.database;
        database.probed_at_unix_ms = Some(now);
        let state = match answer {
            Ok(round_trip) => {
                database.answered_at_unix_ms = Some(now);
                database.latency_us = Some(round_trip.as_micros() as u64);
                DatabaseState::Healthy
            }
            Err(failure) => DatabaseState::Failed(failure),
        };
        if !is_same(&state, &database.state) {
            database.since_unix_ms = now;
        }
        database.state = state;
        if database.state.answers() {
            source.read_state(&mut self.result, watched).await;
        }
    }
}

/// The output of a query, if it comes in time. A connection that is given up costs the next query several round trips more: a server that is
/// slow and lives would never be seen to answer.
async fn in_time<T>(mut query: BoxFuture<'_, T>, lives: SignOfLife) -> Option<T> {
    let began = Instant::now();
    loop {
        let since = Instant::now();
        match timeout(ANSWER_WITHIN, &mut query).await {
            Ok(answer) => return Some(answer),
            Err(_) if lives(since) && began.elapsed() + ANSWER_WITHIN <= LATE_WITHIN => {}
            Err(_) => return None,
        }
    }
}

/// Whether the state is the same; the detail of an outage may change.
fn is_same(now: &DatabaseState, before: &DatabaseState) -> bool {
    match (now, before) {
        (DatabaseState::Failed(now), DatabaseState::Failed(before)) => now.kind == before.kind,
        _ => now == before,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives these answers, or waits for ever.
    struct Scripted(Vec<Option<Result<Duration, DatabaseFailure>>>);

    impl DatabaseSource for Scripted {
        fn query<'a>(&'a mut self, _: &'a mut ProbeResult) -> BoxFuture<'a, Result<Duration, DatabaseFailure>> {
            let answer = self.0.remove(0);
            Box::pin(async move {
                match answer {
                    Some(answer) => answer,
                    None => std::future::pending().await,
                }
            })
        }

        fn overdue(&mut self) -> BoxFuture<'_, DatabaseFailure> {
            Box::pin(async { DatabaseFailure::new(FailureKind::Frozen, "") })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_has_its_time_and_the_last_answer_keeps_its_own() {
        let results = vec![
            Some(Ok(Duration::from_millis(3))),
            None,
            Some(Err(DatabaseFailure::new(FailureKind::Frozen, "still"))),
            Some(Ok(Duration::from_millis(4))),
        ];
        let mut probe = Probe { source: Some(Box::new(Scripted(results))), result: ProbeResult::default() };
        probe.round(false).await;
        let healthy = probe.result().database.clone();
        assert_eq!((healthy.status_text(), healthy.latency_us), ("healthy".into(), Some(3000)));
        probe.round(false).await;
        let frozen = probe.result().database.clone();
        assert_eq!(
            (&*frozen.status_text(), frozen.answered_at_unix_ms),
            ("error: frozen: ", healthy.answered_at_unix_ms)
        );
        probe.round(false).await;
        let still = probe.result().database.clone();
        assert_eq!((&*still.status_text(), still.since_unix_ms), ("error: frozen: still", frozen.since_unix_ms));
        probe.round(false).await;
        assert_eq!(probe.result().database.latency_us, Some(4000));
    }
}
