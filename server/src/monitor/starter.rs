//! The start of the monitor's thread, which fails if the host has no thread left.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use super::thread::{MonitorThread, SAMPLER};
use crate::supervision::Supervision;

/// Starts the thread, and tries again later if that fails.
pub(super) struct Starter {
    /// `None` once it has started.
    waiting: Arc<Mutex<Option<MonitorThread>>>,
    supervision: Supervision,
}

impl Starter {
    pub(super) fn new(thread: MonitorThread) -> Self {
        let supervision = thread.supervision.clone();
        Self { waiting: Arc::new(Mutex::new(Some(thread))), supervision }
    }

    /// Starts the thread if it has not started.
    pub(super) fn start(&self) {
        self.start_by(|run| thread::Builder::new().name("watchboard".to_owned()).spawn(run).map(|_| ()));
    }

    fn start_by(&self, spawn: impl FnOnce(Box<dyn FnOnce() + Send>) -> io::Result<()>) {
        if self.waiting.lock().unwrap_or_else(PoisonError::into_inner).is_none() {
            return;
        }
        let waiting = Arc::clone(&self.waiting);
        let run = move || {
            let thread = waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
            thread.into_iter().for_each(MonitorThread::run);
        };
        if let Err(error) = spawn(Box::new(run)) {
            self.supervision.faults.record(SAMPLER, format!("its thread cannot be started: {error}"));
        }
    }
}
