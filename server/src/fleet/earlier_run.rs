//! Steps that an earlier process of the same name has begun, and that this one goes on with: what it writes has the figures of both.

use std::collections::{HashMap, hash_map::Entry};

use crate::history::{
    Merged, merge_steps,
    store::{Batch, Store, StoreError, StoreTier, StoredStep},
};

/// What the store has of the process before.
pub(super) struct EarlierRun {
    /// The end of its last step of ten seconds.
    until: u64,
    /// Its steps that this process goes on with, as they were before that.
    begun: HashMap<(StoreTier, u64), Option<StoredStep>>,
}

impl EarlierRun {
    /// `last_stored` is the start of its last step of ten seconds.
    pub(super) fn new(last_stored: u64) -> Self {
        Self { until: last_stored + StoreTier::TenSeconds.step_seconds(), begun: HashMap::new() }
    }

    /// Whether it has begun steps of a batch.
    pub(super) fn has_begun(&self, batch: &Batch) -> bool {
        batch.steps.iter().any(|step| step.start < self.until)
    }

    /// The batch with the earlier figures of its steps.
    pub(super) fn complete(&mut self, batch: &Batch, store: &dyn Store) -> Result<Batch, StoreError> {
        let mut batch = batch.clone();
        for step in batch.steps.iter_mut().filter(|step| step.start < self.until) {
            let before = match self.begun.entry((step.tier, step.start)) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unread) => unread.insert(step_before(step.tier, step.start, self.until, store)?),
            };
            let both: Vec<StoredStep> = before.iter().chain([&*step]).cloned().collect();
            if let Some(bytes) = merge_steps(step.start, &both, Merged::ShorterSteps) {
                step.bytes = bytes;
            }
        }
        Ok(batch)
    }
}

/// A step as the process before has left it. A longer one that it has not written is made of its shorter ones.
fn step_before(tier: StoreTier, start: u64, until: u64, store: &dyn Store) -> Result<Option<StoredStep>, StoreError> {
    let known = store.steps(tier, start..start + 1)?.pop();
    if known.is_some() || tier == StoreTier::TenSeconds {
        return Ok(known);
    }
    let shorter = store.steps(StoreTier::TenSeconds, start..until.min(start + tier.step_seconds()))?;
    Ok(merge_steps(start, &shorter, Merged::ShorterSteps).map(|bytes| StoredStep { tier, start, bytes }))
}
