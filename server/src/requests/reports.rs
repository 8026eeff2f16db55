//! Reports on single requests: those that failed, and those that were slow. The layer pushes them to bounded queues without waiting;
//! the monitor empties the queues once a second. Errors beyond the bound are counted.

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

use super::{ending::Ending, error_text::ErrorText, request_id::RequestId};
use crate::commands::attribution::{Step, Trace};

/// Reports of each kind that wait for the monitor. Further ones within a second are only counted.
const QUEUED: usize = 512;

/// One request that has ended.
#[derive(Clone)]
pub(crate) struct Sighting {
    /// The number of its endpoint in the registry.
    pub(crate) endpoint: usize,
    pub(crate) at_unix_ms: u64,
    pub(crate) ending: Ending,
    pub(crate) duration_us: u64,
    /// The time to the response's head, if the body came in parts after it.
    pub(crate) first_byte_us: Option<NonZeroU32>,
    /// The part of it that a new connection to the upstream took; `None` if the proxy reused one.
    pub(crate) connect_us: Option<NonZeroU32>,
    pub(crate) response_bytes: u64,
    pub(crate) id: RequestId,
    /// Its database commands; for slow requests only.
    pub(crate) usage: Option<Arc<RequestUsage>>,
}

/// The database commands of one request.
pub(crate) struct RequestUsage {
    pub(crate) commands: u32,
    /// The time in which at least one of its commands was in flight.
    pub(crate) elapsed_us: u64,
    /// The time in which it waited for a connection to the database.
    pub(crate) waited_us: u64,
    /// From the request's arrival to its first command.
    pub(crate) began_us: u64,
    pub(crate) steps: Box<[Step]>,
}

impl RequestUsage {
    /// From the trace of a request that arrived at `arrived`.
    pub(super) fn from_trace(trace: &Trace, arrived: Instant) -> Arc<Self> {
        let began = trace.began.saturating_duration_since(arrived.into_std());
        Arc::new(Self {
            commands: trace.commands,
            elapsed_us: trace.elapsed_us(),
            waited_us: trace.waited_us(),
            began_us: began.as_micros() as u64,
            steps: trace.steps.as_slice().into(),
        })
    }
}

/// A sighting as the history keeps it. There are dozens for each endpoint, so an id takes room only if there is one.
#[derive(Clone)]
pub(crate) struct SlowSighting {
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

impl SlowSighting {
    /// The memory that it holds beside itself, in bytes. The lists that it is in share it.
    pub(crate) fn held_bytes(&self) -> usize {
        let steps = |usage: &Arc<RequestUsage>| size_of::<RequestUsage>() + size_of_val(&*usage.steps);
        self.id.as_ref().map_or(0, |id| id.len()) + self.usage.as_ref().map_or(0, steps)
    }
}

impl From<Sighting> for SlowSighting {
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

/// One request that failed.
pub(crate) struct ReportedError {
    pub(crate) sighting: Sighting,
    pub(crate) kind: ErrorKind,
    pub(crate) text: ErrorText,
    /// The location of its panic.
    pub(crate) location: Option<String>,
}

/// The queues from the layer to the monitor.
pub(crate) struct ReportQueues {
    errors: ArrayQueue<ReportedError>,
    slow: ArrayQueue<Sighting>,
    errors_seen: AtomicU64,
    /// A request of any endpoint that takes at least this long is among the slowest of the last seconds.
    slow_from_us: AtomicU64,
}

impl ReportQueues {
    pub(super) fn new() -> Self {
        Self {
            errors: ArrayQueue::new(QUEUED),
            slow: ArrayQueue::new(QUEUED),
            errors_seen: AtomicU64::new(0),
            slow_from_us: AtomicU64::new(0),
        }
    }

    /// Keeps the newest errors: the last one shows the present state.
    pub(super) fn error(&self, error: ReportedError) {
        self.errors.force_push(error);
        self.errors_seen.fetch_add(1, Relaxed);
    }

    /// Keeps the first slow requests that fit; `false` for one that does not.
    pub(super) fn slow(&self, sighting: Sighting) -> bool {
        self.slow.push(sighting).is_ok()
    }

    pub(super) fn slow_from_us(&self) -> u64 {
        self.slow_from_us.load(Relaxed)
    }

    pub(super) fn set_slow_from_us(&self, duration_us: u64) {
        self.slow_from_us.store(duration_us, Relaxed);
    }

    /// The memory of the queues in bytes, without the texts in them.
    pub(super) fn held_bytes(&self) -> u64 {
        let (errors, slow) = (self.errors.capacity(), self.slow.capacity());
        (errors * size_of::<ReportedError>() + slow * size_of::<Sighting>()) as u64
    }

    pub(super) fn errors_seen(&self) -> u64 {
        self.errors_seen.load(Relaxed)
    }

    /// Takes the errors that wait, oldest first. It takes no more than a full queue, so that it ends.
    pub(super) fn take_errors(&self) -> Vec<ReportedError> {
        std::iter::from_fn(|| self.errors.pop()).take(QUEUED).collect()
    }

    pub(super) fn take_slow(&self) -> Vec<Sighting> {
        std::iter::from_fn(|| self.slow.pop()).take(QUEUED).collect()
    }
}
