//! The monitor's thread: it samples once a second, asks the database, and answers pages. After a panic or without a runtime it is started
//! again, with the same sampler.

use std::{
    sync::{Arc, mpsc::SyncSender},
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use tokio::{
    sync::{mpsc, watch},
    time::{MissedTickBehavior, interval, sleep, sleep_until, timeout},
};
use watchboard_wire::FullSnapshot;

use super::message::{LastRead, MAX_MESSAGES, Message};
use crate::{
    database::{Database, Probe, ProbeResult},
    sample::Sampler,
    supervision::{PROBE_WITHIN, Supervision, ThreadRuntime, supervise, supervise_task},
};

/// The time between two snapshots, and between two messages to the database.
const TICK: Duration = Duration::from_secs(1);
/// The least pause between two messages to the database, even after a slow answer.
const RESTART_PAUSE: Duration = Duration::from_millis(250);
/// A round of the database's probe takes two seconds at most. One that takes so long never ends.
const ROUND_WITHIN: Duration = Duration::from_secs(10);
/// Threads for blocking calls: name look-ups of the database's driver, which cannot be cancelled, and messages to a file.
const MAX_BLOCKING: usize = 4;

/// The name of the thread in the list of faults.
pub(super) const SAMPLER: &str = "sampler";

/// The state of the monitor's thread. It outlives a panic.
pub(super) struct MonitorThread {
    pub(super) sampler: Sampler,
    pub(super) started: Instant,
    pub(super) frozen: Arc<ArcSwap<FullSnapshot>>,
    pub(super) read: Arc<LastRead>,
    pub(super) database_read: Arc<LastRead>,
    pub(super) messages: mpsc::Receiver<Message>,
    /// Messages that wait for readings that are under way, with the time of each.
    pub(super) parked: Vec<(Instant, Message)>,
    pub(super) databases: watch::Receiver<Database>,
    pub(super) results: watch::Sender<ProbeResult>,
    pub(super) latest: watch::Receiver<ProbeResult>,
    pub(super) supervision: Supervision,
    /// Dropped when the thread has ended.
    pub(super) alive: SyncSender<()>,
}

impl MonitorThread {
    /// Runs until nobody can ask it any more.
    pub(super) fn run(mut self) {
        let supervision = self.supervision.clone();
        // It outlives a panic too: connections of the application's own client may belong to it.
        let mut runtime = None;
        supervise(SAMPLER, &supervision.faults, || {
            let runtime = match &mut runtime {
                Some(runtime) => runtime,
                none => none.insert(ThreadRuntime::new(MAX_BLOCKING)?),
            };
            let database = DatabaseTask {
                databases: self.databases.clone(),
                results: self.results.clone(),
                read: Arc::clone(&self.database_read),
            };
            runtime.block_on(async {
                tokio::select! {
                    biased;
                    () = Box::pin(self.sample_and_answer()) => {}
                    _ = database.supervise(&supervision) => {}
                }
            })
        });
        // With the requests since the last tick.
        self.tick();
        self.sampler.stop(&self.frozen.load().snapshot);
        drop(self.alive);
    }

    async fn sample_and_answer(&mut self) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        ticks.tick().await;
        let probed = Arc::clone(&self.supervision.probed);
        loop {
            let awaited = self.parked.first().map(|(asked_at, _)| *asked_at + PROBE_WITHIN);
            tokio::select! {
                biased;
                _ = ticks.tick() => self.tick(),
                // An outage does not wait for the next tick.
                Ok(()) = self.latest.changed() => {
                    let database = self.latest.borrow_and_update().current();
                    let updated = self.sampler.update_database(&self.frozen.load(), &database);
                    self.publish(updated);
                }
                () = probed.notified() => {}
                message = self.messages.recv(), if self.parked.len() < MAX_MESSAGES => {
                    match message {
                        None | Some(Message::Stop) => return,
                        // An answer fails if nobody waits any more.
                        Some(Message::Note { text, answer }) => _ = answer.send(self.sampler.note(text)),
                        Some(mut message) => {
                            if let Message::Page { query, cursor, past, .. } = &mut message {
                                *past = self.sampler.begin_past(query, *cursor, &probed);
                            }
                            self.sampler.begin_costly(message.is_with_devices());
                            self.parked.push((Instant::now(), message));
                        }
                    }
                }
                () = sleep_until(awaited.unwrap_or_else(Instant::now).into()), if awaited.is_some() => {}
            }
            self.answer_parked();
        }
    }

    fn tick(&mut self) {
        let tick = self.started.elapsed().as_secs_f64().round() as u64;
        let result = self.latest.borrow().clone();
        let full = self.sampler.tick(tick, &result, self.read.is_recent());
        self.publish(Some(full));
    }

    fn publish(&self, full: Option<FullSnapshot>) {
        if let Some(full) = full {
            self.frozen.store(Arc::new(full));
        }
    }

    /// Publishes what was read, and answers the messages that wait for nothing more.
    fn answer_parked(&mut self) {
        let restored = self.sampler.take_over_history(&self.frozen.load());
        self.publish(restored);
        let is_requested = !self.parked.is_empty();
        let updated = self.sampler.update_memory(&self.frozen.load(), is_requested);
        self.publish(updated);
        let sampler = &self.sampler;
        let is_ready = |(asked_at, message): &mut (Instant, Message)| {
            let is_read = if let Message::Page { past: Some(past), .. } = message { past.is_read() } else { true };
            asked_at.elapsed() >= PROBE_WITHIN || is_read && !sampler.are_awaited(message.is_with_devices())
        };
        let ready: Vec<_> = self.parked.extract_if(.., is_ready).collect();
        for (_, message) in ready {
            // An answer fails if nobody waits any more.
            match message {
                // They wait for no figures, and are never parked.
                Message::Stop | Message::Note { .. } => {}
                Message::CostlyFigures(answer) => _ = answer.send(()),
                Message::Page { query, cursor, past, answer } => {
                    let (frozen, latest) = (self.frozen.load(), self.latest.borrow());
                    if let Some(response) = self.sampler.rescued_answer(&query, (cursor, past), &frozen, &latest) {
                        let _ = answer.send(response);
                    }
                }
            }
        }
    }
}

/// Asks the builder's database, or that of the first client that is listened to.
#[derive(Clone)]
struct DatabaseTask {
    databases: watch::Receiver<Database>,
    results: watch::Sender<ProbeResult>,
    read: Arc<LastRead>,
}

impl DatabaseTask {
    async fn supervise(&self, supervision: &Supervision) -> ! {
        let failed = |reason: &str| {
            self.results
                .send_modify(|result| result.database = result.after_failure(format!("the monitor's probe: {reason}")));
        };
        supervise_task("database probe", &supervision.faults, || self.clone().run(), failed).await
    }

    /// Ends only if a round never ends.
    async fn run(mut self) {
        let configured = self.databases.wait_for(Database::is_configured).await.map(|database| database.clone());
        // Otherwise nobody can name a database any more.
        let Ok(database) = configured else { return std::future::pending().await };
        let probe = database.into_probe();
        let earlier = self.results.borrow().clone();
        let is_first = earlier.probed_at.is_none();
        self.ask_for_ever(if is_first { probe } else { probe.after(earlier) }).await;
    }

    async fn ask_for_ever(self, mut probe: Probe) {
        loop {
            let started = Instant::now();
            if timeout(ROUND_WITHIN, probe.round(self.read.is_recent())).await.is_err() {
                return;
            }
            self.results.send_replace(probe.result().clone());
            sleep(TICK.saturating_sub(started.elapsed()).max(RESTART_PAUSE)).await;
        }
    }
}
