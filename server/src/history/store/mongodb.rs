//! The store in a MongoDB that instances share. Its collections expire what is too old; this one's own bound goes on top.

use std::{ops::Range, panic::resume_unwind, sync::Arc};

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

    /// As [`Store::append`], without a copy.
    pub(crate) fn append_shared(&self, batch: Arc<Batch>) -> Result<(), StoreError> {
        self.ask(async move |steps| steps.append(&batch).await)
    }

    /// Whether it has the name with this key.
    pub(crate) fn has_name(&self, key: NameKey) -> Result<bool, StoreError> {
        self.ask(async move |steps| steps.has_name(key).await)
    }

    /// Waits for an operation.
    pub(crate) fn ask<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
        &self,
        operation: impl FnOnce(MongoSteps) -> F + Send + 'static,
    ) -> T {
        let steps = self.steps.clone();
        wait_on(&self.runtime, move || operation(steps))
    }
}

/// Waits for an operation on a runtime that other threads drive. It is made and dropped there: an allocator keeps memory for each thread.
pub(crate) fn wait_on<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    runtime: &Handle,
    operation: impl FnOnce() -> F + Send + 'static,
) -> T {
    let done = runtime.block_on(runtime.spawn(async { Box::pin(operation()).await }));
    done.unwrap_or_else(|failed| resume_unwind(failed.into_panic()))
}

impl Store for MongoStore {
    fn append(&mut self, batch: &Batch) -> Result<(), StoreError> {
        self.append_shared(Arc::new(batch.clone()))
    }

    fn newest_steps(
        &self,
        tier: StoreTier,
        span: Range<u64>,
        most_bytes: usize,
    ) -> Result<Vec<StoredStep>, StoreError> {
        self.ask(async move |steps| steps.newest_steps(tier, span, most_bytes).await)
    }

    fn first(&self, tier: StoreTier) -> Result<Option<u64>, StoreError> {
        self.ask(async move |steps| steps.first(tier).await)
    }

    fn last_stored(&self) -> Result<Option<u64>, StoreError> {
        let state = self.ask(async |steps| steps.state().await)?;
        Ok(state.and_then(|state| state.get_i64("last_stored").ok()?.try_into().ok()))
    }

    fn names(&self) -> Result<Vec<(NameKey, Vec<u8>)>, StoreError> {
        self.ask(async |steps| steps.names().await)
    }

    fn marks(&self, span: Range<u64>) -> Result<Vec<StoredMark>, StoreError> {
        self.ask(async move |steps| steps.marks(span).await)
    }

    fn run_record(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let state = self.ask(async |steps| steps.state().await)?;
        Ok(state.and_then(|state| state.get_binary_generic("run_record").ok().cloned()))
    }

    fn trim(&mut self, now: u64, kept_times: &KeptTimes, most_bytes: u64) -> Result<(), StoreError> {
        let kept_times = *kept_times;
        self.ask(async move |steps| steps.trim(now, &kept_times, most_bytes).await)
    }

    fn bytes(&self) -> Result<u64, StoreError> {
        self.ask(async |steps| steps.bytes().await)
    }
}
