//! Checks a model of the registry under many interleavings of threads: the same sources, with the checker's own types in place of those
//! that threads share. A program of its own (`harness = false`), so that the sources come without their tests.
#![allow(dead_code, unused_imports, reason = "the sources have more than the model asks for")]

#[path = "../src/commands/attribution.rs"]
mod attribution;
#[path = "../src/histograms/buckets.rs"]
mod buckets;
#[path = "../src/requests/client_left.rs"]
mod client_left;
#[path = "../src/alloc/counters.rs"]
mod counters;
#[path = "../src/requests/ending.rs"]
mod ending;
#[path = "../src/requests/endpoint.rs"]
mod endpoint;
#[path = "../src/sync/free_list.rs"]
mod free_list;
#[path = "../src/requests/naming/held_route.rs"]
mod held_route;
#[path = "../src/requests/long_lived.rs"]
mod long_lived;
#[path = "../src/requests/methods.rs"]
mod methods;
#[path = "../src/requests/registry.rs"]
mod registry;
#[path = "../src/requests/rules.rs"]
mod rules;
#[path = "../src/sync/slots.rs"]
mod slots;
#[path = "../src/requests/upstream.rs"]
mod upstream;
#[path = "../src/commands/usage.rs"]
mod usage;
#[path = "../src/requests/waiting.rs"]
mod waiting;

mod histograms {
    pub(super) use super::buckets::{BOUNDS_US, BucketRecorder};
}

mod naming {
    pub(super) use super::held_route::is_held_route;
}

mod commands {
    pub(super) use super::{
        attribution,
        usage::{UsageDelta, UsageRecorder},
    };
}

mod alloc {
    pub(super) use super::counters::AllocationSums;
}

/// The checker's types. Each access is a place where another thread may go on.
mod sync {
    use std::sync::atomic::Ordering::Relaxed;

    pub(super) use super::{free_list, slots};
    pub(super) use foldhash::fast::FixedState as Hashing;
    pub(super) use shuttle::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize};

    shuttle::thread_local! {
        static NUMBER: usize = NEXT_NUMBER.fetch_add(1, Relaxed);
    }
    static NEXT_NUMBER: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

    /// Two numbers for all threads of the checker: some share one, some do not.
    pub(super) fn thread_number() -> usize {
        NUMBER.with(|number| *number % 2)
    }

    /// `once_cell::race::OnceBox` with a place to go on before each access.
    pub(super) struct OnceBox<T>(once_cell::race::OnceBox<T>);

    impl<T> OnceBox<T> {
        pub(super) fn new() -> Self {
            Self(once_cell::race::OnceBox::new())
        }

        pub(super) fn get(&self) -> Option<&T> {
            shuttle::thread::yield_now();
            self.0.get()
        }

        pub(super) fn set(&self, value: Box<T>) -> Result<(), Box<T>> {
            shuttle::thread::yield_now();
            self.0.set(value)
        }

        pub(super) fn get_or_init(&self, make: impl FnOnce() -> Box<T>) -> &T {
            if let Some(value) = self.get() {
                return value;
            }
            let _ = self.set(make());
            self.0.get().expect("it was set")
        }
    }
}

use ending::{Ending, Outcome};
use endpoint::{Endpoint, RequestRecord};
use http::Method;
use registry::Registry;
use rules::Rules;
use shuttle::{sync::Arc, thread};

/// Schedules that are tried.
const SCHEDULES: usize = 1_000;

fn record(status: u16, duration_us: u64) -> RequestRecord<'static> {
    let allocated = Some(alloc::AllocationSums { bytes: 100, freed_bytes: 40, allocations: 3 });
    RequestRecord {
        ending: Ending { status, outcome: Outcome::Complete },
        duration_us,
        is_timed: true,
        response_bytes: 1,
        allocated,
        usage: None,
        upstream: None,
    }
}

fn by_number(registry: &Registry, number: u32) -> &Endpoint {
    registry.by_number(number).expect("it is there")
}

fn main() {
    threads_that_insert_at_once_agree_on_one_place_and_keep_to_the_cap();
    what_is_recorded_while_it_is_taken_is_taken_once();
    println!("\ntest result: ok. 2 passed; 0 failed");
}

fn threads_that_insert_at_once_agree_on_one_place_and_keep_to_the_cap() {
    let routes = ["/a", "/b", "/c"];
    let model = move || {
        let registry = Arc::new(Registry::new(2, Rules::default()));
        let insert = |registry: Arc<Registry>| {
            thread::spawn(move || {
                for route in routes {
                    let number = registry.find_endpoint(&Method::GET, Some(route)).expect("nothing is ignored");
                    by_number(&registry, number).begin();
                }
            })
        };
        let threads: Vec<_> = (0..3).map(|_| insert(Arc::clone(&registry))).collect();
        for thread in threads {
            thread.join().expect("no panic");
        }
        let mut names: Vec<&str> = registry.endpoints().map(|(_, endpoint)| &*endpoint.route).collect();
        let own = names.iter().filter(|name| name.starts_with('/')).count();
        assert!(own <= 2, "the cap holds: {names:?}");
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), registry.endpoints().count(), "no endpoint is there twice");
        let started: u64 = registry.endpoints().map(|(_, endpoint)| endpoint.started_count()).sum();
        assert_eq!(started, 9, "no request is lost");
    };
    shuttle::check_random(model, SCHEDULES);
    shuttle::check_pct(model, SCHEDULES, 3);
}

fn what_is_recorded_while_it_is_taken_is_taken_once() {
    let model = || {
        let registry = Arc::new(Registry::new(4, Rules::default()));
        let number = registry.find_endpoint(&Method::GET, Some("/a")).expect("nothing is ignored");
        let record = |registry: Arc<Registry>, status: u16| {
            thread::spawn(move || {
                for duration_us in [10, 6_000] {
                    by_number(&registry, number).begin();
                    by_number(&registry, number).end(&record(status, duration_us));
                }
            })
        };
        let threads = [record(Arc::clone(&registry), 200), record(Arc::clone(&registry), 500)];
        let (mut latencies, mut failures, mut sizes, mut allocated) = (0, 0, 0, alloc::AllocationSums::default());
        let (mut requests, mut sum_us, mut bytes) = (0, 0, 0);
        let mut take = || {
            let taken = by_number(&registry, number).take(&mut |of, _, count| match of {
                endpoint::HistogramKind::Latency => latencies += count,
                endpoint::HistogramKind::Failures => failures += count,
                endpoint::HistogramKind::Sizes => sizes += count,
                endpoint::HistogramKind::Usage => {}
            });
            requests += taken.endings.iter().map(endpoint::EndingDelta::requests).sum::<u64>();
            sum_us += taken.endings.iter().map(|ending| ending.duration_sum_us).sum::<u64>();
            bytes += taken.response_bytes;
            allocated = allocated + taken.allocated;
            // What has ended has begun before.
            assert!(requests <= by_number(&registry, number).started_count());
        };
        take();
        take();
        for thread in threads {
            thread.join().expect("no panic");
        }
        take();
        assert_eq!((requests, sum_us, bytes), (4, 12_020, 4));
        assert_eq!((latencies, failures, sizes), (2, 2, 4));
        assert_eq!(allocated, alloc::AllocationSums { bytes: 400, freed_bytes: 160, allocations: 12 });
    };
    shuttle::check_random(model, SCHEDULES);
    shuttle::check_pct(model, SCHEDULES, 3);
}
