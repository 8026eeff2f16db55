//! The database commands of one endpoint's requests, counted in relaxed atomic adds. Allocated with the first command.

use std::sync::atomic::Ordering::Relaxed;

use crate::{
    commands::attribution::{CommandUse, Trace},
    histograms::BucketRecorder,
    sync::{AtomicU32, AtomicU64},
};

/// Commands of an endpoint with counters of their own. Further ones count only in the sums.
const COMMANDS: usize = 32;

/// The counters of an endpoint.
pub(crate) struct UsageRecorder {
    commands: AtomicU64,
    elapsed_us: AtomicU64,
    waited_us: AtomicU64,
    repeated: AtomicU64,
    /// Requests with commands, by the time that their commands took.
    times: BucketRecorder,
    uses: [UseCounter; COMMANDS],
}

/// The commands of one shape. A counter keeps its shape for good.
struct UseCounter {
    /// The number of the shape plus one; zero if the counter is free.
    shape: AtomicU32,
    requests: AtomicU64,
    calls: AtomicU64,
    elapsed_us: AtomicU64,
    most: AtomicU32,
    repeated: AtomicU64,
}

/// The commands of one endpoint between two readings.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct UsageDelta {
    pub(crate) commands: u64,
    pub(crate) elapsed_us: u64,
    pub(crate) waited_us: u64,
    pub(crate) repeated: u64,
    pub(crate) uses: Vec<CommandUseDelta>,
}

/// The commands of one shape in an endpoint's requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CommandUseDelta {
    pub(crate) shape: u16,
    /// Requests that sent it.
    pub(crate) requests: u64,
    pub(crate) calls: u64,
    pub(crate) elapsed_us: u64,
    /// The most calls by one request.
    pub(crate) most: u32,
    /// Requests that sent it many times (N+1).
    pub(crate) repeated: u64,
}

impl CommandUseDelta {
    pub(crate) fn add(&mut self, more: &Self) {
        self.requests += more.requests;
        self.calls += more.calls;
        self.elapsed_us += more.elapsed_us;
        self.most = self.most.max(more.most);
        self.repeated += more.repeated;
    }
}

impl UsageRecorder {
    pub(crate) fn new() -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            commands: zero(),
            elapsed_us: zero(),
            waited_us: zero(),
            repeated: zero(),
            times: BucketRecorder::new(),
            uses: std::array::from_fn(|_| UseCounter {
                shape: AtomicU32::new(0),
                requests: zero(),
                calls: zero(),
                elapsed_us: zero(),
                most: AtomicU32::new(0),
                repeated: zero(),
            }),
        }
    }

    #[inline(never)]
    pub(crate) fn record(&self, trace: &Trace) {
        self.commands.fetch_add(trace.commands.into(), Relaxed);
        self.elapsed_us.fetch_add(trace.elapsed_us(), Relaxed);
        self.waited_us.fetch_add(trace.waited_us(), Relaxed);
        self.repeated.fetch_add(trace.repeats().into(), Relaxed);
        self.times.record(trace.elapsed_us());
        for (index, first) in trace.uses.iter().enumerate() {
            let is_of_it = |used: &&CommandUse| used.shape == first.shape;
            // One shape may be there several times, each with other fields.
            if trace.uses[..index].iter().any(|before| is_of_it(&before)) {
                continue;
            }
            if let Some(counter) = self.counter(first.shape) {
                counter.record(trace.uses[index..].iter().filter(is_of_it));
            }
        }
    }

    fn counter(&self, shape: u16) -> Option<&UseCounter> {
        let wanted = u32::from(shape) + 1;
        self.uses.iter().find(|counter| {
            let there = counter.shape.load(Relaxed);
            there == wanted
                || there == 0
                    && counter
                        .shape
                        .compare_exchange(0, wanted, Relaxed, Relaxed)
                        .map_or_else(|now| now == wanted, |_| true)
        })
    }

    pub(crate) const fn held_bytes() -> usize {
        size_of::<Self>() + BucketRecorder::held_bytes()
    }

    /// Takes the counts since the last call; `times` gets the requests by bucket.
    pub(crate) fn take(&self, times: &mut dyn FnMut(usize, u32)) -> UsageDelta {
        self.times.take(times);
        let used = self.uses.iter().take_while(|counter| counter.shape.load(Relaxed) > 0);
        UsageDelta {
            commands: self.commands.swap(0, Relaxed),
            elapsed_us: self.elapsed_us.swap(0, Relaxed),
            waited_us: self.waited_us.swap(0, Relaxed),
            repeated: self.repeated.swap(0, Relaxed),
            uses: used.map(UseCounter::take).filter(|taken| taken.calls > 0).collect(),
        }
    }
}

impl UseCounter {
    /// Records one request's commands of this shape.
    fn record<'a>(&self, uses: impl Iterator<Item = &'a CommandUse>) {
        let (mut calls, mut elapsed_us, mut repeats) = (0, 0, false);
        for used in uses {
            calls += used.calls;
            elapsed_us += used.elapsed_us;
            repeats |= used.repeats();
        }
        self.requests.fetch_add(1, Relaxed);
        self.calls.fetch_add(calls.into(), Relaxed);
        self.elapsed_us.fetch_add(elapsed_us, Relaxed);
        self.most.fetch_max(calls, Relaxed);
        self.repeated.fetch_add(repeats.into(), Relaxed);
    }

    fn take(&self) -> CommandUseDelta {
        CommandUseDelta {
            shape: (self.shape.load(Relaxed) - 1) as u16,
            requests: self.requests.swap(0, Relaxed),
            calls: self.calls.swap(0, Relaxed),
            elapsed_us: self.elapsed_us.swap(0, Relaxed),
            most: self.most.swap(0, Relaxed),
            repeated: self.repeated.swap(0, Relaxed),
        }
    }
}
