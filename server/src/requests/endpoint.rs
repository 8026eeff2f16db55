//! One endpoint's counters. A request adds to them when it begins and when it ends, in a handful of relaxed atomic adds.

use std::sync::atomic::Ordering::Relaxed;

use watchboard_wire::{LongLivedKind, LongLivedTotals};

use super::{
    ending::{Class, Ending},
    long_lived::LongLivedRecorder,
    upstream::{UpstreamRecorder, UpstreamTally, UpstreamTiming},
    waiting,
};
use crate::{
    alloc::AllocationSums,
    commands::{UsageDelta, UsageRecorder, attribution::Trace},
    histograms::{BOUNDS_US, BucketRecorder},
    sync::{AtomicU32, AtomicU64, OnceBox, slots::find_or_insert, thread_number},
};

/// Endings with a counter of their own in one endpoint. Most endpoints have two or three. Beyond this bound, an ending counts as
/// the one whose counter is in its first slot. A power of two, for the table of counters.
const ENDINGS: usize = 32;

/// Shards of an endpoint. More threads than this share them. A shard is allocated when a thread first records there.
const SHARDS: usize = 8;

/// Counters of one ending by duration. The last counts requests that are slower than all bounds.
pub(crate) const BOUNDED: usize = BOUNDS_US.len() + 1;

/// One request that has ended.
pub(super) struct RequestRecord<'a> {
    pub(super) ending: Ending,
    pub(super) duration_us: u64,
    /// Whether the duration is the application's: it is not if the client asked it to wait, or broke its request off before it had sent it.
    pub(super) is_timed: bool,
    pub(super) response_bytes: u64,
    /// `None` if the allocator does not count.
    pub(super) allocated: Option<AllocationSums>,
    /// `None` if the request sent no command to the database.
    pub(super) usage: Option<&'a Trace>,
    /// `None` if no proxy forwarded the request.
    pub(super) upstream: Option<&'a UpstreamTiming>,
}

/// The counters of one method and route.
pub(super) struct Endpoint {
    /// `None` for the row of unmatched requests, which all methods share.
    pub(super) method: Option<&'static str>,
    pub(super) route: Box<str>,
    /// The host's objective for the duration of a request.
    pub(super) objective_us: u64,
    /// Whether its clients ask to wait until something happens, by the words of the route.
    pub(super) is_long_poll: bool,
    shards: [OnceBox<Shard>; SHARDS],
    /// Requests that succeeded, by duration.
    latency: BucketRecorder,
    /// Requests that failed, by duration: most endpoints have none.
    failures: OnceBox<BucketRecorder>,
    /// Requests by the bytes that they allocated.
    sizes: OnceBox<BucketRecorder>,
    usage: OnceBox<UsageRecorder>,
    upstream: OnceBox<UpstreamRecorder>,
    /// In the order of [`LongLivedKind::ALL`].
    long_lived: [OnceBox<LongLivedRecorder>; LongLivedKind::ALL.len()],
    /// A request that takes at least this long is among the slowest of the last seconds, and is reported.
    slow_from_us: AtomicU64,
}

/// Requests since the start whose time until the answer is the application's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct AwaitedCounts {
    pub(crate) awaited: u64,
    pub(crate) answered: u64,
}

/// The counters of some threads. Shards keep the cores from writing to the same cache lines for every request.
#[repr(align(128))]
struct Shard {
    started: AtomicU64,
    /// Of the requests whose time until the answer is the application's: those that began, and those that were answered or ended.
    awaited: AtomicU64,
    answered: AtomicU64,
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
            awaited: zero(),
            answered: zero(),
            response_bytes: zero(),
            allocated_bytes: zero(),
            freed_bytes: zero(),
            allocations: zero(),
            endings,
        }
    }

    /// The counter of an ending; of another ending if there is no room for this one.
    #[inline]
    fn counter(&self, ending: Ending) -> &EndingCounter {
        let start = usize::from(ending.status);
        let new = || EndingCounter::new(ending);
        match find_or_insert(&self.endings, start, |counter| counter.ending == ending, || Some(new()), |_| ()) {
            Some((_, counter)) => counter,
            None => self.endings[start % ENDINGS].get_or_init(|| Box::new(new())),
        }
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
            is_long_poll: waiting::is_route_of_long_polls(route),
            shards: std::array::from_fn(|_| OnceBox::new()),
            latency: BucketRecorder::new(),
            failures: OnceBox::new(),
            sizes: OnceBox::new(),
            usage: OnceBox::new(),
            upstream: OnceBox::new(),
            long_lived: std::array::from_fn(|_| OnceBox::new()),
            slow_from_us: AtomicU64::new(0),
        }
    }

    pub(super) fn begin(&self) {
        self.shard().started.fetch_add(1, Relaxed);
    }

    /// The application is to answer a request that has begun.
    pub(super) fn await_answer(&self) {
        self.shard().awaited.fetch_add(1, Relaxed);
    }

    /// The answer has begun, or the request has ended without one.
    pub(super) fn note_answer(&self) {
        self.shard().answered.fetch_add(1, Relaxed);
    }

    pub(super) fn awaited_counts(&self) -> AwaitedCounts {
        let sum = |count: fn(&Shard) -> &AtomicU64| self.shards().map(|shard| count(shard).load(Relaxed)).sum();
        AwaitedCounts { answered: sum(|shard| &shard.answered), awaited: sum(|shard| &shard.awaited) }
    }

    pub(super) fn end(&self, request: &RequestRecord<'_>) {
        // First, since it is the largest piece of code: if it panics, no other counter counts a part of the request.
        if let Some(trace) = request.usage {
            self.usage.get_or_init(|| Box::new(UsageRecorder::new())).record(trace);
        }
        let shard = self.shard();
        let counter = shard.counter(request.ending);
        counter.bounded[bound_index(request.duration_us)].fetch_add(1, Relaxed);
        counter.duration_sum_us.fetch_add(request.duration_us, Relaxed);
        if request.is_timed {
            match request.ending.class() {
                Class::Fine | Class::ClientError => self.latency.record(request.duration_us),
                Class::ServerError => {
                    self.failures.get_or_init(|| Box::new(BucketRecorder::new())).record(request.duration_us);
                }
                // It would have taken longer, nobody knows how long.
                Class::Dropped => {}
            }
        }
        if request.response_bytes > 0 {
            shard.response_bytes.fetch_add(request.response_bytes, Relaxed);
        }
        if let Some(allocated) = request.allocated {
            shard.allocated_bytes.fetch_add(allocated.bytes, Relaxed);
            shard.freed_bytes.fetch_add(allocated.freed_bytes, Relaxed);
            shard.allocations.fetch_add(allocated.allocations, Relaxed);
            self.sizes.get_or_init(|| Box::new(BucketRecorder::new())).record(allocated.bytes);
        }
        if let Some(upstream) = request.upstream {
            self.upstream.get_or_init(|| Box::new(UpstreamRecorder::new())).record(upstream);
        }
    }

    /// The counters of its WebSockets, other upgrades or streams.
    pub(super) fn long_lived(&self, kind: LongLivedKind) -> &LongLivedRecorder {
        self.long_lived[kind as usize].get_or_init(|| Box::new(LongLivedRecorder::new()))
    }

    /// The figures of those kinds that it has had.
    pub(super) fn read_long_lived(&self) -> Vec<LongLivedTotals> {
        let recorders = LongLivedKind::ALL.into_iter().zip(&self.long_lived);
        recorders.filter_map(|(kind, recorder)| Some(recorder.get()?.read(kind))).collect()
    }

    fn shard(&self) -> &Shard {
        self.shards[thread_number() % SHARDS].get_or_init(|| Box::new(Shard::new()))
    }

    fn shards(&self) -> impl Iterator<Item = &Shard> {
        self.shards.iter().filter_map(OnceBox::get)
    }

    /// The memory that it holds, in bytes.
    pub(super) fn held_bytes(&self) -> u64 {
        let of_shard = |shard: &Shard| {
            let endings = shard.endings.iter().filter_map(OnceBox::get).count();
            size_of::<Shard>() + endings * size_of::<EndingCounter>()
        };
        let shards: usize = self.shards().map(of_shard).sum();
        let further = [&self.failures, &self.sizes].into_iter().filter_map(OnceBox::get).count();
        let recorders = (1 + further) * BucketRecorder::held_bytes();
        let usage = self.usage.get().map_or(0, |_| UsageRecorder::held_bytes());
        let upstream = self.upstream.get().map_or(0, size_of_val);
        let long_lived =
            self.long_lived.iter().filter_map(OnceBox::get).map(LongLivedRecorder::held_bytes).sum::<usize>();
        (size_of::<Self>() + self.route.len() + shards + recorders + usage + upstream + long_lived) as u64
    }

    pub(super) fn slow_from_us(&self) -> u64 {
        self.slow_from_us.load(Relaxed)
    }

    pub(super) fn set_slow_from_us(&self, duration_us: u64) {
        self.slow_from_us.store(duration_us, Relaxed);
    }

    /// Requests that have begun since the start.
    pub(super) fn started_count(&self) -> u64 {
        self.shards().map(|shard| shard.started.load(Relaxed)).sum()
    }

    /// Takes the counts since the last call. `each` gets the histograms' counts by bucket; the sums are returned. If a request ends
    /// during the call, a part of it is taken now and the other part by the next call. No count is taken twice or lost.
    pub(super) fn take(&self, each: &mut dyn FnMut(HistogramKind, usize, u32)) -> EndpointDelta {
        let counters = self.shards().flat_map(|shard| &shard.endings).filter_map(OnceBox::get);
        let endings = counters.map(EndingCounter::take);
        let endings = endings.filter(|taken| taken.requests() > 0 || taken.duration_sum_us > 0).collect();
        self.latency.take(|bucket, count| each(HistogramKind::Latency, bucket, count));
        if let Some(recorder) = self.failures.get() {
            recorder.take(|bucket, count| each(HistogramKind::Failures, bucket, count));
        }
        if let Some(recorder) = self.sizes.get() {
            recorder.take(|bucket, count| each(HistogramKind::Sizes, bucket, count));
        }
        let usage =
            self.usage.get().map(|usage| usage.take(&mut |bucket, count| each(HistogramKind::Usage, bucket, count)));
        let sum = |counter: fn(&Shard) -> &AtomicU64| self.shards().map(|shard| counter(shard).swap(0, Relaxed)).sum();
        EndpointDelta {
            endings,
            response_bytes: sum(|shard| &shard.response_bytes),
            allocated: AllocationSums {
                bytes: sum(|shard| &shard.allocated_bytes),
                freed_bytes: sum(|shard| &shard.freed_bytes),
                allocations: sum(|shard| &shard.allocations),
            },
            usage: usage.unwrap_or_default(),
            upstream: self.upstream.get().map(UpstreamRecorder::take).unwrap_or_default(),
        }
    }
}

impl EndingCounter {
    fn take(&self) -> EndingDelta {
        let take = |count: &AtomicU32| if count.load(Relaxed) == 0 { 0 } else { count.swap(0, Relaxed) };
        EndingDelta {
            ending: self.ending,
            bounded: std::array::from_fn(|index| take(&self.bounded[index])),
            duration_sum_us: self.duration_sum_us.swap(0, Relaxed),
        }
    }
}

/// The index of the first of [`BOUNDS_US`] that a duration does not exceed.
fn bound_index(duration_us: u64) -> usize {
    // Most requests are fast: a linear search ends sooner than a binary one.
    BOUNDS_US.iter().position(|bound| duration_us <= *bound).unwrap_or(BOUNDS_US.len())
}

/// The requests of one endpoint that ended between two readings.
pub(super) struct EndpointDelta {
    pub(super) endings: Vec<EndingDelta>,
    pub(super) response_bytes: u64,
    pub(super) allocated: AllocationSums,
    pub(super) usage: UsageDelta,
    pub(super) upstream: UpstreamTally,
}

/// The histograms of an endpoint.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum HistogramKind {
    Latency,
    Failures,
    Sizes,
    Usage,
}

/// The requests of one ending.
pub(super) struct EndingDelta {
    pub(super) ending: Ending,
    pub(super) bounded: [u32; BOUNDED],
    pub(super) duration_sum_us: u64,
}

impl EndingDelta {
    pub(super) fn requests(&self) -> u64 {
        self.bounded.iter().map(|count| u64::from(*count)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::ending::Outcome, *};

    #[test]
    fn bounds_include_their_end_as_prometheus_has_it() {
        assert_eq!((bound_index(0), bound_index(5_000), bound_index(5_001), bound_index(10_000_001)), (0, 0, 1, 14));
    }

    #[test]
    fn statuses_that_share_a_place_are_told_apart_and_taken_once() {
        let endpoint = Endpoint::new(Some("GET"), "/", 1);
        for status in [200, 232, 264, 200] {
            let ending = Ending { status, outcome: Outcome::Complete };
            endpoint.begin();
            endpoint.end(&RequestRecord {
                ending,
                duration_us: 7,
                is_timed: true,
                response_bytes: 1,
                allocated: None,
                usage: None,
                upstream: None,
            });
        }
        let mut latency = vec![];
        let taken = endpoint.take(&mut |_, bucket, count| latency.push((bucket, count)));
        let counts: Vec<_> = taken.endings.iter().map(|taken| (taken.ending.status, taken.requests())).collect();
        assert_eq!(counts, [(200, 2), (232, 1), (264, 1)]);
        assert_eq!((latency, taken.response_bytes, endpoint.started_count()), (vec![(7, 4)], 4, 4));
        assert!(endpoint.take(&mut |_, _, _| panic!("nothing is left")).endings.is_empty());
    }

    #[test]
    fn more_endings_than_there_is_room_for_lose_no_request() {
        let endpoint = Endpoint::new(Some("GET"), "/", 1);
        for status in 100..1000 {
            endpoint.end(&RequestRecord {
                ending: Ending { status, outcome: Outcome::Complete },
                duration_us: 1,
                is_timed: true,
                response_bytes: 0,
                allocated: None,
                usage: None,
                upstream: None,
            });
        }
        let taken = endpoint.take(&mut |_, _, _| {});
        assert_eq!(taken.endings.iter().map(EndingDelta::requests).sum::<u64>(), 900);
    }
}
