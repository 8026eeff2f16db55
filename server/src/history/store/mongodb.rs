//! The store in a MongoDB that instances share. Its collections expire what is too old; this one's own bound goes on top.

use std::ops::Range;

use tokio::runtime::Handle;

use super::{Batch, KeptTimes, NameKey, Store, StoreError, StoreTier, StoredMark, StoredStep, mongo_steps::MongoSteps};

/// The store of one instance. Its methods wait for the server: a thread that may block calls them.
pub(crate) struct MongoStore {
    steps: MongoSteps,
    runtime: Handle,
}

impl MongoStore {
    /// The driver runs on `runtime`, which another thread drives.
    pub(crate) fn new(steps: MongoSteps, runtime: Handle) -> Self {
        Self { steps, runtime }
    }

    pub(crate) fn steps(&self) -> &MongoSteps {
        &self.steps
    }

    pub(crate) fn wait<T>(&self, operation: impl Future<Output = T>) -> T {
        self.runtime.block_on(operation)
    }
}

impl Store for MongoStore {
    fn append(&mut self, batch: &Batch) -> Result<(), StoreError> {
        self.wait(self.steps.append(batch))
    }

    fn newest_steps(
        &self,
        tier: StoreTier,
        span: Range<u64>,
        most_bytes: usize,
    ) -> Result<Vec<StoredStep>, StoreError> {
        self.wait(self.steps.newest_steps(tier, span, most_bytes))
    }

    fn first(&self, tier: StoreTier) -> Result<Option<u64>, StoreError> {
        self.wait(self.steps.first(tier))
    }

    fn last_stored(&self) -> Result<Option<u64>, StoreError> {
        let state = self.wait(self.steps.state())?;
        Ok(state.and_then(|state| state.get_i64("last_stored").ok()?.try_into().ok()))
    }

    fn names(&self) -> Result<Vec<(NameKey, Vec<u8>)>, StoreError> {
        self.wait(self.steps.names())
    }

    fn marks(&self, span: Range<u64>) -> Result<Vec<StoredMark>, StoreError> {
        self.wait(self.steps.marks(span))
    }

    fn run_record(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let state = self.wait(self.steps.state())?;
        Ok(state.and_then(|state| state.get_binary_generic("run_record").ok().cloned()))
    }

    fn trim(&mut self, now: u64, kept_times: &KeptTimes, most_bytes: u64) -> Result<(), StoreError> {
        self.wait(self.steps.trim(now, kept_times, most_bytes))
    }

    fn bytes(&self) -> Result<u64, StoreError> {
        self.wait(self.steps.bytes())
    }
}
