//! The requests of some time, as sums: what is added up, over endpoints or over time, and never averaged.

use watchboard_wire::{Latency, RecentRequests, RequestDatabase, RequestMemory, RequestUpstream};

use super::{
    endpoint::{Ending, Outcome},
    passed_on::PassedOnTally,
};
use crate::{alloc::Allocated, histograms::Distribution};

/// How a request counts, each in one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Fine,
    /// A 4xx that was sent.
    ClientError,
    /// 5xx, panics and broken bodies.
    ServerError,
    /// Its client went away before the response had ended.
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

/// Sums of requests, with the histograms of their latencies and of what they allocated. Two of them are added, or one taken from the other again.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Tally {
    pub(crate) classes: [u64; CLASSES.len()],
    pub(crate) response_bytes: u64,
    pub(crate) duration_sum_us: u64,
    pub(crate) latencies: Distribution,
    pub(crate) memory: MemoryTally,
    /// None where nothing was asked; apart, since there are thousands of tallies of endpoints that ask nothing.
    pub(crate) usage: Option<Box<UsageTally>>,
    /// None where nothing was passed on.
    pub(crate) passed_on: Option<Box<PassedOnTally>>,
}

/// What requests allocated, where the allocator counts.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct MemoryTally {
    pub(crate) allocated: Allocated,
    /// Requests by the bytes that they allocated.
    pub(crate) sizes: Distribution,
}

/// What requests asked of the database, where its client is listened to.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct UsageTally {
    pub(crate) commands: u64,
    pub(crate) took_us: u64,
    /// Requests that asked the same thing again and again.
    pub(crate) repeated: u64,
    /// Requests that asked anything, by the time that they took for it.
    pub(crate) times: Distribution,
}

impl MemoryTally {
    /// Requests of which it is known.
    pub(crate) fn requests(&self) -> u64 {
        self.sizes.iter().map(|(_, count)| u64::from(count)).sum()
    }

    /// Requests that allocated more than so much, to the grain of the buckets.
    pub(crate) fn beyond(&self, bytes: u64) -> u64 {
        self.requests() - self.sizes.within(bytes)
    }
}

/// Without its buckets.
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
        self.memory.allocated = Allocated::default();
        self.memory.sizes.clear();
        (self.usage, self.passed_on) = (None, None);
    }

    /// Whether nothing is in it; a part of a request may be, whose other part comes later.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The memory that it holds.
    pub(crate) fn held_bytes(&self) -> usize {
        let usage = self.usage.as_ref().map_or(0, |usage| size_of::<UsageTally>() + usage.times.held_bytes());
        let passed_on = self.passed_on.as_ref().map_or(0, |_| size_of::<PassedOnTally>());
        size_of::<Self>() + self.latencies.held_bytes() + self.memory.sizes.held_bytes() + usage + passed_on
    }

    pub(crate) fn requests(&self) -> u64 {
        self.classes.iter().sum()
    }

    pub(crate) fn count(&self, class: Class) -> u64 {
        self.classes[class as usize]
    }

    /// The percentiles; none without requests.
    pub(crate) fn latency(&self) -> Option<Latency> {
        let [p50_us, p95_us, p99_us, max_us] = self.latencies.percentiles()?;
        Some(Latency { p50_us, p95_us, p99_us, max_us })
    }

    /// What the requests allocated; none where nothing is known of it.
    pub(crate) fn memory(&self) -> Option<RequestMemory> {
        let MemoryTally { allocated, sizes } = &self.memory;
        let [p50_bytes, _, p99_bytes, max_bytes] = sizes.percentiles()?;
        let requests = self.memory.requests();
        let Allocated { bytes: allocated_bytes, freed_bytes, allocations } = *allocated;
        Some(RequestMemory { requests, allocated_bytes, freed_bytes, allocations, p50_bytes, p99_bytes, max_bytes })
    }

    /// What the requests asked of the database; none where they asked nothing.
    pub(crate) fn usage(&self) -> Option<RequestDatabase> {
        let UsageTally { commands, took_us, repeated, ref times } = **self.usage.as_ref()?;
        let [p50_us, _, p99_us, max_us] = times.percentiles()?;
        let requests = times.iter().map(|(_, count)| u64::from(count)).sum();
        Some(RequestDatabase { requests, commands, took_us, repeated, p50_us, p99_us, max_us })
    }

    /// What was passed on to another; none where nothing was.
    pub(crate) fn passed_on(&self) -> Option<RequestUpstream> {
        let PassedOnTally { answered, first_byte_sum_us, connects, connect_sum_us } = **self.passed_on.as_ref()?;
        Some(RequestUpstream { answered, first_byte_sum_us, connects, connect_sum_us })
    }

    /// Requests that took at most `objective_us`, to the grain of the buckets.
    pub(crate) fn within(&self, objective_us: u64) -> u64 {
        self.latencies.within(objective_us)
    }

    /// These sums as the page's recent requests, over `seconds`.
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
