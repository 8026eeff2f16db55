//! Once a second the counters are read into the page's terms, and into what happened since the second before.

use std::{collections::BTreeMap, sync::Arc};

use histogram::{Histogram, SparseHistogram};
use watchboard_app::wire::{Endpoint, Latency, RecentRequests, Requests};

use super::{Registry, endpoint::histogram_config, errors::RecentErrors};

/// What ended between two freezes.
#[derive(Clone)]
pub(crate) struct Interval {
    pub(crate) requests: u64,
    pub(crate) server_errors: u64,
    pub(crate) client_errors: u64,
    pub(crate) latency: SparseHistogram,
}

impl Interval {
    /// Several intervals as one.
    pub(crate) fn merge<'a>(intervals: impl Iterator<Item = &'a Self>) -> Self {
        let none = Self {
            requests: 0,
            server_errors: 0,
            client_errors: 0,
            latency: SparseHistogram::with_config(&histogram_config()),
        };
        intervals.fold(none, |sum, one| Self {
            requests: sum.requests + one.requests,
            server_errors: sum.server_errors + one.server_errors,
            client_errors: sum.client_errors + one.client_errors,
            latency: sum.latency.wrapping_add(&one.latency).expect("all histograms have one layout"),
        })
    }

    /// The interval as the page's recent requests, over `seconds`.
    pub(crate) fn recent(&self, seconds: u64) -> RecentRequests {
        RecentRequests {
            seconds,
            requests: self.requests,
            server_errors: self.server_errors,
            client_errors: self.client_errors,
            latency: latency(&self.latency),
        }
    }
}

/// The percentiles of a histogram; none of an empty one.
pub(crate) fn latency(histogram: &SparseHistogram) -> Option<Latency> {
    let result = histogram.quantiles(&[0.5, 0.95, 0.99, 1.0]).ok().flatten()?;
    let buckets: Vec<_> = result.entries().values().collect();
    let [p50, p95, p99, max] = buckets[..] else { return None };
    let middle = |bucket: &histogram::Bucket| bucket.start().midpoint(bucket.end());
    Some(Latency { p50_us: middle(p50), p95_us: middle(p95), p99_us: middle(p99), max_us: max.end() })
}

/// Reads the registry; keeps what the reading before had.
pub(crate) struct Freezer {
    registry: Arc<Registry>,
    errors: RecentErrors,
    before: Totals,
}

#[derive(Clone)]
struct Totals {
    requests: u64,
    server_errors: u64,
    client_errors: u64,
    latency: Histogram,
}

impl Totals {
    fn zero() -> Self {
        Self { requests: 0, server_errors: 0, client_errors: 0, latency: Histogram::with_config(&histogram_config()) }
    }
}

impl Freezer {
    pub(crate) fn new(registry: Arc<Registry>) -> Self {
        Self { registry, errors: RecentErrors::default(), before: Totals::zero() }
    }

    /// All requests so far, but for their last minute, and those since the freeze before.
    pub(crate) fn freeze(&mut self) -> (Requests, Interval) {
        let mut requests = Requests::default();
        let mut now = Totals::zero();
        let mut duration_sum_us = 0;
        let mut statuses = BTreeMap::new();
        for endpoint in self.registry.endpoints() {
            let loaded = endpoint.load();
            requests.in_flight += loaded.in_flight;
            let count = loaded.requests();
            if count == 0 && loaded.in_flight == 0 {
                continue;
            }
            let latency_histogram = endpoint.latency.load();
            now.latency = now.latency.wrapping_add(&latency_histogram).expect("all histograms have one layout");
            now.requests += count;
            now.server_errors += loaded.server_errors();
            now.client_errors += loaded.client_errors();
            duration_sum_us += loaded.duration_sum_us;
            requests.dropped += loaded.dropped;
            requests.response_bytes += loaded.response_bytes;
            for (status, count) in &loaded.statuses {
                *statuses.entry(*status).or_default() += count;
            }
            requests.endpoints.push(Endpoint {
                method: endpoint.method.map(ToOwned::to_owned),
                route: endpoint.route.to_string(),
                requests: count,
                server_errors: loaded.server_errors(),
                client_errors: loaded.client_errors(),
                dropped: loaded.dropped,
                in_flight: loaded.in_flight,
                response_bytes: loaded.response_bytes,
                duration_sum_us: loaded.duration_sum_us,
                latency: latency(&SparseHistogram::from(&latency_histogram)),
            });
        }
        requests
            .endpoints
            .sort_by(|a, b| b.duration_sum_us.cmp(&a.duration_sum_us).then_with(|| a.name().cmp(&b.name())));
        self.errors.drain(&self.registry.errors);
        requests.errors = self.errors.newest_first();
        requests.errors_seen = self.errors.seen;
        requests.statuses = statuses.into_iter().collect();
        requests.total = now.requests;
        requests.server_errors = now.server_errors;
        requests.client_errors = now.client_errors;
        requests.duration_mean_us = duration_sum_us.checked_div(now.requests);
        (requests, self.since(now))
    }

    fn since(&mut self, now: Totals) -> Interval {
        let latency = now.latency.wrapping_sub(&self.before.latency).expect("all histograms have one layout");
        let interval = Interval {
            requests: now.requests - self.before.requests,
            server_errors: now.server_errors - self.before.server_errors,
            client_errors: now.client_errors.saturating_sub(self.before.client_errors),
            latency: SparseHistogram::from(&latency),
        };
        self.before = now;
        interval
    }
}
