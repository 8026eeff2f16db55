//! What the board sends to the monitor's thread.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use tokio::sync::oneshot;
use watchboard_wire::{Mark, Part, RefreshCursor, RefreshQuery, RefreshResponse};

use crate::sample::PastPage;

/// The board has a viewer if a page was read within this time: a little longer than the longest refresh interval of a page.
const WATCHED_WITHIN: Duration = Duration::from_secs(65);
/// So many pages may wait for the monitor's thread at once.
pub(super) const MAX_MESSAGES: usize = 64;
/// The time of the last read.
pub(super) struct LastRead {
    since: Instant,
    /// Milliseconds from `since`, and one; zero before the first.
    at: AtomicU64,
}

impl Default for LastRead {
    fn default() -> Self {
        Self { since: Instant::now(), at: AtomicU64::new(0) }
    }
}

impl LastRead {
    fn now(&self) -> u64 {
        self.since.elapsed().as_millis() as u64 + 1
    }

    pub(super) fn set_to_now(&self) {
        self.at.store(self.now(), Relaxed);
    }

    pub(super) fn is_recent(&self) -> bool {
        let at = self.at.load(Relaxed);
        at > 0 && self.now().saturating_sub(at) < WATCHED_WITHIN.as_millis() as u64
    }
}

/// A message to the monitor's thread, and where its answer goes.
pub(super) enum Message {
    /// A page wants figures. `past` is what it waits for if they are of a past span.
    Page {
        query: RefreshQuery,
        cursor: Option<RefreshCursor>,
        past: Option<PastPage>,
        answer: oneshot::Sender<RefreshResponse>,
    },
    /// The thread ends.
    Stop,
    /// Somebody notes something.
    Note { text: String, answer: oneshot::Sender<Mark> },
    /// Answered once the costly figures are published.
    CostlyFigures(oneshot::Sender<()>),
}

impl Message {
    /// Whether it is about the devices of the machine too.
    pub(super) fn is_with_devices(&self) -> bool {
        matches!(self, Self::Page { query: RefreshQuery { part: Part::Memory, .. }, .. })
    }
}
