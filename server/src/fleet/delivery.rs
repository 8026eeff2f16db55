//! Delivers what the outbox has to the fleet's store, the oldest first. It may wait for the network: it has a thread of its own.

use std::{
    collections::HashMap,
    ops::Range,
    sync::{Arc, mpsc::sync_channel},
    thread,
    time::{Duration, Instant},
};

use tokio::runtime::Handle;

use watchboard_wire::InstanceState;

use super::{earlier_run::EarlierRun, options::FleetOptions, presence::Presence};
use crate::history::store::{
    Batch, KeptTimes, MongoSteps, MongoStore, NameKey, NextDelivery, Outbox, Store, StoreError, StoreTier, WantedSpan,
};

/// The pause before what failed is tried again.
pub(super) const RETRY_AFTER: Duration = Duration::from_secs(2);
/// The time between two looks for the end of the run.
const LOOK_EACH: Duration = Duration::from_secs(1);
/// The history on disk answers within this time.
const READ_WITHIN: Duration = Duration::from_secs(10);
/// The time between two looks for names that the store has lost.
const COMPLETE_EACH: Duration = Duration::from_secs(20);
/// The time between two looks for what is too old.
const TRIM_EACH: Duration = Duration::from_mins(10);

pub(super) struct Delivery {
    store: MongoStore,
    presence: Arc<Presence>,
    max_bytes: u64,
    kept_times: KeptTimes,
    /// Names that the store has from this run. One that has lost them gets them again.
    delivered: HashMap<NameKey, Vec<u8>>,
    /// What the process before has delivered; `None` until that is known.
    resumed: Option<Resumed>,
    trimmed: Instant,
    looked: Instant,
}

/// How this process goes on with what the one before has delivered under its name.
struct Resumed {
    last_stored: Option<u64>,
    /// Its steps, unless the history on disk has them.
    earlier: Option<EarlierRun>,
    /// Whether the history on disk was looked at.
    is_read: bool,
}

impl Delivery {
    pub(super) fn new(options: &FleetOptions, steps: MongoSteps, runtime: Handle, presence: Arc<Presence>) -> Self {
        Self {
            store: MongoStore::new(steps, runtime),
            presence,
            max_bytes: options.max_bytes,
            kept_times: options.kept_times,
            delivered: HashMap::new(),
            resumed: None,
            trimmed: Instant::now(),
            looked: Instant::now(),
        }
    }

    /// Runs until the run has ended and all is delivered, or cannot be.
    pub(super) fn run(&mut self, outbox: &Outbox) {
        loop {
            let is_closed = outbox.is_closed();
            let result = if outbox.is_admitted() {
                self.deliver_next(outbox)
            } else if is_closed && outbox.is_of_viewer() {
                return;
            } else if is_closed {
                // The run may end before its first sign of life.
                self.say(false).map(|()| outbox.is_admitted())
            } else {
                thread::sleep(LOOK_EACH / 4);
                Ok(true)
            };
            match result {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    outbox.note_failure(error.into_reason());
                    if is_closed {
                        return;
                    }
                    thread::sleep(RETRY_AFTER);
                }
            }
        }
    }

    /// Delivers what is next; whether there may be more.
    fn deliver_next(&mut self, outbox: &Outbox) -> Result<bool, StoreError> {
        if self.resumed.is_none() {
            let last_stored = self.store.last_stored()?;
            // Without a step of an earlier process, the names that the history on disk has are delivered.
            outbox.owe_since(last_stored.unwrap_or_else(|| crate::clock::now_unix_ms() / 1000));
            let earlier = last_stored.filter(|_| !outbox.has_history()).map(EarlierRun::new);
            self.resumed = Some(Resumed { last_stored, earlier, is_read: false });
        }
        if self.looked.elapsed() >= COMPLETE_EACH {
            self.looked = Instant::now();
            // Somebody may have dropped a collection alone.
            let known = self.delivered.keys().next();
            if known.is_some_and(|key| self.store.has_name(*key) == Ok(false)) {
                outbox.note_emptied();
            }
        }
        if outbox.take_emptied() {
            let names = self.delivered.iter().map(|(key, name)| (*key, name.clone())).collect();
            self.store.append(&Batch { names, ..Batch::default() }).inspect_err(|_| outbox.note_emptied())?;
        }
        match outbox.next(LOOK_EACH) {
            NextDelivery::Batch(batch) => {
                self.append(&batch)?;
                outbox.delivered(&batch);
                self.say_state(outbox)?;
            }
            NextDelivery::Owed(span) => {
                self.deliver_owed(outbox, &span)?;
                self.say_state(outbox)?;
            }
            NextDelivery::Nothing => {}
            NextDelivery::End => return Ok(false),
        }
        if self.trimmed.elapsed() >= TRIM_EACH {
            self.trimmed = Instant::now();
            self.store.trim(crate::clock::now_unix_ms() / 1000, &self.kept_times, self.max_bytes)?;
        }
        Ok(true)
    }

    /// Writes the whole state, after the steps: so the status codes of a run that is killed are those of its steps.
    fn say_state(&self, outbox: &Outbox) -> Result<(), StoreError> {
        if outbox.has_waiting() { Ok(()) } else { self.say(true) }
    }

    fn say(&self, is_whole: bool) -> Result<(), StoreError> {
        let presence = Arc::clone(&self.presence);
        self.store.ask(async move |steps| presence.say(&steps, InstanceState::Running, is_whole).await)
    }

    fn append(&mut self, batch: &Arc<Batch>) -> Result<(), StoreError> {
        let earlier = self.resumed.as_mut().and_then(|resumed| resumed.earlier.as_mut());
        self.store.append_shared(match earlier.filter(|earlier| earlier.has_begun(batch)) {
            Some(earlier) => Arc::new(earlier.complete(batch, &self.store)?),
            None => Arc::clone(batch),
        })?;
        self.delivered.extend(batch.names.iter().cloned());
        Ok(())
    }

    /// Delivers a span of the history on disk.
    fn deliver_owed(&mut self, outbox: &Outbox, span: &Range<u64>) -> Result<(), StoreError> {
        let (answer, answered) = sync_channel(1);
        outbox.want(WantedSpan { span: span.clone(), answer });
        let started = Instant::now();
        let read = loop {
            match answered.recv_timeout(LOOK_EACH) {
                Ok(read) => break read,
                Err(_) if outbox.is_closed() => return Ok(()),
                Err(_) if started.elapsed() >= READ_WITHIN => {
                    return Err(StoreError::Refused("the history on disk does not answer".to_owned()));
                }
                Err(_) => {}
            }
        };
        let mut batch = read.map_err(|unknown| StoreError::Refused(unknown.reason))?;
        if let Some(resumed) = self.resumed.as_mut().filter(|resumed| !resumed.is_read) {
            resumed.is_read = true;
            // A history on disk that has the last delivered step goes on with it. Another one, as of a new folder, does not know it.
            let has =
                |last: &u64| batch.steps.iter().any(|step| (step.tier, step.start) == (StoreTier::TenSeconds, *last));
            resumed.earlier = resumed.last_stored.filter(|last| !has(last)).map(EarlierRun::new);
        }
        batch.names.retain(|(key, _)| !self.delivered.contains_key(key));
        let batch = Arc::new(batch);
        self.append(&batch)?;
        let ten_seconds = batch.steps.iter().filter(|step| step.tier == StoreTier::TenSeconds);
        let first = ten_seconds.map(|step| step.start).min();
        // Figures before the first that is left have gone, since the history on disk is bounded.
        let lost = first.map_or(0, |first| first.saturating_sub(span.start) / StoreTier::TenSeconds.step_seconds());
        outbox.delivered_owed(span, lost);
        Ok(())
    }
}
