//! What an application speaks in place of the protocol that `--upstream` says, as far as that is known.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::time::Instant;

/// A result holds so long. Meanwhile all failures have the same reason, and no connection is tried.
const HOLDS_FOR: Duration = Duration::from_secs(5);
/// The same if the application spoke nothing that is known: then it is no mistake of the scheme.
const UNKNOWN_HOLDS_FOR: Duration = Duration::from_mins(1);

/// A protocol that an application speaks by mistake of `--upstream`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SpokenProtocol {
    Http1,
    Http2,
    Tls,
}

/// What the first bytes of an application say that it speaks.
pub(super) fn protocol_of(first: &[u8]) -> Option<SpokenProtocol> {
    match first {
        [0x15 | 0x16, 3, ..] => Some(SpokenProtocol::Tls),
        _ if first.starts_with(b"HTTP/1.") => Some(SpokenProtocol::Http1),
        // A frame of settings.
        [0, 0, _, 4, _, 0, 0, 0, 0, ..] => Some(SpokenProtocol::Http2),
        _ => None,
    }
}

/// What an application speaks that answers nothing; `None` if it speaks nothing that is known.
#[derive(Clone, Copy)]
pub(super) struct SpokenResult(pub(super) Option<SpokenProtocol>);

/// Shared by all connections to an application.
#[derive(Default)]
pub(super) struct SchemeState {
    /// What has answered once speaks what `--upstream` says.
    has_answered: AtomicBool,
    /// The time and the result of the last probe.
    last: Mutex<Option<(Instant, SpokenResult)>>,
    /// One probe at a time.
    pub(super) turn: tokio::sync::Mutex<()>,
    /// A task that probes is under way.
    is_probing: AtomicBool,
}

impl SchemeState {
    pub(super) fn note_answer(&self) {
        if !self.has_answered.load(Relaxed) {
            self.has_answered.store(true, Relaxed);
        }
    }

    pub(super) fn has_answered(&self) -> bool {
        self.has_answered.load(Relaxed)
    }

    pub(super) fn note(&self, result: SpokenResult) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), result));
    }

    /// The result of the last probe, as long as it holds.
    pub(super) fn last(&self) -> Option<SpokenResult> {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let holds_for = |result: SpokenResult| if result.0.is_some() { HOLDS_FOR } else { UNKNOWN_HOLDS_FOR };
        last.filter(|(at, result)| at.elapsed() < holds_for(*result)).map(|(_, result)| result)
    }

    /// Whether the caller is to start a task that probes. It ends with [`Self::end_probe`].
    pub(super) fn begin_probe(&self) -> bool {
        self.last().is_none() && !self.is_probing.swap(true, Relaxed)
    }

    pub(super) fn end_probe(&self) {
        self.is_probing.store(false, Relaxed);
    }

    /// What the application speaks instead, if that is known.
    pub(super) fn mistake(&self) -> Option<SpokenProtocol> {
        if self.has_answered.load(Relaxed) { None } else { self.last()?.0 }
    }
}
