//! The probe: once a second it asks the database, on a connection of the monitor's own and within a time of its own. What is asked
//! and how is each database's, in a file of its own. The probe never touches the application's calls.

use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::timeout;
use watchboard_wire::{DatabaseFailure, DatabaseHealth, DatabaseServer, DatabaseState, FailureKind};

use super::Target;
use crate::clock::now_unix_ms;

/// How long an answer may take. With the pause before it and the look that tells why it stayed away, an outage is named within
/// three seconds.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_millis(1250);

/// What another database fulfils, in a file of its own.
pub(super) trait Source: Send {
    /// One question. Which database it is goes into `found`.
    /// Gives the time of the round trip, or why there was no good answer. Dropped where it takes longer than [`ANSWER_WITHIN`].
    fn ask<'a>(&'a mut self, found: &'a mut ProbeResult) -> BoxFuture<'a, Result<Duration, DatabaseFailure>>;

    /// What the database tells of itself beyond that, where it answers; into `found`. Takes a quarter of a second at most.
    fn tell<'a>(&'a mut self, _found: &'a mut ProbeResult, _watched: bool) -> BoxFuture<'a, ()> {
        Box::pin(std::future::ready(()))
    }

    /// Why no answer came in time. Takes little time itself.
    fn overdue(&mut self) -> BoxFuture<'_, DatabaseFailure>;
}

/// What a round found.
#[derive(Clone, Debug, Default)]
pub(crate) struct ProbeResult {
    pub(crate) database: DatabaseHealth,
    /// The server's own state; none before it has told any of it.
    pub(crate) server: Option<DatabaseServer>,
}

/// Probes one database and remembers what it found.
pub(crate) struct Probe {
    source: Option<Box<dyn Source>>,
    found: ProbeResult,
}

impl Probe {
    /// A probe, and what is known before its first round.
    pub(crate) fn new(target: Target) -> Self {
        let mut database = DatabaseHealth { since_unix_ms: now_unix_ms(), ..DatabaseHealth::default() };
        let source = target.source(&mut database);
        if source.is_some() {
            database.state = DatabaseState::Connecting;
        }
        Self { source, found: ProbeResult { database, server: None } }
    }

    pub(crate) fn is_configured(&self) -> bool {
        self.source.is_some()
    }

    pub(crate) fn found(&self) -> &ProbeResult {
        &self.found
    }

    /// One round: takes at most [`ANSWER_WITHIN`] and a little, and cannot fail but only find a failure. `watched` while somebody
    /// looks at the database view.
    pub(crate) async fn round(&mut self, watched: bool) {
        let Some(source) = &mut self.source else { return };
        let answer = match timeout(ANSWER_WITHIN, source.ask(&mut self.found)).await {
            Ok(answer) => answer,
            Err(_) => Err(source.overdue().await),
        };
        let now = now_unix_ms();
        let database = &mut self.found.database;
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
        if answers(&database.state) {
            source.tell(&mut self.found, watched).await;
        }
    }
}

/// Whether it can be asked for more, well or not.
fn answers(state: &DatabaseState) -> bool {
    match state {
        DatabaseState::Healthy => true,
        DatabaseState::Failed(failure) => matches!(failure.kind, FailureKind::NotAuthorised | FailureKind::ReadOnly),
        DatabaseState::NotConfigured | DatabaseState::Connecting => false,
    }
}

/// Whether it is the same outage, or none still: its detail may change.
fn is_same(now: &DatabaseState, before: &DatabaseState) -> bool {
    match (now, before) {
        (DatabaseState::Failed(now), DatabaseState::Failed(before)) => now.kind == before.kind,
        _ => now == before,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers as it is told, or never.
    struct DatedReading(Vec<Option<Result<Duration, DatabaseFailure>>>);

    impl Source for DatedReading {
        fn ask<'a>(&'a mut self, _: &'a mut ProbeResult) -> BoxFuture<'a, Result<Duration, DatabaseFailure>> {
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
        let told = vec![
            Some(Ok(Duration::from_millis(3))),
            None,
            Some(Err(DatabaseFailure::new(FailureKind::Frozen, "still"))),
            Some(Ok(Duration::from_millis(4))),
        ];
        let mut probe = Probe { source: Some(Box::new(DatedReading(told))), found: ProbeResult::default() };
        probe.round(false).await;
        let healthy = probe.found().database.clone();
        assert_eq!((healthy.status_text(), healthy.latency_us), ("healthy".into(), Some(3000)));
        probe.round(false).await;
        let frozen = probe.found().database.clone();
        assert_eq!(
            (&*frozen.status_text(), frozen.answered_at_unix_ms),
            ("error: frozen: ", healthy.answered_at_unix_ms)
        );
        probe.round(false).await;
        let still = probe.found().database.clone();
        assert_eq!((&*still.status_text(), still.since_unix_ms), ("error: frozen: still", frozen.since_unix_ms));
        probe.round(false).await;
        assert_eq!(probe.found().database.latency_us, Some(4000));
    }
}
