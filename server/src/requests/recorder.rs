//! The recorder that all clones of the layer share: the endpoints, the queues of reports, and the host's policy.

use std::{
    borrow::Cow,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Instant,
};

use http::{HeaderMap, Method, Uri};
use watchboard_wire::NameSource;

use super::{
    capacity::Capacity,
    ending::{Ending, Outcome},
    endpoint::{Endpoint, RequestRecord},
    grpc,
    methods::method_index,
    naming::{RouteName, Routes, is_held_route},
    registry::{DEFAULT_MAX_ENDPOINTS, Registry},
    reports::ReportQueues,
    rules::Rules,
    upstream_failures::UpstreamFailures,
};
use crate::alloc::{AllocationSums, is_counting};

/// A request before the handler runs, as [`Builder::ignore_if`](crate::Builder::ignore_if) and
/// [`Builder::group_by`](crate::Builder::group_by) see it.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    method: &'a Method,
    uri: &'a Uri,
    headers: &'a HeaderMap,
    route: Option<&'a str>,
}

impl<'a> Incoming<'a> {
    pub(super) fn new(method: &'a Method, uri: &'a Uri, headers: &'a HeaderMap, route: Option<&'a str>) -> Self {
        Self { method, uri, headers, route }
    }

    /// The request's method.
    #[must_use]
    pub fn method(&self) -> &'a Method {
        self.method
    }

    /// The request's URI, with the path as the client wrote it.
    #[must_use]
    pub fn uri(&self) -> &'a Uri {
        self.uri
    }

    /// The request's headers.
    #[must_use]
    pub fn headers(&self) -> &'a HeaderMap {
        self.headers
    }

    /// The template of the route that matched, such as `/users/{id}`; `None` if no route matched.
    #[must_use]
    pub fn route(&self) -> Option<&'a str> {
        self.route
    }
}

/// The row that a request counts in.
pub(super) struct RequestRow {
    pub(super) number: u32,
    pub(super) endpoint: &'static Endpoint,
    /// The request's path is new. It begins in a row when there is a response, which shows whether the path exists.
    pub(super) new_path: Option<Box<NewPath>>,
    /// Whether the request has begun in the row. Without a route it begins when there is a response: an inner layer may know the route.
    pub(super) has_begun: bool,
}

/// A path whose template has no row yet.
pub(super) struct NewPath {
    method: Method,
    template: String,
    /// Whether it names a call of gRPC.
    pub(super) is_call: bool,
}

type IgnoreRequest = Box<dyn Fn(&Incoming<'_>) -> bool + Send + Sync>;
type NameRow = Box<dyn Fn(&Incoming<'_>) -> Option<Cow<'static, str>> + Send + Sync>;

/// The host's policy for requests.
pub(crate) struct Policy {
    pub(crate) rules: Rules,
    pub(crate) max_endpoints: usize,
    pub(crate) ignore: Option<IgnoreRequest>,
    pub(crate) group: Option<NameRow>,
    pub(crate) server_timing: bool,
    /// Whether a panic goes on after it was recorded.
    pub(crate) resume_panics: bool,
    /// Whether errors' texts are kept as they were.
    pub(crate) keep_error_text: bool,
    /// Names requests that no route of axum's matched.
    pub(crate) routes: Option<Routes>,
    pub(crate) capacities: Vec<Capacity>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            rules: Rules::default(),
            max_endpoints: DEFAULT_MAX_ENDPOINTS,
            ignore: None,
            group: None,
            server_timing: false,
            resume_panics: false,
            keep_error_text: false,
            routes: None,
            capacities: vec![],
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
    pub(super) reports: ReportQueues,
    ignore: Option<IgnoreRequest>,
    group: Option<NameRow>,
    pub(super) server_timing: bool,
    pub(super) resume_panics: bool,
    pub(super) keep_error_text: bool,
    routes: Option<Routes>,
    pub(super) capacities: Vec<Capacity>,
    faults: AtomicU64,
    pub(super) upstream_failures: UpstreamFailures,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("faults", &self.faults).finish_non_exhaustive()
    }
}

impl Recorder {
    /// Leaks one recorder for each monitor ever built. Layers and requests hold plain references to it: a reference count would be
    /// one cache line that all cores write for every request.
    pub(crate) fn new(policy: Policy) -> &'static Self {
        Box::leak(Box::new(Self {
            registry: Registry::new(policy.max_endpoints, policy.rules),
            reports: ReportQueues::new(),
            ignore: policy.ignore,
            group: policy.group,
            server_timing: policy.server_timing,
            resume_panics: policy.resume_panics,
            keep_error_text: policy.keep_error_text,
            routes: policy.routes,
            capacities: policy.capacities,
            faults: AtomicU64::new(0),
            upstream_failures: UpstreamFailures::new(),
        }))
    }

    /// Begins a request in its row; `None` if the host ignores it.
    pub(super) fn begin(&'static self, incoming: &Incoming<'_>) -> Option<RequestRow> {
        let (number, template) = self.endpoint(incoming)?;
        let endpoint = self.registry.by_number(number)?;
        let new_path = template.map(|template| {
            let is_call = grpc::is_call(incoming.method, incoming.uri.path(), incoming.headers);
            Box::new(NewPath { method: incoming.method.clone(), template, is_call })
        });
        let has_begun = new_path.is_none() && incoming.route.is_some();
        if has_begun {
            endpoint.begin();
        }
        Some(RequestRow { number, endpoint, new_path, has_begun })
    }

    /// The number of the row that a route has; `None` without a route, and if the host ignores the request.
    pub(super) fn route_row(&'static self, incoming: &Incoming<'_>) -> Option<u32> {
        incoming.route?;
        Some(self.endpoint(incoming)?.0)
    }

    /// The row of a path that was new, now that its response shows that it exists.
    pub(super) fn learn(&'static self, new_path: &NewPath) -> Option<(u32, &'static Endpoint)> {
        let routes = self.routes.as_ref()?;
        let template =
            if new_path.is_call { routes.learn_call(&new_path.template) } else { routes.learn(&new_path.template) }?;
        let number = self.registry.find_endpoint(&new_path.method, Some(&template))?;
        Some((number, self.registry.by_number(number)?))
    }

    /// The rule that made a row's template.
    pub(super) fn rule(&self, template: &str) -> NameSource {
        let named = self.routes.as_ref().and_then(|routes| routes.rule(template));
        named.unwrap_or_default()
    }

    /// Forgets what the names of paths are based on and what has stopped to hold. Returns a number that changes whenever rows were merged or
    /// split by that.
    pub(super) fn forget_routes(&self, now: Instant) -> u64 {
        self.routes.as_ref().map_or(0, |routes| {
            routes.forget(now);
            routes.version()
        })
    }

    /// The declared templates that no request has matched.
    pub(crate) fn unmatched_routes(&self) -> Vec<String> {
        self.routes.as_ref().map(Routes::unmatched).unwrap_or_default()
    }

    /// The number of the row that an endpoint's requests count in by now, if its own was given up, or holds them until they have a name.
    pub(super) fn merged_row(&self, endpoint: &Endpoint) -> Option<u32> {
        let routes = self.routes.as_ref()?;
        let is_held = is_held_route(&endpoint.route);
        let template = if is_held { routes.held_template(&endpoint.route) } else { routes.merged(&endpoint.route) };
        let row = template.and_then(|template| self.registry.find_endpoint_of(endpoint.method?, &template));
        row.or_else(|| is_held.then(|| self.registry.unmatched_row()))
    }

    /// The number of a request's row, and the template of its path if that is new.
    fn endpoint(&self, incoming: &Incoming<'_>) -> Option<(u32, Option<String>)> {
        if self.ignore.as_ref().is_some_and(|ignores| ignores(incoming)) {
            return None;
        }
        let find = |route: Option<&str>| Some((self.registry.find_endpoint(incoming.method, route)?, None));
        if let Some(row) = self.group.as_ref().and_then(|group| group(incoming)) {
            return find(Some(&row));
        }
        let Some(routes) = self.routes.as_ref().filter(|_| incoming.route.is_none()) else {
            return find(incoming.route);
        };
        let row = |name: Option<RouteName<'_>>| match name {
            None => find(None),
            Some(RouteName::Known(template)) => find(Some(template)),
            Some(RouteName::TooMany) => Some((self.registry.overflow_row(method_index(incoming.method)), None)),
            Some(RouteName::Candidate(template, name)) => {
                Some((self.registry.find_endpoint(incoming.method, Some(template))?, Some(name)))
            }
            // The host's rules for a route hold from its first request on.
            Some(RouteName::New(template)) if self.registry.has_rule(&template) => find(Some(&template)),
            Some(RouteName::New(template)) => {
                Some((self.registry.find_endpoint(incoming.method, None)?, Some(template)))
            }
        };
        let path = incoming.uri.path();
        if grpc::is_call(incoming.method, path, incoming.headers) {
            routes.name_call(path, row)
        } else {
            routes.name(path, row)
        }
    }

    /// Runs our own work beside a request. If it panics, the request goes on unrecorded, and the fault is counted.
    pub(super) fn catch_panic<T>(&self, work: impl FnOnce() -> T) -> Option<T> {
        let done = catch_panic(work);
        if done.is_none() {
            self.count_fault();
        }
        done
    }

    pub(super) fn count_fault(&self) {
        self.faults.fetch_add(1, Relaxed);
    }

    /// Panics of our own code, or of the host's policy, that did not reach a request.
    pub(crate) fn faults(&self) -> u64 {
        self.faults.load(Relaxed)
    }
}

/// Measures the time to record one request, in nanoseconds: to find its endpoint, to read the clock, and to count, without axum's
/// own cost of a layer. Returns the fastest of some rounds, since other work disturbs the others.
pub(crate) fn nanoseconds_to_record() -> u64 {
    const ROUNDS: u32 = 8;
    const REQUESTS: u32 = 250;
    let registry = Registry::new(1, Rules::default());
    let record = || {
        let started = Instant::now();
        let endpoint =
            registry.find_endpoint(&Method::GET, Some("/measured")).and_then(|number| registry.by_number(number))?;
        endpoint.begin();
        let duration_us = started.elapsed().as_micros() as u64;
        let ending = Ending { status: 200, outcome: Outcome::Complete };
        let allocated = is_counting().then(AllocationSums::default);
        endpoint.end(&RequestRecord {
            ending,
            duration_us,
            is_timed: true,
            response_bytes: 1,
            allocated,
            usage: None,
            upstream: None,
        });
        Some(())
    };
    let round = || {
        let started = Instant::now();
        (0..REQUESTS).for_each(|_| _ = record());
        started.elapsed().as_nanos() as u64 / u64::from(REQUESTS)
    };
    (0..ROUNDS).map(|_| round()).min().unwrap_or(0)
}

/// The result of `work`; `None` if it panics.
pub(super) fn catch_panic<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}

/// Records a request that went well.
#[cfg(any(test, feature = "measures"))]
pub(crate) fn record(recorder: &Recorder, route: &str, duration_us: u64) {
    let number = recorder.registry.find_endpoint(&Method::GET, Some(route)).expect("no rule ignores it");
    let endpoint = recorder.registry.by_number(number).expect("it is there");
    endpoint.begin();
    endpoint.end(&RequestRecord {
        ending: Ending { status: 200, outcome: Outcome::Complete },
        duration_us,
        is_timed: true,
        response_bytes: 1_000,
        allocated: None,
        usage: None,
        upstream: None,
    });
}
