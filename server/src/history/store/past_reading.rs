//! What is read from the embedded store while it is written to: past spans for pages, and what the fleet's store lacks.

use std::{ops::Range, sync::Arc};

use tokio::sync::{Notify, OwnedSemaphorePermit, oneshot};
use watchboard_wire::{Reading, Unknown};

use super::{Batch, EmbeddedStore, Store, StoreError, StoreTier, StoredPast};

/// The order to read a past span.
pub(super) struct PastReading {
    pub(super) tier: StoreTier,
    pub(super) span: Range<u64>,
    pub(super) answer: oneshot::Sender<Reading<StoredPast>>,
    /// Notified of the answer.
    pub(super) is_read: Arc<Notify>,
    /// Its place among those that wait.
    #[expect(dead_code, reason = "it is held")]
    pub(super) place: OwnedSemaphorePermit,
}

impl PastReading {
    /// Reads the span, unless nobody waits for it any more.
    pub(super) fn read_from(self, store: &EmbeddedStore) -> Result<(), StoreError> {
        if self.answer.is_closed() {
            return Ok(());
        }
        let read = || Ok(StoredPast { steps: store.steps(self.tier, self.span.clone())?, names: store.names()? });
        let (past, result) = match read() {
            Ok(past) => (Ok(past), Ok(())),
            Err(error) => (Err(Unknown::because(&error)), Err(error)),
        };
        self.answer(past);
        result
    }

    /// An answer fails if nobody waits any more.
    pub(super) fn answer(self, past: Reading<StoredPast>) {
        let _ = self.answer.send(past);
        self.is_read.notify_one();
    }
}

/// All that the fleet's store lacks of a span: longer steps too that have a part of it.
pub(super) fn copy_from(store: &EmbeddedStore, span: &Range<u64>) -> Result<Batch, StoreError> {
    let mut batch = Batch { names: store.names()?, ..Batch::default() };
    for tier in StoreTier::ALL {
        let begins = span.start / tier.step_seconds() * tier.step_seconds();
        batch.steps.extend(store.steps(tier, begins..span.end)?);
    }
    batch.marks = store.marks(span.start.saturating_mul(1000)..span.end.saturating_mul(1000))?;
    Ok(batch)
}
