//! The sampler's side of the history on disk: it sends what is complete, and takes over what earlier runs have stored.

use std::{sync::Arc, time::Duration};

use watchboard_wire::StoredHistory;

use crate::{
    commands::CommandReader,
    history::{
        History, NameLookup, restored_spans,
        store::{self, HistoryFolder, StoreLink},
    },
    requests::Reader,
    supervision::Faults,
};

/// The first tick waits so long for the history of earlier runs. It is taken over later if it takes longer.
const LOADED_WITHIN: Duration = Duration::from_millis(250);

/// The history on disk, if there is one.
pub(super) struct StoredSteps {
    link: Option<StoreLink>,
    /// Steps of earlier runs that could not be read.
    unreadable: u64,
    faults: Arc<Faults>,
}

impl StoredSteps {
    /// Starts the thread that has the file.
    pub(super) fn new(folder: Option<HistoryFolder>, first_tick: u64, faults: &Arc<Faults>) -> Self {
        let start = |folder| store::start(folder, restored_spans(first_tick), Arc::clone(faults));
        let link = folder.and_then(|folder| {
            let failed = |error| faults.record(store::PART, format!("its thread cannot be started: {error}"));
            start(folder).map_err(failed).ok()
        });
        Self { link, unreadable: 0, faults: Arc::clone(faults) }
    }

    /// Takes over the history of earlier runs, once it is read. The first tick waits a moment for it, so that the first page has it.
    pub(super) fn restore(
        &mut self,
        is_first: bool,
        history: &mut History,
        reader: &mut Reader,
        commands: &CommandReader,
    ) {
        let wait = if is_first { LOADED_WITHIN } else { Duration::ZERO };
        let Some(earlier) = self.link.as_mut().and_then(|link| link.take_earlier(wait)) else { return };
        let restore = || history.restore(&earlier, reader, &|name| commands.number(name));
        self.unreadable += self.faults.rescue("history", restore).unwrap_or_default() as u64;
    }

    /// Sends what the store lacks.
    pub(super) fn send(&self, history: &mut History, reader: &Reader, commands: &CommandReader) {
        let Some(link) = self.link.as_ref().filter(|link| !link.is_loading()) else { return };
        let names = NameLookup { reader, command: &|number| commands.name(number) };
        let batch = self.faults.rescue("history", || history.take_unstored(names));
        if let Some(lost) = batch.and_then(|batch| link.send(batch)) {
            history.forget_sent(&lost);
        }
    }

    pub(super) fn state(&self) -> Option<StoredHistory> {
        self.link.as_ref().map(|link| StoredHistory { unreadable: self.unreadable, ..link.state() })
    }
}
