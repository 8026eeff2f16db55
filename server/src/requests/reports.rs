//! What the layer tells of single requests: those that went wrong, and those that were slow. Bounded queues that it pushes to
//! without waiting; the monitor empties them once a second. What does not fit is counted.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use crossbeam_queue::ArrayQueue;
use tokio::time::Instant;
use watchboard_wire::ErrorKind;

use super::{endpoint::Ending, request_id::RequestId};
use crate::commands::attribution::{Step, Trace};

/// Reports of each kind that wait for the monitor: more within a second are counted and not told apart.
const QUEUED: usize = 512;
/// What of a body the layer takes along to find an error's message in.
pub(super) const EXCERPT_BYTES: usize = 512;

/// One request as it ended.
#[derive(Clone)]
pub(crate) struct Sighting {
    /// The number of its endpoint in the registry.
    pub(crate) endpoint: usize,
    pub(crate) at_unix_ms: u64,
    pub(crate) ending: Ending,
    pub(crate) duration_us: u64,
    /// Until the response's head, where the body came in parts after it.
    pub(crate) first_byte_us: Option<NonZeroU32>,
    /// Of this, the making of a connection to whom it was passed on; none where there was one.
    pub(crate) connect_us: Option<NonZeroU32>,
    pub(crate) response_bytes: u64,
    pub(crate) id: RequestId,
    /// What it asked of the database; of slow requests alone.
    pub(crate) usage: Option<Arc<RequestUsage>>,
}

/// What one request asked of the database.
pub(crate) struct RequestUsage {
    pub(crate) commands: u32,
    /// The time in which at least one of its commands was under way.
    pub(crate) took_us: u64,
    /// From the request's arrival to its first command.
    pub(crate) began_us: u64,
    pub(crate) steps: Box<[Step]>,
}

impl RequestUsage {
    /// Of a request that arrived at `arrived`.
    pub(super) fn of(trace: &Trace, arrived: Instant) -> Arc<Self> {
        let began = trace.began.saturating_duration_since(arrived.into_std());
        Arc::new(Self {
            commands: trace.commands,
            took_us: trace.took_us(),
            began_us: began.as_micros() as u64,
            steps: trace.steps.as_slice().into(),
        })
    }
}

/// A sighting as the history keeps it, of which there are some dozens for each endpoint: an id takes room where there is one.
#[derive(Clone)]
pub(crate) struct KeptSighting {
    pub(crate) at_unix_ms: u64,
    pub(crate) duration_us: u64,
    pub(crate) response_bytes: u64,
    pub(crate) id: Option<Arc<str>>,
    pub(crate) usage: Option<Arc<RequestUsage>>,
    pub(crate) endpoint: u32,
    pub(crate) first_byte_us: Option<NonZeroU32>,
    pub(crate) connect_us: Option<NonZeroU32>,
    pub(crate) ending: Ending,
}

impl From<Sighting> for KeptSighting {
    fn from(sighting: Sighting) -> Self {
        let Sighting {
            endpoint,
            at_unix_ms,
            ending,
            duration_us,
            first_byte_us,
            connect_us,
            response_bytes,
            id,
            usage,
        } = sighting;
        let id = id.text().map(Arc::from);
        Self {
            at_unix_ms,
            duration_us,
            response_bytes,
            id,
            usage,
            endpoint: endpoint as u32,
            first_byte_us,
            connect_us,
            ending,
        }
    }
}

#[cfg(test)]
impl Sighting {
    /// A request that went well, as tests of the history need it.
    pub(crate) fn for_tests(endpoint: usize, at_unix_ms: u64, duration_us: u64) -> Self {
        let ending = Ending { status: 200, outcome: super::endpoint::Outcome::Complete };
        Self {
            endpoint,
            at_unix_ms,
            ending,
            duration_us,
            first_byte_us: None,
            connect_us: None,
            response_bytes: 0,
            id: RequestId::NONE,
            usage: None,
        }
    }
}

/// One request that went wrong.
pub(crate) struct ReportedError {
    pub(crate) sighting: Sighting,
    pub(crate) kind: ErrorKind,
    /// The beginning of the response's text, or what the panic said.
    pub(crate) excerpt: Vec<u8>,
    /// Where it panicked.
    pub(crate) location: Option<String>,
}

pub(crate) struct Reports {
    errors: ArrayQueue<ReportedError>,
    slow: ArrayQueue<Sighting>,
    errors_seen: AtomicU64,
    /// Requests of any endpoint that take at least this long are among the slowest of late.
    slow_from_us: AtomicU64,
}

impl Reports {
    pub(super) fn new() -> Self {
        Self {
            errors: ArrayQueue::new(QUEUED),
            slow: ArrayQueue::new(QUEUED),
            errors_seen: AtomicU64::new(0),
            slow_from_us: AtomicU64::new(0),
        }
    }

    /// The newest errors are kept, since the last one says how it is now.
    pub(super) fn error(&self, error: ReportedError) {
        self.errors.force_push(error);
        self.errors_seen.fetch_add(1, Relaxed);
    }

    /// Of more slow requests than fit the first are kept; false for one that did not.
    pub(super) fn slow(&self, sighting: Sighting) -> bool {
        self.slow.push(sighting).is_ok()
    }

    pub(super) fn slow_from_us(&self) -> u64 {
        self.slow_from_us.load(Relaxed)
    }

    pub(super) fn set_slow_from_us(&self, duration_us: u64) {
        self.slow_from_us.store(duration_us, Relaxed);
    }

    /// The memory that the queues hold, but for the texts of what waits.
    pub(super) fn held_bytes(&self) -> u64 {
        let (errors, slow) = (self.errors.capacity(), self.slow.capacity());
        (errors * size_of::<ReportedError>() + slow * size_of::<Sighting>()) as u64
    }

    pub(super) fn errors_seen(&self) -> u64 {
        self.errors_seen.load(Relaxed)
    }

    /// What waits, oldest first; at most what fitted when it began, so that it ends.
    pub(super) fn take_errors(&self) -> Vec<ReportedError> {
        std::iter::from_fn(|| self.errors.pop()).take(QUEUED).collect()
    }

    pub(super) fn take_slow(&self) -> Vec<Sighting> {
        std::iter::from_fn(|| self.slow.pop()).take(QUEUED).collect()
    }
}
