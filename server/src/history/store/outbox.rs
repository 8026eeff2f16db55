//! What the fleet's store does not have yet: the newest batches in memory, and from which second on the older ones are in this machine's own
//! history. Whoever sends a batch never waits.

use std::{
    collections::VecDeque,
    ops::Range,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc::SyncSender},
    time::Duration,
};

use watchboard_wire::{FleetDelivery, Reading, Unknown};

use super::{Batch, StoreTier};

/// The bytes of batches that wait in memory: those of an hour at fifty busy endpoints.
const MAX_WAITING_BYTES: usize = 1 << 20;
/// The seconds of the history that are read from disk at once.
const READ_SECONDS: u64 = 600;

/// Batches on their way to the fleet's store.
pub(crate) struct Outbox {
    /// The name of this instance in the fleet; empty if it only shows the fleet.
    instance: String,
    state: Mutex<OutboxState>,
    changed: Condvar,
    /// Whether the history on disk has what does not fit into memory.
    has_history: bool,
}

struct OutboxState {
    waiting: VecDeque<Arc<Batch>>,
    waiting_bytes: usize,
    /// Steps from this second on, up to the first that waits, are in the history on disk alone.
    owed_since: Option<u64>,
    wanted: Option<WantedSpan>,
    /// Up to which Unix second steps are delivered, since the start.
    delivered_until: Option<u64>,
    /// Why the last try failed; `None` if it did not.
    failure: Option<String>,
    /// Whether the store knows this process by its name, or why it does not. It takes nothing else from it.
    admission: Result<bool, String>,
    /// Steps of ten seconds that can never be delivered: they found no place, or the history on disk has dropped them.
    lost: u64,
    /// The store has lost what was in it.
    is_emptied: bool,
    is_closed: bool,
}

/// A span of the history on disk that is to be delivered, and who waits for it.
pub(crate) struct WantedSpan {
    pub(crate) span: Range<u64>,
    pub(crate) answer: SyncSender<Reading<Batch>>,
}

impl OutboxState {
    fn note_answer(&mut self) {
        if self.failure.take().is_some() {
            tracing::info!("the fleet's MongoDB answers again");
        }
    }
}

impl WantedSpan {
    /// An answer fails if nobody waits any more.
    pub(crate) fn refuse(self, why: &str) {
        let _ = self.answer.try_send(Err(Unknown::because(why)));
    }
}

/// What is to be delivered next.
pub(crate) enum NextDelivery {
    Batch(Arc<Batch>),
    /// The steps of a span of the history on disk.
    Owed(Range<u64>),
    Nothing,
    /// The run has ended, and nothing more is delivered.
    End,
}

impl Outbox {
    pub(crate) fn new(instance: &str, has_history: bool) -> Self {
        let state = OutboxState {
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            owed_since: None,
            wanted: None,
            delivered_until: None,
            failure: None,
            admission: Ok(false),
            lost: 0,
            is_emptied: false,
            is_closed: false,
        };
        Self { instance: instance.to_owned(), state: Mutex::new(state), changed: Condvar::new(), has_history }
    }

    /// Adds a batch. If too many bytes wait, the oldest batch goes: its steps are owed if they are on disk, else they are lost.
    pub(crate) fn push(&self, batch: Batch) {
        if self.is_of_viewer() {
            return;
        }
        let mut state = self.lock();
        state.waiting_bytes += bytes_of(&batch);
        state.waiting.push_back(Arc::new(batch));
        while state.waiting_bytes > MAX_WAITING_BYTES && state.waiting.len() > 1 {
            let Some(oldest) = state.waiting.pop_front() else { break };
            state.waiting_bytes -= bytes_of(&oldest);
            if self.has_history {
                let since = state.owed_since.or_else(|| first_second(&oldest));
                state.owed_since = since;
            } else {
                state.lost += ten_seconds(&oldest).count() as u64;
                // The steps behind it use its names.
                let Batch { names, marks, .. } = (*oldest).clone();
                state.waiting_bytes +=
                    bytes_of(&Batch { names: names.clone(), marks: marks.clone(), ..Batch::default() });
                if let Some(next) = state.waiting.front_mut() {
                    let next = Arc::make_mut(next);
                    next.names.extend(names);
                    next.marks.extend(marks);
                }
            }
        }
        self.changed.notify_all();
    }

    /// Whether this process shows the fleet and is no instance of it.
    pub(crate) fn is_of_viewer(&self) -> bool {
        self.instance.is_empty()
    }

    /// Whether the history on disk has what does not fit into memory.
    pub(crate) fn has_history(&self) -> bool {
        self.has_history
    }

    /// The history on disk has steps from this second on that may not be delivered.
    pub(crate) fn owe_since(&self, second: u64) {
        if self.has_history {
            let mut state = self.lock();
            state.owed_since = Some(state.owed_since.map_or(second, |since| since.min(second)));
        }
    }

    /// What is next, the oldest first. Waits so long for it.
    pub(crate) fn next(&self, wait: Duration) -> NextDelivery {
        let mut state = self.lock();
        if state.waiting.is_empty() && state.owed_since.is_none() && !state.is_closed {
            state = self.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
        let first_waiting = first_waiting(&state);
        match (state.owed_since, state.waiting.front()) {
            (Some(since), _) if !state.is_closed => {
                let until = first_waiting.unwrap_or_else(|| crate::clock::now_unix_ms() / 1000);
                NextDelivery::Owed(since..until.min(since + READ_SECONDS).max(since))
            }
            (None, Some(batch)) => NextDelivery::Batch(Arc::clone(batch)),
            // What is owed stays on disk for the next run.
            _ if state.is_closed => NextDelivery::End,
            _ => NextDelivery::Nothing,
        }
    }

    /// Whether something waits to be delivered.
    pub(crate) fn has_waiting(&self) -> bool {
        let state = self.lock();
        state.owed_since.is_some() || !state.waiting.is_empty()
    }

    /// A batch was delivered.
    pub(crate) fn delivered(&self, batch: &Arc<Batch>) {
        let mut state = self.lock();
        // It may have gone meanwhile, since too many wait.
        if state.waiting.front().is_some_and(|front| Arc::ptr_eq(front, batch)) {
            state.waiting.pop_front();
            state.waiting_bytes -= bytes_of(batch);
        }
        let until = ten_seconds(batch).max().map(|start| start + StoreTier::TenSeconds.step_seconds());
        state.delivered_until = until.or(state.delivered_until);
        state.note_answer();
    }

    /// A span of the history on disk was delivered. `lost` of its steps were not there any more.
    pub(crate) fn delivered_owed(&self, span: &Range<u64>, lost: u64) {
        let mut state = self.lock();
        let is_rest = first_waiting(&state).is_none_or(|first| span.end >= first);
        state.owed_since = if is_rest { None } else { Some(span.end) };
        state.lost += lost;
        state.delivered_until = Some(span.end);
        state.note_answer();
    }

    pub(crate) fn note_failure(&self, reason: String) {
        let mut state = self.lock();
        if state.failure.is_none() {
            tracing::warn!("the fleet's MongoDB takes no figures: {reason}");
        }
        state.failure = Some(reason);
    }

    /// The store has lost what was in it.
    pub(crate) fn note_emptied(&self) {
        self.lock().is_emptied = true;
    }

    /// Whether the store has lost what was in it since the last call.
    pub(crate) fn take_emptied(&self) -> bool {
        std::mem::take(&mut self.lock().is_emptied)
    }

    /// The store has answered.
    pub(crate) fn note_connected(&self) {
        self.lock().note_answer();
    }

    /// Asks for a span of the history on disk. Whoever has it answers at its next tick.
    pub(crate) fn want(&self, wanted: WantedSpan) {
        self.lock().wanted = Some(wanted);
    }

    pub(crate) fn take_wanted(&self) -> Option<WantedSpan> {
        self.lock().wanted.take()
    }

    /// The run ends: nothing is added any more.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_all();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    /// Whether the store knows this process by its name, or which other one.
    pub(crate) fn set_admission(&self, admission: Result<bool, String>) {
        let mut state = self.lock();
        if let (Err(why), Ok(_)) = (&admission, &state.admission) {
            tracing::warn!("the fleet takes no figures of this instance: {why}");
        }
        state.admission = admission;
    }

    pub(crate) fn is_admitted(&self) -> bool {
        self.lock().admission == Ok(true)
    }

    /// How far the delivery is.
    pub(crate) fn delivery(&self) -> FleetDelivery {
        let state = self.lock();
        let first_waiting = first_waiting(&state);
        let now = crate::clock::now_unix_ms() / 1000;
        FleetDelivery {
            instance: self.instance.clone(),
            failure: state.admission.as_ref().err().or(state.failure.as_ref()).cloned(),
            is_name_taken: state.admission.is_err(),
            waiting_seconds: state.owed_since.or(first_waiting).map_or(0, |since| now.saturating_sub(since)),
            delivered_until: state.delivered_until,
            lost: state.lost,
        }
    }

    /// A panic elsewhere does not end the delivery.
    fn lock(&self) -> MutexGuard<'_, OutboxState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ten_seconds(batch: &Batch) -> impl Iterator<Item = u64> {
    batch.steps.iter().filter(|step| step.tier == StoreTier::TenSeconds).map(|step| step.start)
}

/// The start of the first step of ten seconds that waits in memory. The first batch may have names and marks alone.
fn first_waiting(state: &OutboxState) -> Option<u64> {
    state.waiting.iter().find_map(|batch| first_second(batch))
}

/// The start of its first step of ten seconds.
fn first_second(batch: &Batch) -> Option<u64> {
    ten_seconds(batch).min()
}

fn bytes_of(batch: &Batch) -> usize {
    let steps = batch.steps.iter().map(|step| step.bytes.len());
    let names = batch.names.iter().map(|(_, name)| name.len());
    steps.chain(names).chain(batch.marks.iter().map(|mark| mark.bytes.len())).sum::<usize>() + size_of::<Batch>()
}

#[cfg(test)]
mod tests;
