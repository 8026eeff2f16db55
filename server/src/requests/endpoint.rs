//! One endpoint's counters: what a request adds to when it ends, in a handful of relaxed atomic adds.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use histogram::{AtomicHistogram, Config};
use http::StatusCode;

/// 2^7 buckets per power of two: a relative error of at most 0.8 %.
const GROUPING_POWER: u8 = 7;
/// Durations up to 2^32 µs, 71 minutes; what takes longer counts as that.
const MAX_VALUE_POWER: u8 = 32;
const LONGEST_US: u64 = (1 << MAX_VALUE_POWER) - 1;

/// The statuses that a response can have: 100 to 999.
const FIRST_STATUS: u16 = 100;
const STATUSES: usize = 900;

/// The layout of every latency histogram.
pub(super) fn histogram_config() -> Config {
    Config::new(GROUPING_POWER, MAX_VALUE_POWER).expect("the constants above are a valid layout")
}

/// What the registry keeps of one method and route.
pub(super) struct Endpoint {
    /// None where the requests of all methods meet.
    pub(super) method: Option<&'static str>,
    pub(super) route: Box<str>,
    in_flight: AtomicU64,
    statuses: Box<[AtomicU64]>,
    /// Ended by the client going away.
    dropped: AtomicU64,
    /// Of these, before there was a status; they count as 499.
    dropped_early: AtomicU64,
    /// Bodies that failed after a status that promised success.
    broken: AtomicU64,
    response_bytes: AtomicU64,
    duration_sum_us: AtomicU64,
    pub(super) latency: AtomicHistogram,
}

/// How a request ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Complete,
    /// The body failed on the way, or the handler panicked.
    Failed,
    Dropped,
}

/// What ended.
pub(super) struct Ended {
    /// None when there was no response yet.
    pub(super) status: Option<StatusCode>,
    pub(super) outcome: Outcome,
    pub(super) duration_us: u64,
    pub(super) response_bytes: u64,
}

/// The status that stands for "the client closed the request before there was one", as nginx writes it.
pub(super) const CLIENT_CLOSED_REQUEST: u16 = 499;

impl Endpoint {
    pub(super) fn new(method: Option<&'static str>, route: &str) -> Self {
        Self {
            method,
            route: route.into(),
            in_flight: AtomicU64::new(0),
            statuses: (0..STATUSES).map(|_| AtomicU64::new(0)).collect(),
            dropped: AtomicU64::new(0),
            dropped_early: AtomicU64::new(0),
            broken: AtomicU64::new(0),
            response_bytes: AtomicU64::new(0),
            duration_sum_us: AtomicU64::new(0),
            latency: AtomicHistogram::with_config(&histogram_config()),
        }
    }

    pub(super) fn name(&self) -> String {
        self.method.map_or_else(|| self.route.to_string(), |method| format!("{method} {}", self.route))
    }

    pub(super) fn begin(&self) {
        self.in_flight.fetch_add(1, Relaxed);
    }

    pub(super) fn end(&self, ended: &Ended) {
        let status = ended.status.map_or(CLIENT_CLOSED_REQUEST, |status| status.as_u16());
        if let Some(count) = self.statuses.get(usize::from(status - FIRST_STATUS)) {
            count.fetch_add(1, Relaxed);
        }
        if ended.outcome == Outcome::Dropped {
            self.dropped.fetch_add(1, Relaxed);
            self.dropped_early.fetch_add(u64::from(ended.status.is_none()), Relaxed);
        } else if ended.outcome == Outcome::Failed && status < 500 {
            self.broken.fetch_add(1, Relaxed);
        }
        self.response_bytes.fetch_add(ended.response_bytes, Relaxed);
        self.duration_sum_us.fetch_add(ended.duration_us, Relaxed);
        // Within the layout by construction, so this cannot fail.
        let _ = self.latency.increment(ended.duration_us.min(LONGEST_US));
        self.in_flight.fetch_sub(1, Relaxed);
    }

    /// Reads every counter once.
    pub(super) fn load(&self) -> Loaded {
        let statuses = self.statuses.iter().zip(FIRST_STATUS..);
        Loaded {
            statuses: statuses
                .map(|(count, status)| (status, count.load(Relaxed)))
                .filter(|(_, count)| *count > 0)
                .collect(),
            in_flight: self.in_flight.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
            dropped_early: self.dropped_early.load(Relaxed),
            broken: self.broken.load(Relaxed),
            response_bytes: self.response_bytes.load(Relaxed),
            duration_sum_us: self.duration_sum_us.load(Relaxed),
        }
    }
}

/// The counters of an endpoint at one moment.
pub(super) struct Loaded {
    /// Each status that occurred, with its count.
    pub(super) statuses: Vec<(u16, u64)>,
    pub(super) in_flight: u64,
    pub(super) dropped: u64,
    dropped_early: u64,
    broken: u64,
    pub(super) response_bytes: u64,
    pub(super) duration_sum_us: u64,
}

impl Loaded {
    pub(super) fn requests(&self) -> u64 {
        self.statuses.iter().map(|(_, count)| count).sum()
    }

    /// 5xx, panics and broken bodies.
    pub(super) fn server_errors(&self) -> u64 {
        self.class(5) + self.broken
    }

    /// 4xx that were sent.
    pub(super) fn client_errors(&self) -> u64 {
        self.class(4).saturating_sub(self.dropped_early)
    }

    fn class(&self, class: u16) -> u64 {
        self.statuses.iter().filter(|(status, _)| status / 100 == class).map(|(_, count)| count).sum()
    }
}
