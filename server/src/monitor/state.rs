//! The part of the monitor that answers the board. It reads what the thread published, and asks the thread for more.

use std::{pin::Pin, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};
use watchboard_app::port::{RefreshResult, Telemetry};
use watchboard_wire::{
    Fault, Finding, FindingSubject, FleetFigures, FullSnapshot, Health, InstanceRow, InstanceScope, Mark, Part,
    Reading, RefreshCursor, RefreshQuery, RefreshResponse, Severity, Unknown,
};

use super::{
    message::{LastRead, Message},
    starter::Starter,
};
use crate::fleet::Fleet;
use crate::supervision::{Faults, PROBE_WITHIN, ThreadEnd, program::faults_with};

/// A page waits this long at most. The thread answers within milliseconds, unless the machine is overloaded or a reading hangs.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// The same while the thread has not sampled for longer than figures stay fresh.
const STALE_ANSWER_WITHIN: Duration = Duration::from_millis(500);
/// `/health` waits this long at most for costly figures: a look, and the sampler if it is at work.
const COMPLETE_WITHIN: Duration = PROBE_WITHIN.saturating_add(Duration::from_secs(1));

/// The monitor's state that the board reads.
pub(super) struct State {
    pub(super) messages: mpsc::Sender<Message>,
    pub(super) frozen: Arc<ArcSwap<FullSnapshot>>,
    /// The last read of any page, and of the database view: costly probes run again and again only for viewers.
    pub(super) read: Arc<LastRead>,
    pub(super) database_read: Arc<LastRead>,
    pub(super) starter: Starter,
    pub(super) faults: Arc<Faults>,
    /// After `messages`: the thread ends when nobody can ask it any more.
    pub(super) end: MonitorEnd,
    /// After the thread, whose last batch it delivers.
    pub(super) fleet: Option<Arc<Fleet>>,
}

/// A host that ends waits so long at most until the history's last seconds are stored.
const STORED_WITHIN: Duration = Duration::from_millis(3_500);

/// The end of the monitor's thread. Whoever drops it waits for that, if a history is stored then.
pub(super) struct MonitorEnd {
    pub(super) thread: ThreadEnd,
    pub(super) is_awaited: bool,
}

impl MonitorEnd {
    fn wait(&self) {
        if self.is_awaited {
            self.thread.wait(STORED_WITHIN);
        }
    }
}

impl Drop for MonitorEnd {
    fn drop(&mut self) {
        self.wait();
    }
}

impl State {
    /// Ends the thread in order.
    pub(super) fn stop(&self) {
        if self.messages.try_send(Message::Stop).is_ok() {
            self.end.wait();
        }
        if let Some(fleet) = &self.fleet {
            fleet.finish();
        }
    }
}

impl Telemetry for State {
    fn full_snapshot(&self) -> Arc<FullSnapshot> {
        let full = self.frozen.load_full();
        if full.stale().is_some() {
            self.starter.start();
        }
        full
    }

    fn complete_snapshot(&self) -> Pin<Box<dyn Future<Output = Arc<FullSnapshot>> + Send>> {
        let full = self.full_snapshot();
        // The thread answers nobody.
        if full.stale().is_some() {
            return Box::pin(std::future::ready(full));
        }
        let (answer, answered) = oneshot::channel();
        let sent = self.messages.try_send(Message::CostlyFigures(answer)).is_ok();
        let frozen = Arc::clone(&self.frozen);
        Box::pin(async move {
            if sent && matches!(timeout(COMPLETE_WITHIN, answered).await, Ok(Ok(()))) {
                return frozen.load_full();
            }
            let mut full = FullSnapshot::clone(&frozen.load());
            let reason = format!("the monitor did not read it within {COMPLETE_WITHIN:?}");
            full.snapshot.memory.forget_costly(&Unknown::because(reason));
            Arc::new(full)
        })
    }

    fn refresh(
        &self,
        query: RefreshQuery,
        cursor: Option<RefreshCursor>,
    ) -> Pin<Box<dyn Future<Output = RefreshResult> + Send>> {
        self.starter.start();
        self.read.set_to_now();
        if query.scope != InstanceScope::Own || query.part == Part::Instances {
            return Box::pin(fleet_answer(self.fleet.clone(), query, cursor, self.frozen.load_full()));
        }
        if query.part == Part::Database {
            self.database_read.set_to_now();
        }
        let (answer, answered) = oneshot::channel();
        let sent = self.messages.try_send(Message::Page { query, cursor, past: None, answer });
        let frozen = Arc::clone(&self.frozen);
        let within = if frozen.load().stale().is_some() { STALE_ANSWER_WITHIN } else { ANSWER_WITHIN };
        Box::pin(async move {
            sent.map_err(not_sent)?;
            match timeout(within, answered).await {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(_)) => Err(Unknown::because("the monitor failed to answer: see the log")),
                Err(_) => Err(Unknown::because(match frozen.load().stale() {
                    Some(stale) => format!("stale: {stale}"),
                    None => format!("the monitor did not answer within {within:?}"),
                })),
            }
        })
    }

    fn note(&self, text: String) -> Pin<Box<dyn Future<Output = Reading<Mark>> + Send>> {
        self.starter.start();
        let (answer, answered) = oneshot::channel();
        let sent = self.messages.try_send(Message::Note { text, answer });
        Box::pin(async move {
            sent.map_err(not_sent)?;
            let late = |_| Unknown::because(format!("the monitor did not answer within {ANSWER_WITHIN:?}"));
            let failed = |_| Unknown::because("the monitor failed to answer: see the log");
            timeout(ANSWER_WITHIN, answered).await.map_err(late)?.map_err(failed)
        })
    }

    fn instances(&self) -> Pin<Box<dyn Future<Output = Reading<Vec<InstanceRow>>> + Send>> {
        let fleet = self.fleet.clone();
        Box::pin(async move { fleet.ok_or_else(no_fleet)?.instances().await })
    }

    fn instance_health(&self, name: String) -> Pin<Box<dyn Future<Output = Reading<Option<String>>> + Send>> {
        let fleet = self.fleet.clone();
        Box::pin(async move { fleet.ok_or_else(no_fleet)?.instance_health(name).await })
    }

    fn sums_of_runs(&self) -> Pin<Box<dyn Future<Output = Reading<String>> + Send>> {
        let fleet = self.fleet.clone();
        Box::pin(async move { fleet.ok_or_else(no_fleet)?.sums_of_runs().await })
    }

    fn faults(&self) -> Vec<Fault> {
        faults_with(&self.faults)
    }
}

fn no_fleet() -> Unknown {
    Unknown::because("this board is in no fleet: --fleet, or the builder's fleet, names the MongoDB of one")
}

/// The answer to a page of the fleet. If its store cannot be read, that is what the page shows.
async fn fleet_answer(
    fleet: Option<Arc<Fleet>>,
    query: RefreshQuery,
    cursor: Option<RefreshCursor>,
    own: Arc<FullSnapshot>,
) -> RefreshResult {
    let answer = match fleet {
        Some(fleet) => fleet.refresh(query, cursor, Arc::clone(&own)).await,
        None => Err(no_fleet()),
    };
    Ok(answer.unwrap_or_else(|unknown| {
        let mut snapshot = own.snapshot.clone();
        // How this process is says nothing of the others.
        let since_unix_ms = snapshot.taken_at_unix_ms;
        let unread = Finding {
            severity: Severity::Warning,
            sentence: format!("the figures of the fleet cannot be read: {}", unknown.reason),
            about: FindingSubject::Requests,
            since_unix_ms,
            over_since_unix_ms: None,
        };
        snapshot.health = Health { status: unread.severity.status(), since_unix_ms, findings: vec![unread] };
        let fleet = Some(FleetFigures::default());
        RefreshResponse { snapshot, unread: Some(unknown), fleet, ..RefreshResponse::default() }
    }))
}

/// Why the thread does not get a message.
fn not_sent(error: mpsc::error::TrySendError<Message>) -> Unknown {
    match error {
        mpsc::error::TrySendError::Full(_) => Unknown::because("too many pages ask at once: try again"),
        mpsc::error::TrySendError::Closed(_) => Unknown::because("the monitor has stopped: see the log"),
    }
}
