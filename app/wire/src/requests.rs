//! Request metrics: what passed through the layer.

use serde::{Deserialize, Serialize};

use super::{Latency, RequestDatabase};

/// All requests that ended since the monitor started, and those under way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Requests {
    /// Requests that ended, in whatever way.
    pub total: u64,
    /// Of these, those that ended in a 5xx status, a panic or a broken body.
    pub server_errors: u64,
    /// Of these, those that ended in a 4xx status.
    pub client_errors: u64,
    /// Of these, those whose client went away before the response had ended.
    pub dropped: u64,
    /// Requests that have begun and not ended.
    pub in_flight: u64,
    /// Bytes of response bodies, before any compression outside the layer.
    pub response_bytes: u64,
    /// Bytes that requests allocated; zero where the program's allocator does not count.
    pub allocated_bytes: u64,
    /// Mean time from the request's arrival to the end of its body; none before the first request.
    pub duration_mean_us: Option<u64>,
    /// The last minute alone.
    pub last_minute: RecentRequests,
    /// Requests by status code, in the order of the codes; 499 stands for a client that went away before there was a status.
    pub statuses: Vec<(u16, u64)>,
    /// Endpoints that have been asked for.
    pub endpoints: u32,
    /// Errors of any kind since the start.
    pub errors_seen: u64,
    /// Panics in the monitor's own code, or in the host's policy for it, that were kept from requests: these went unrecorded.
    pub faults: u64,
}

/// The requests that ended in the last 60 seconds (fewer while the monitor is younger).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RecentRequests {
    /// How many seconds this speaks of: up to 60.
    pub seconds: u64,
    /// Requests that ended.
    pub requests: u64,
    /// Of these, server errors.
    pub server_errors: u64,
    /// Of these, client errors.
    pub client_errors: u64,
    /// Their latency; none without requests.
    pub latency: Option<Latency>,
}

impl RecentRequests {
    /// Server errors as a percentage of requests; none without requests.
    pub fn error_percent(&self) -> Option<f64> {
        (self.requests > 0).then(|| 100.0 * self.server_errors as f64 / self.requests as f64)
    }
}

/// The requests that ended within the page's window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WindowTotals {
    /// Seconds of the window for which there was a reading.
    pub seconds: u64,
    /// Requests that ended.
    pub requests: u64,
    /// Of these, 5xx, panics and broken bodies.
    pub server_errors: u64,
    /// Of these, 4xx.
    pub client_errors: u64,
    /// Of these, left by the client.
    pub dropped: u64,
    /// Bytes of response bodies.
    pub response_bytes: u64,
    /// Time taken by all of them together.
    pub duration_sum_us: u64,
    /// Their latency; none without requests.
    pub latency: Option<Latency>,
    /// What they allocated; none without requests, and where the program's allocator does not count.
    pub memory: Option<RequestMemory>,
    /// What they asked of the database; none where they asked nothing, or its client is not listened to.
    pub database: Option<RequestDatabase>,
}

impl WindowTotals {
    /// Requests per second; zero before there was a reading.
    pub fn per_second(&self) -> f64 {
        self.requests as f64 / self.seconds.max(1) as f64
    }

    /// Server errors as a percentage of requests; none without requests.
    pub fn error_percent(&self) -> Option<f64> {
        (self.requests > 0).then(|| 100.0 * self.server_errors as f64 / self.requests as f64)
    }
}

/// What requests allocated while they were handled, whatever became of it later: not what they retain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestMemory {
    /// Requests of which it is known.
    pub requests: u64,
    /// Bytes allocated by all of them together.
    pub allocated_bytes: u64,
    /// Bytes freed while they were handled, whoever had allocated them.
    pub freed_bytes: u64,
    /// Calls of the allocator that brought bytes.
    pub allocations: u64,
    /// Half of the requests allocated at most this; within 0.8 %, as all that follows.
    pub p50_bytes: u64,
    /// 99 of 100 allocated at most this.
    pub p99_bytes: u64,
    /// What the largest one allocated; from 4 GiB on, 4 GiB.
    pub max_bytes: u64,
}

/// What the upstream of a proxy took for its requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestUpstream {
    /// Requests that it answered.
    pub answered: u64,
    /// From asking it until its response began, of all of them together.
    pub first_byte_sum_us: u64,
    /// Connections that were made for them; the others used one that was there.
    pub connects: u64,
    /// The making of these, together.
    pub connect_sum_us: u64,
}

impl RequestMemory {
    /// Bytes allocated by a request, the mean of all.
    pub fn mean_bytes(&self) -> u64 {
        self.allocated_bytes / self.requests.max(1)
    }

    /// Calls of the allocator by a request, the mean of all.
    pub fn allocations_each(&self) -> f64 {
        self.allocations as f64 / self.requests.max(1) as f64
    }

    /// Bytes that all requests had not freed when they ended, but for the bodies that were on their way; none where they freed more,
    /// of what others had allocated.
    pub fn kept_bytes(&self, response_bytes: u64) -> u64 {
        self.allocated_bytes.saturating_sub(self.freed_bytes).saturating_sub(response_bytes)
    }
}
