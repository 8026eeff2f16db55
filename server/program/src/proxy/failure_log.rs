//! The log of failures of the application: a line for each reason, at most one a minute, and a line once it takes connections again.

use std::{
    io,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use super::failure::Failure;
use crate::serve::LogLimit;

/// Shared by the threads of a proxy.
#[derive(Default)]
pub(super) struct FailureLog {
    /// One for each kind of failure.
    limits: Mutex<Vec<(Failure, LogLimit)>>,
    /// Whether the last attempt to connect failed.
    is_cut_off: AtomicBool,
}

impl FailureLog {
    /// No connection could be made.
    pub(super) fn note_no_connection(&self, failure: Failure, error: &io::Error) {
        self.is_cut_off.store(true, Relaxed);
        if let Some(held_back) = self.pass(failure) {
            tracing::warn!(%error, held_back, "{}", failure.cause());
        }
    }

    /// A connection was made.
    pub(super) fn note_connection(&self) {
        if self.is_cut_off.load(Relaxed) && self.is_cut_off.swap(false, Relaxed) {
            tracing::info!("the application takes connections again");
        }
    }

    /// A client gets this in place of an answer.
    pub(super) fn note(&self, failure: Failure) {
        if failure.is_clients() {
            tracing::debug!("{}", failure.cause());
        } else if let Some(held_back) = self.pass(failure) {
            tracing::warn!(held_back, "{}", failure.cause());
        }
    }

    fn pass(&self, failure: Failure) -> Option<u64> {
        let mut limits = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, limit)) = limits.iter().find(|(known, _)| *known == failure) {
            return limit.pass();
        }
        limits.push((failure, LogLimit::new()));
        limits.last().and_then(|(_, limit)| limit.pass())
    }
}
