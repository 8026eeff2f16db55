//! The sampler's side of the history on disk: it sends what is complete, and takes over what earlier runs have stored.

use std::{sync::Arc, time::Duration};

use tokio::sync::{Notify, oneshot::Receiver};
use watchboard_wire::{CommandName, FleetDelivery, Reading, StoredHistory, Unknown};

use crate::{
    commands::CommandReader,
    history::{
        History, NameLookup, restored_spans,
        store::{self, Batch, HistoryFolder, KeptTimes, Outbox, StoreLink, StoreTier, StoredPast},
    },
    requests::Reader,
    sample::run_record::RunRecord,
    supervision::{Faults, Supervision},
};

/// The first tick waits so long for the history of earlier runs. It is taken over later if it takes longer.
const LOADED_WITHIN: Duration = Duration::from_millis(400);

/// The end of a run waits so long for a slow disk.
const STORED_WITHIN: Duration = Duration::from_secs(3);

/// The history on disk, if there is one.
pub(super) struct StoredSteps {
    link: Option<StoreLink>,
    /// The way to the fleet's store, if there is one.
    outbox: Option<Arc<Outbox>>,
    kept_times: KeptTimes,
    /// Steps of earlier runs that could not be read.
    unreadable: u64,
    /// Whether the store has a record of this run.
    is_recorded: bool,
    /// How the run before stood, until that is told.
    before: Option<RunRecord>,
    faults: Arc<Faults>,
}

impl StoredSteps {
    /// Starts the thread that has the file.
    pub(super) fn new(
        folder: Option<HistoryFolder>,
        outbox: Option<Arc<Outbox>>,
        first_tick: u64,
        supervision: &Supervision,
    ) -> Self {
        let faults = Arc::clone(&supervision.faults);
        let kept_times = folder.as_ref().map_or_else(KeptTimes::default, |folder| folder.kept_times);
        let start = |folder| store::start(folder, restored_spans(first_tick), supervision);
        let link = folder.and_then(|folder| {
            let failed = |error| faults.record(store::PART, format!("its thread cannot be started: {error}"));
            start(folder).map_err(failed).ok()
        });
        Self { link, outbox, kept_times, unreadable: 0, is_recorded: false, before: None, faults }
    }

    /// Takes over the history of earlier runs; whether it has just been read. The first tick waits a moment for it, so that the first page
    /// has it.
    pub(super) fn restore(
        &mut self,
        is_first: bool,
        history: &mut History,
        reader: &mut Reader,
        commands: &CommandReader,
    ) -> bool {
        let wait = if is_first { LOADED_WITHIN } else { Duration::ZERO };
        let Some(link) = &mut self.link else { return false };
        let Some(mut earlier) = link.take_earlier(wait) else { return false };
        let restore = || {
            let number = &|name: &CommandName| commands.number(name);
            let completed = History::complete(&mut earlier, reader, number, &|number| commands.name(number));
            deliver(self.outbox.as_deref(), &completed);
            link.send(completed);
            history.restore(&earlier, reader, number)
        };
        self.unreadable += self.faults.rescue("history", restore).unwrap_or_default() as u64;
        self.before = earlier.run_record.as_deref().and_then(RunRecord::decode);
        true
    }

    /// Whether a page should wait for the history of earlier runs.
    pub(super) fn is_awaited(&self) -> bool {
        self.link.as_ref().is_some_and(StoreLink::is_awaited)
    }

    /// How the run before stood, once.
    pub(super) fn take_before(&mut self) -> Option<RunRecord> {
        self.before.take()
    }

    /// Sends what the store lacks. `record` is how the run stands: it is there from the start, so that a run that lives for seconds is known.
    pub(super) fn send(
        &mut self,
        history: &mut History,
        reader: &Reader,
        commands: &CommandReader,
        record: impl FnOnce() -> RunRecord,
    ) {
        if self.link.as_ref().is_some_and(StoreLink::is_loading) || self.link.is_none() && self.outbox.is_none() {
            return;
        }
        let names = NameLookup { reader, command: &|number| commands.name(number) };
        let batch = self.faults.rescue("history", || history.take_unstored(names)).unwrap_or_default();
        deliver(self.outbox.as_deref(), &batch);
        let Some(link) = &self.link else { return };
        if let Some(wanted) = self.outbox.as_ref().and_then(|outbox| outbox.take_wanted()) {
            link.copy(wanted);
        }
        if self.is_recorded && batch.is_empty() {
            return;
        }
        self.is_recorded = true;
        let batch = Batch { run_record: Some(record().encode()), ..batch };
        if let Some(lost) = link.send(batch) {
            history.forget_sent(&lost);
        }
    }

    /// Sends the rest, and waits a moment until it is stored: the run ends.
    pub(super) fn stop(
        &mut self,
        history: &mut History,
        reader: &Reader,
        commands: &CommandReader,
        record: &RunRecord,
    ) {
        let link = self.link.take();
        if link.as_ref().is_some_and(StoreLink::is_loading) || link.is_none() && self.outbox.is_none() {
            return;
        }
        let names = NameLookup { reader, command: &|number| commands.name(number) };
        let batch = self.faults.rescue("history", || history.take_rest(names)).unwrap_or_default();
        deliver(self.outbox.as_deref(), &batch);
        let Some(link) = link else { return };
        link.finish(Batch { run_record: Some(record.encode()), ..batch }, STORED_WITHIN);
    }

    /// Asks for the steps of a past span. `is_read` is notified of the answer.
    pub(super) fn read(
        &self,
        tier: StoreTier,
        span: (u64, u64),
        is_read: &Arc<Notify>,
    ) -> Reading<Receiver<Reading<StoredPast>>> {
        let link = self.link.as_ref().ok_or_else(|| Unknown::because("there is no history on disk"))?;
        link.read(tier, span.0..span.1, Arc::clone(is_read))
    }

    /// What the store keeps, if past spans can be read from it.
    pub(super) fn readable(&self) -> Option<&KeptTimes> {
        self.link.as_ref().filter(|link| !link.is_loading()).map(|_| &self.kept_times)
    }

    /// That the disk hangs, in words.
    pub(super) fn overdue(&self) -> Option<String> {
        self.link.as_ref()?.overdue()
    }

    /// How the figures reach the fleet.
    pub(super) fn delivery(&self) -> Option<FleetDelivery> {
        self.outbox.as_ref().map(|outbox| outbox.delivery())
    }

    pub(super) fn state(&self) -> Option<StoredHistory> {
        self.link.as_ref().map(|link| StoredHistory { unreadable: self.unreadable, ..link.state() })
    }
}

/// Passes a batch on to the fleet. What is recorded of the run is this machine's alone.
fn deliver(outbox: Option<&Outbox>, batch: &Batch) {
    if let Some(outbox) = outbox.filter(|_| !batch.is_empty()) {
        outbox.push(batch.clone());
    }
}
