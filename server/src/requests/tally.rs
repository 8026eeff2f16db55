//! Sums of requests. They are added up over endpoints and over time, and never averaged.

use watchboard_wire::{Latency, RecentRequests, RequestDatabase, RequestMemory, RequestUpstream};

use super::{
    endpoint::{Ending, Outcome},
    upstream::UpstreamTally,
};
use crate::{alloc::AllocationSums, histograms::Distribution};

/// The class of a request. Each request has exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Fine,
    /// A 4xx that was sent.
    ClientError,
    /// 5xx, panics and broken bodies.
    ServerError,
    /// The client disconnected before the response ended.
    Dropped,
}

pub(crate) const CLASSES: [Class; 4] = [Class::Fine, Class::ClientError, Class::ServerError, Class::Dropped];

impl Ending {
    pub(crate) fn class(self) -> Class {
        match self.outcome {
            Outcome::Failed => Class::ServerError,
            _ if self.status >= 500 => Class::ServerError,
            Outcome::Dropped => Class::Dropped,
            Outcome::Complete if self.status >= 400 => Class::ClientError,
            Outcome::Complete => Class::Fine,
        }
    }
}

/// Sums of requests, with histograms of their latencies and allocations. A tally can be added to another and subtracted again.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Tally {
    pub(crate) classes: [u64; CLASSES.len()],
    pub(crate) response_bytes: u64,
    pub(crate) duration_sum_us: u64,
    pub(crate) latencies: Distribution,
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
    /// Requests that sent the same command many times (N+1).
    pub(crate) repeated: u64,
    /// Requests with commands, by the time that their commands took.
    pub(crate) times: Distribution,
}

impl MemoryTally {
    /// Requests whose allocations are known.
    pub(crate) fn requests(&self) -> u64 {
        self.sizes.iter().map(|(_, count)| u64::from(count)).sum()
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
        size_of::<Self>() + self.latencies.held_bytes() + self.memory.sizes.held_bytes() + usage + upstream
    }

    pub(crate) fn requests(&self) -> u64 {
        self.classes.iter().sum()
    }

    pub(crate) fn count(&self, class: Class) -> u64 {
        self.classes[class as usize]
    }

    /// The percentiles of the latency; `None` without requests.
    pub(crate) fn latency(&self) -> Option<Latency> {
        let [p50_us, p95_us, p99_us, max_us] = self.latencies.percentiles()?;
        Some(Latency { p50_us, p95_us, p99_us, max_us })
    }

    /// The allocations of the requests; `None` if none are known.
    pub(crate) fn memory(&self) -> Option<RequestMemory> {
        let MemoryTally { allocated, sizes } = &self.memory;
        let [p50_bytes, _, p99_bytes, max_bytes] = sizes.percentiles()?;
        let requests = self.memory.requests();
        let AllocationSums { bytes: allocated_bytes, freed_bytes, allocations } = *allocated;
        Some(RequestMemory { requests, allocated_bytes, freed_bytes, allocations, p50_bytes, p99_bytes, max_bytes })
    }

    /// The database commands of the requests; `None` without commands.
    pub(crate) fn usage(&self) -> Option<RequestDatabase> {
        let UsageTally { commands, elapsed_us, repeated, ref times } = **self.usage.as_ref()?;
        let [p50_us, _, p99_us, max_us] = times.percentiles()?;
        let requests = times.iter().map(|(_, count)| u64::from(count)).sum();
        Some(RequestDatabase { requests, commands, elapsed_us, repeated, p50_us, p99_us, max_us })
    }

    /// The sums of the upstream; `None` if no proxy forwarded a request.
    pub(crate) fn upstream(&self) -> Option<RequestUpstream> {
        let UpstreamTally { answered, first_byte_sum_us, connects, connect_sum_us } = **self.upstream.as_ref()?;
        Some(RequestUpstream { answered, first_byte_sum_us, connects, connect_sum_us })
    }

    /// Requests that took at most `objective_us`, to the precision of the buckets.
    pub(crate) fn count_within(&self, objective_us: u64) -> u64 {
        self.latencies.count_at_most(objective_us)
    }

    /// Requests that took longer.
    pub(crate) fn count_beyond(&self, objective_us: u64) -> u64 {
        let timed: u64 = self.latencies.iter().map(|(_, count)| u64::from(count)).sum();
        timed.saturating_sub(self.count_within(objective_us))
    }

    /// These sums as the wire's recent requests, over `seconds`.
    pub(crate) fn recent(&self, seconds: u64) -> RecentRequests {
        RecentRequests {
            seconds,
            requests: self.requests(),
            server_errors: self.count(Class::ServerError),
            client_errors: self.count(Class::ClientError),
            latency: self.latency(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_ending_has_one_class() {
        for (status, outcome, class) in [
            (200, Outcome::Complete, Class::Fine),
            (404, Outcome::Complete, Class::ClientError),
            (503, Outcome::Complete, Class::ServerError),
            (503, Outcome::Dropped, Class::ServerError),
            (200, Outcome::Failed, Class::ServerError),
            (200, Outcome::Dropped, Class::Dropped),
            (499, Outcome::Dropped, Class::Dropped),
        ] {
            assert_eq!(Ending { status, outcome }.class(), class, "{status} {outcome:?}");
        }
    }
}
