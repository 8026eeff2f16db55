//! Sums of requests. They are added up over endpoints and over time, and never averaged.

use watchboard_wire::{EndpointLatency, RecentRequests, RequestDatabase, RequestMemory, RequestUpstream};

use super::{
    ending::{CLASSES, Class},
    upstream::UpstreamTally,
};
use crate::{alloc::AllocationSums, histograms::Distribution};

/// Sums of requests, with histograms of their latencies and allocations. A tally can be added to another and subtracted again.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Tally {
    pub(crate) classes: [u64; CLASSES.len()],
    pub(crate) response_bytes: u64,
    pub(crate) duration_sum_us: u64,
    /// The times of requests that succeeded: their percentiles, and the judgement by the objective.
    pub(crate) latencies: Distribution,
    /// The times of requests that failed.
    pub(crate) failures: Distribution,
    pub(crate) memory: MemoryTally,
    /// `None` without database commands. In a box, since thousands of tallies have none.
    pub(crate) usage: Option<Box<UsageTally>>,
    /// `None` if no proxy forwarded a request.
    pub(crate) upstream: Option<Box<UpstreamTally>>,
}

/// The allocations of requests, if the allocator counts.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct MemoryTally {
    pub(crate) allocated: AllocationSums,
    /// Requests by the bytes that they allocated.
    pub(crate) sizes: Distribution,
}

/// The database commands of requests, if the monitor listens to the application's client.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct UsageTally {
    pub(crate) commands: u64,
    pub(crate) elapsed_us: u64,
    /// The time that requests waited for a connection to the database.
    pub(crate) waited_us: u64,
    /// Requests that sent the same command many times (N+1).
    pub(crate) repeated: u64,
    /// Requests with commands, by the time that their commands took.
    pub(crate) times: Distribution,
}

impl MemoryTally {
    /// Requests whose allocations are known.
    pub(crate) fn requests(&self) -> u64 {
        self.sizes.count()
    }

    /// Requests that allocated more than `bytes`, to the precision of the buckets.
    pub(crate) fn count_above(&self, bytes: u64) -> u64 {
        self.requests() - self.sizes.count_at_most(bytes)
    }
}

/// Without the buckets of the histograms.
impl std::fmt::Debug for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { classes, response_bytes, duration_sum_us, .. } = self;
        write!(f, "Tally {classes:?} {response_bytes} B {duration_sum_us} µs {:?}", self.latency())
    }
}

impl Tally {
    pub(crate) fn clear(&mut self) {
        self.classes = [0; CLASSES.len()];
        (self.response_bytes, self.duration_sum_us) = (0, 0);
        self.latencies.clear();
        self.failures.clear();
        self.memory.allocated = AllocationSums::default();
        self.memory.sizes.clear();
        (self.usage, self.upstream) = (None, None);
    }

    /// Whether all sums are zero. A part of a request makes it non-empty.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The memory that it holds, in bytes.
    pub(crate) fn held_bytes(&self) -> usize {
        let usage = self.usage.as_ref().map_or(0, |usage| size_of::<UsageTally>() + usage.times.held_bytes());
        let upstream = self.upstream.as_ref().map_or(0, |_| size_of::<UpstreamTally>());
        let histograms = [&self.latencies, &self.failures, &self.memory.sizes].map(Distribution::held_bytes);
        size_of::<Self>() + histograms.iter().sum::<usize>() + usage + upstream
    }

    pub(crate) fn requests(&self) -> u64 {
        self.classes.iter().sum()
    }

    pub(crate) fn count(&self, class: Class) -> u64 {
        self.classes[class as usize]
    }

    /// The latency of requests that succeeded, and of those that failed.
    pub(crate) fn latency(&self) -> EndpointLatency {
        EndpointLatency { succeeded: self.latencies.latency(), failed: self.failures.latency() }
    }

    /// The allocations of the requests; `None` if none are known.
    pub(crate) fn memory(&self) -> Option<RequestMemory> {
        let MemoryTally { allocated, sizes } = &self.memory;
        let [p50_bytes, _, p99_bytes, max_bytes] = sizes.percentiles()?;
        let requests = self.memory.requests();
        let AllocationSums { bytes: allocated_bytes, freed_bytes, allocations } = *allocated;
        // The largest is known to its bucket, and the mean exactly.
        let max_bytes = max_bytes.max(allocated_bytes.checked_div(requests)?);
        Some(RequestMemory { requests, allocated_bytes, freed_bytes, allocations, p50_bytes, p99_bytes, max_bytes })
    }

    /// The database commands of the requests; `None` without commands.
    pub(crate) fn usage(&self) -> Option<RequestDatabase> {
        let UsageTally { commands, elapsed_us, waited_us, repeated, ref times } = **self.usage.as_ref()?;
        let [p50_us, _, p99_us, max_us] = times.percentiles()?;
        Some(RequestDatabase {
            requests: times.count(),
            commands,
            elapsed_us,
            waited_us,
            repeated,
            p50_us,
            p99_us,
            max_us: max_us.max(elapsed_us.checked_div(times.count())?),
        })
    }

    /// The sums of the upstream; `None` if no proxy forwarded a request.
    pub(crate) fn upstream(&self) -> Option<RequestUpstream> {
        let UpstreamTally { answered, first_byte_sum_us, connects, connect_sum_us } = **self.upstream.as_ref()?;
        Some(RequestUpstream { answered, first_byte_sum_us, connects, connect_sum_us })
    }

    /// Requests that are judged by the objective: those whose time is known, whether they succeeded or failed.
    pub(crate) fn count_judged(&self) -> u64 {
        self.latencies.count() + self.failures.count()
    }

    /// Requests that succeeded in at most `objective_us`, to the precision of the buckets.
    pub(crate) fn count_within(&self, objective_us: u64) -> u64 {
        self.latencies.count_at_most(objective_us)
    }

    /// Requests that succeeded and took longer.
    pub(crate) fn count_beyond(&self, objective_us: u64) -> u64 {
        self.latencies.count().saturating_sub(self.count_within(objective_us))
    }

    /// These sums as the wire's recent requests, over `seconds`.
    pub(crate) fn recent(&self, seconds: u64) -> RecentRequests {
        RecentRequests {
            seconds,
            requests: self.requests(),
            server_errors: self.count(Class::ServerError),
            client_errors: self.count(Class::ClientError),
            latency: self.latencies.latency(),
        }
    }
}
