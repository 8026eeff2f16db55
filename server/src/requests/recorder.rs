//! What all clones of the layer share: the endpoints, the reports, and the host's policy.

use std::{
    borrow::Cow,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Instant,
};

use http::{HeaderMap, Method, Uri};
use watchboard_wire::NameSource;

use super::{
    endpoint::{Ended, Ending, Endpoint, Outcome},
    naming::{Name, Routes},
    registry::{MAX_ENDPOINTS, Registry, known},
    reports::Reports,
    rules::Rules,
};
use crate::alloc::{Allocated, is_counting};

/// A request as the host's policy sees it, before it is handled.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// Its method.
    pub method: &'a Method,
    /// Its URI, with the path as the client wrote it.
    pub uri: &'a Uri,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// The template of the route that matched: `/users/{id}`; none where none did.
    pub route: Option<&'a str>,
}

/// Where a request counts.
pub(super) struct Row {
    pub(super) number: u32,
    pub(super) endpoint: &'static Endpoint,
    /// Its path is new: it has not begun, and begins in the row that it is found to be of when it has been answered.
    pub(super) newcomer: Option<Box<Newcomer>>,
}

/// A request whose path is like none before.
pub(super) struct Newcomer {
    method: Method,
    template: String,
}

type Ignore = Box<dyn Fn(&Incoming<'_>) -> bool + Send + Sync>;
type Group = Box<dyn Fn(&Incoming<'_>) -> Option<Cow<'static, str>> + Send + Sync>;

/// What the host decides of requests.
pub(crate) struct Policy {
    pub(crate) rules: Rules,
    pub(crate) max_endpoints: usize,
    pub(crate) ignore: Option<Ignore>,
    pub(crate) group: Option<Group>,
    pub(crate) server_timing: bool,
    /// Of those that no route of axum's matched.
    pub(crate) routes: Option<Routes>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            rules: Rules::default(),
            max_endpoints: MAX_ENDPOINTS,
            ignore: None,
            group: None,
            server_timing: false,
            routes: None,
        }
    }
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Policy").field("rules", &self.rules).finish_non_exhaustive()
    }
}

pub(crate) struct Recorder {
    pub(super) registry: Registry,
    pub(super) reports: Reports,
    ignore: Option<Ignore>,
    group: Option<Group>,
    pub(super) server_timing: bool,
    routes: Option<Routes>,
    faults: AtomicU64,
}

impl Recorder {
    /// Lives as long as the process, with its endpoints, for each monitor ever built: layers and requests hold plain
    /// references, since a count of them would be one cache line that all cores write for every request.
    pub(crate) fn new(policy: Policy) -> &'static Self {
        Box::leak(Box::new(Self {
            registry: Registry::new(policy.max_endpoints, policy.rules),
            reports: Reports::new(),
            ignore: policy.ignore,
            group: policy.group,
            server_timing: policy.server_timing,
            routes: policy.routes,
            faults: AtomicU64::new(0),
        }))
    }

    /// The row that a request counts in, where it has begun; none where the host ignores it.
    pub(super) fn begin(&'static self, incoming: &Incoming<'_>) -> Option<Row> {
        let (number, template) = self.endpoint(incoming)?;
        let endpoint = self.registry.numbered(number)?;
        let newcomer = template.map(|template| Box::new(Newcomer { method: incoming.method.clone(), template }));
        if newcomer.is_none() {
            endpoint.begin();
        }
        Some(Row { number, endpoint, newcomer })
    }

    /// The row of a request whose path was new, now that it has been answered.
    pub(super) fn learn(&'static self, newcomer: &Newcomer) -> Option<(u32, &'static Endpoint)> {
        let template = self.routes.as_ref()?.learn(&newcomer.template)?;
        let number = self.registry.find(&newcomer.method, Some(&template))?;
        Some((number, self.registry.numbered(number)?))
    }

    /// Which rule named a row.
    pub(super) fn rule(&self, template: &str) -> NameSource {
        let named = self.routes.as_ref().and_then(|routes| routes.rule(template));
        named.unwrap_or_default()
    }

    /// The number of an endpoint, and the template of a path that is new.
    fn endpoint(&self, incoming: &Incoming<'_>) -> Option<(u32, Option<String>)> {
        if self.ignore.as_ref().is_some_and(|ignores| ignores(incoming)) {
            return None;
        }
        let find = |route: Option<&str>| Some((self.registry.find(incoming.method, route)?, None));
        if let Some(row) = self.group.as_ref().and_then(|group| group(incoming)) {
            return find(Some(&row));
        }
        let Some(routes) = self.routes.as_ref().filter(|_| incoming.route.is_none()) else {
            return find(incoming.route);
        };
        routes.name(incoming.uri.path(), |name| match name {
            None => find(None),
            Some(Name::Known(template)) => find(Some(template)),
            Some(Name::TooMany) => Some((self.registry.past_the_cap(known(incoming.method)), None)),
            // What the host has said of a route holds for it from the first request on.
            Some(Name::New(template)) if self.registry.has_rule(&template) => find(Some(&template)),
            Some(Name::New(template)) => Some((self.registry.find(incoming.method, None)?, Some(template))),
        })
    }

    /// Runs work of our own beside a request: if it panics, the request goes on unrecorded, and that is counted.
    pub(super) fn shielded<T>(&self, work: impl FnOnce() -> T) -> Option<T> {
        let done = unharmed(work);
        if done.is_none() {
            self.count_fault();
        }
        done
    }

    pub(super) fn count_fault(&self) {
        self.faults.fetch_add(1, Relaxed);
    }

    /// A request that went well.
    #[cfg(test)]
    pub(crate) fn record_for_tests(&self, route: &str, duration_us: u64) {
        let number = self.registry.find(&Method::GET, Some(route)).expect("nothing is ignored");
        let endpoint = self.registry.numbered(number).expect("it is there");
        endpoint.begin();
        let ending = Ending { status: 200, outcome: Outcome::Complete };
        endpoint.end(&Ended {
            ending,
            duration_us,
            response_bytes: 1_000,
            allocated: None,
            usage: None,
            passed_on: None,
        });
    }

    /// Panics of our own code, or of the host's policy, that were kept from requests.
    pub(crate) fn faults(&self) -> u64 {
        self.faults.load(Relaxed)
    }
}

/// How long it takes to record one request here, in nanoseconds: to find its endpoint, to read the clock, and to count. Without what
/// axum takes for a layer. The best of some rounds, since the others were disturbed.
pub(crate) fn nanoseconds_to_record() -> u64 {
    const ROUNDS: u32 = 8;
    const REQUESTS: u32 = 250;
    let registry = Registry::new(1, Rules::default());
    let record = || {
        let started = Instant::now();
        let endpoint = registry.find(&Method::GET, Some("/measured")).and_then(|number| registry.numbered(number))?;
        endpoint.begin();
        let duration_us = started.elapsed().as_micros() as u64;
        let ending = Ending { status: 200, outcome: Outcome::Complete };
        let allocated = is_counting().then(Allocated::default);
        endpoint.end(&Ended { ending, duration_us, response_bytes: 1, allocated, usage: None, passed_on: None });
        Some(())
    };
    let round = || {
        let started = Instant::now();
        (0..REQUESTS).for_each(|_| _ = record());
        started.elapsed().as_nanos() as u64 / u64::from(REQUESTS)
    };
    (0..ROUNDS).map(|_| round()).min().unwrap_or(0)
}

/// The result of work; none if it panicked.
pub(super) fn unharmed<T>(work: impl FnOnce() -> T) -> Option<T> {
    let done = catch_unwind(AssertUnwindSafe(|| {
        #[cfg(test)]
        injected::panic_if_asked();
        work()
    }));
    done.ok()
}

/// A panic in our own code, for tests.
#[cfg(test)]
pub(super) mod injected {
    use std::cell::Cell;

    thread_local! {
        /// The shielded piece of work that panics, counted from the next on.
        pub(crate) static IN: Cell<Option<u32>> = const { Cell::new(None) };
    }

    pub(super) fn panic_if_asked() {
        match IN.take() {
            Some(0) => panic!("injected"),
            Some(more) => IN.set(Some(more - 1)),
            None => {}
        }
    }
}
