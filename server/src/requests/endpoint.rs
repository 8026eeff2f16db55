//! One endpoint's counters: what a request adds to when it begins and ends, in a handful of relaxed atomic adds.

use std::sync::atomic::Ordering::Relaxed;

use super::passed_on::{PassedOn, PassedOnRecorder, PassedOnTally};
use crate::{
    alloc::Allocated,
    commands::{TakenUsage, UsageRecorder, attribution::Trace},
    histograms::{BOUNDS_US, BucketRecorder},
    sync::{AtomicU32, AtomicU64, OnceBox, thread_number},
};

/// Ways to end that are told apart in one endpoint: a status with an outcome each. Endpoints have two or three of them; past
/// this many, further ones count as the first that stands where they would.
const ENDINGS: usize = 32;

/// More threads than this share; an endpoint has a shard once a thread of it has recorded there.
const SHARDS: usize = 8;

/// One more than bounds: the last holds what is slower than all of them.
pub(crate) const BOUNDED: usize = BOUNDS_US.len() + 1;

/// The status that stands for "the client closed the request before there was one", as nginx writes it.
pub(crate) const CLIENT_CLOSED_REQUEST: u16 = 499;

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    Complete,
    /// The body failed on the way, or the handler panicked.
    Failed,
    Dropped,
}

/// A status and an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ending {
    pub(crate) status: u16,
    pub(crate) outcome: Outcome,
}

impl Ending {
    /// OpenTelemetry's `error.type`: the status of a server's error, or why the response did not end; none of what is no error
    /// of the server.
    pub(super) fn error(self) -> Option<String> {
        match self.outcome {
            _ if self.status >= 500 => Some(self.status.to_string()),
            Outcome::Failed => Some("response_failed".to_owned()),
            Outcome::Dropped => Some("client_disconnected".to_owned()),
            Outcome::Complete => None,
        }
    }
}

/// What ended.
pub(super) struct Ended<'a> {
    pub(super) ending: Ending,
    pub(super) duration_us: u64,
    pub(super) response_bytes: u64,
    /// None where the allocator does not count.
    pub(super) allocated: Option<Allocated>,
    /// None where it asked nothing of the database.
    pub(super) usage: Option<&'a Trace>,
    /// None where nobody passed it on.
    pub(super) passed_on: Option<PassedOn>,
}

/// What the registry keeps of one method and route.
pub(super) struct Endpoint {
    /// None where the requests of all methods meet.
    pub(super) method: Option<&'static str>,
    pub(super) route: Box<str>,
    /// Requests are meant to take at most this long.
    pub(super) objective_us: u64,
    shards: [OnceBox<Shard>; SHARDS],
    latency: BucketRecorder,
    /// Requests by the bytes that they allocated, once one is known.
    sizes: OnceBox<BucketRecorder>,
    usage: OnceBox<UsageRecorder>,
    passed_on: OnceBox<PassedOnRecorder>,
    /// Requests that take at least this long are among the slowest of late, and worth a report.
    slow_from_us: AtomicU64,
}

/// What some of the threads count in, so that not all cores write the same cache lines for every request.
#[repr(align(128))]
struct Shard {
    started: AtomicU64,
    response_bytes: AtomicU64,
    allocated_bytes: AtomicU64,
    freed_bytes: AtomicU64,
    allocations: AtomicU64,
    endings: [OnceBox<EndingCounter>; ENDINGS],
}

#[repr(align(64))]
struct EndingCounter {
    ending: Ending,
    duration_sum_us: AtomicU64,
    bounded: [AtomicU32; BOUNDED],
}

impl Shard {
    fn new() -> Self {
        let endings = std::array::from_fn(|_| OnceBox::new());
        let zero = || AtomicU64::new(0);
        Self {
            started: zero(),
            response_bytes: zero(),
            allocated_bytes: zero(),
            freed_bytes: zero(),
            allocations: zero(),
            endings,
        }
    }

    /// Open addressing from the status on; what is found is never moved.
    fn counter(&self, ending: Ending) -> &EndingCounter {
        let start = usize::from(ending.status);
        for probe in 0..ENDINGS {
            let slot = &self.endings[(start + probe) % ENDINGS];
            let counter = slot.get_or_init(|| Box::new(EndingCounter::new(ending)));
            if counter.ending == ending {
                return counter;
            }
        }
        self.endings[start % ENDINGS].get_or_init(|| Box::new(EndingCounter::new(ending)))
    }
}

impl EndingCounter {
    fn new(ending: Ending) -> Self {
        let bounded = std::array::from_fn(|_| AtomicU32::new(0));
        Self { ending, duration_sum_us: AtomicU64::new(0), bounded }
    }
}

impl Endpoint {
    pub(super) fn new(method: Option<&'static str>, route: &str, objective_us: u64) -> Self {
        Self {
            method,
            route: route.into(),
            objective_us,
            shards: std::array::from_fn(|_| OnceBox::new()),
            latency: BucketRecorder::new(),
            sizes: OnceBox::new(),
            usage: OnceBox::new(),
            passed_on: OnceBox::new(),
            slow_from_us: AtomicU64::new(0),
        }
    }

    pub(super) fn begin(&self) {
        self.shard().started.fetch_add(1, Relaxed);
    }

    pub(super) fn end(&self, ended: &Ended<'_>) {
        let shard = self.shard();
        let counter = shard.counter(ended.ending);
        counter.bounded[bounded(ended.duration_us)].fetch_add(1, Relaxed);
        counter.duration_sum_us.fetch_add(ended.duration_us, Relaxed);
        self.latency.record(ended.duration_us);
        if ended.response_bytes > 0 {
            shard.response_bytes.fetch_add(ended.response_bytes, Relaxed);
        }
        if let Some(allocated) = ended.allocated {
            shard.allocated_bytes.fetch_add(allocated.bytes, Relaxed);
            shard.freed_bytes.fetch_add(allocated.freed_bytes, Relaxed);
            shard.allocations.fetch_add(allocated.allocations, Relaxed);
            self.sizes.get_or_init(|| Box::new(BucketRecorder::new())).record(allocated.bytes);
        }
        if let Some(trace) = ended.usage {
            self.usage.get_or_init(|| Box::new(UsageRecorder::new())).record(trace);
        }
        if let Some(passed_on) = ended.passed_on {
            self.passed_on.get_or_init(|| Box::new(PassedOnRecorder::new())).record(passed_on);
        }
    }

    fn shard(&self) -> &Shard {
        self.shards[thread_number() % SHARDS].get_or_init(|| Box::new(Shard::new()))
    }

    fn shards(&self) -> impl Iterator<Item = &Shard> {
        self.shards.iter().filter_map(OnceBox::get)
    }

    /// The memory that it holds.
    pub(super) fn held_bytes(&self) -> u64 {
        let of_shard = |shard: &Shard| {
            let endings = shard.endings.iter().filter_map(OnceBox::get).count();
            size_of::<Shard>() + endings * size_of::<EndingCounter>()
        };
        let shards: usize = self.shards().map(of_shard).sum();
        let recorders = (1 + usize::from(self.sizes.get().is_some())) * BucketRecorder::held_bytes();
        let usage = if self.usage.get().is_some() { UsageRecorder::held_bytes() } else { 0 };
        (size_of::<Self>() + self.route.len() + shards + recorders + usage) as u64
    }

    pub(super) fn slow_from_us(&self) -> u64 {
        self.slow_from_us.load(Relaxed)
    }

    pub(super) fn set_slow_from_us(&self, duration_us: u64) {
        self.slow_from_us.store(duration_us, Relaxed);
    }

    /// Requests that have begun.
    pub(super) fn started(&self) -> u64 {
        self.shards().map(|shard| shard.started.load(Relaxed)).sum()
    }

    /// Takes what ended since the last time: `each` gets it by the histogram and the bucket, the rest is what is returned. A request that ends
    /// meanwhile is taken in part now and in part the next time; nothing is taken twice or lost.
    pub(super) fn take(&self, each: &mut dyn FnMut(Of, usize, u32)) -> Taken {
        let counters = self.shards().flat_map(|shard| &shard.endings).filter_map(OnceBox::get);
        let endings = counters.map(EndingCounter::take);
        let endings = endings.filter(|taken| taken.requests() > 0 || taken.duration_sum_us > 0).collect();
        self.latency.take(|bucket, count| each(Of::Latency, bucket, count));
        if let Some(recorder) = self.sizes.get() {
            recorder.take(|bucket, count| each(Of::Sizes, bucket, count));
        }
        let usage = self.usage.get().map(|usage| usage.take(&mut |bucket, count| each(Of::Usage, bucket, count)));
        let sum = |counter: fn(&Shard) -> &AtomicU64| self.shards().map(|shard| counter(shard).swap(0, Relaxed)).sum();
        Taken {
            endings,
            response_bytes: sum(|shard| &shard.response_bytes),
            allocated: Allocated {
                bytes: sum(|shard| &shard.allocated_bytes),
                freed_bytes: sum(|shard| &shard.freed_bytes),
                allocations: sum(|shard| &shard.allocations),
            },
            usage: usage.unwrap_or_default(),
            passed_on: self.passed_on.get().map(PassedOnRecorder::take).unwrap_or_default(),
        }
    }
}

impl EndingCounter {
    fn take(&self) -> TakenEnding {
        let take = |count: &AtomicU32| if count.load(Relaxed) == 0 { 0 } else { count.swap(0, Relaxed) };
        TakenEnding {
            ending: self.ending,
            bounded: std::array::from_fn(|index| take(&self.bounded[index])),
            duration_sum_us: self.duration_sum_us.swap(0, Relaxed),
        }
    }
}

fn bounded(duration_us: u64) -> usize {
    // Most requests are fast: a search from the first bound on is shorter than a clever one.
    BOUNDS_US.iter().position(|bound| duration_us <= *bound).unwrap_or(BOUNDS_US.len())
}

/// What ended between two readings.
pub(super) struct Taken {
    pub(super) endings: Vec<TakenEnding>,
    pub(super) response_bytes: u64,
    pub(super) allocated: Allocated,
    pub(super) usage: TakenUsage,
    pub(super) passed_on: PassedOnTally,
}

/// The histograms of an endpoint.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Latency,
    Sizes,
    Usage,
}

/// The requests of one ending.
pub(super) struct TakenEnding {
    pub(super) ending: Ending,
    pub(super) bounded: [u32; BOUNDED],
    pub(super) duration_sum_us: u64,
}

impl TakenEnding {
    pub(super) fn requests(&self) -> u64 {
        self.bounded.iter().map(|count| u64::from(*count)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_include_their_end_as_prometheus_has_it() {
        assert_eq!((bounded(0), bounded(5_000), bounded(5_001), bounded(10_000_001)), (0, 0, 1, 14));
    }

    #[test]
    fn statuses_that_share_a_place_are_told_apart_and_taken_once() {
        let endpoint = Endpoint::new(Some("GET"), "/", 1);
        for status in [200, 232, 264, 200] {
            let ending = Ending { status, outcome: Outcome::Complete };
            endpoint.begin();
            endpoint.end(&Ended {
                ending,
                duration_us: 7,
                response_bytes: 1,
                allocated: None,
                usage: None,
                passed_on: None,
            });
        }
        let mut latency = vec![];
        let taken = endpoint.take(&mut |_, bucket, count| latency.push((bucket, count)));
        let counts: Vec<_> = taken.endings.iter().map(|taken| (taken.ending.status, taken.requests())).collect();
        assert_eq!(counts, [(200, 2), (232, 1), (264, 1)]);
        assert_eq!((latency, taken.response_bytes, endpoint.started()), (vec![(7, 4)], 4, 4));
        assert!(endpoint.take(&mut |_, _, _| panic!("nothing is left")).endings.is_empty());
    }

    #[test]
    fn more_endings_than_there_is_room_for_lose_no_request() {
        let endpoint = Endpoint::new(Some("GET"), "/", 1);
        for status in 100..1000 {
            endpoint.end(&Ended {
                ending: Ending { status, outcome: Outcome::Complete },
                duration_us: 1,
                response_bytes: 0,
                allocated: None,
                usage: None,
                passed_on: None,
            });
        }
        let taken = endpoint.take(&mut |_, _, _| {});
        assert_eq!(taken.endings.iter().map(TakenEnding::requests).sum::<u64>(), 900);
    }
}
