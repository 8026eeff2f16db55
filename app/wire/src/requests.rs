//! Request metrics, counted by the layer or the proxy.

use serde::{Deserialize, Serialize};

use super::{CapacityUse, Latency, LongLivedKind, RequestDatabase};

/// All requests that ended since the monitor started, and those in flight.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Requests {
    /// Requests that ended, in any way.
    pub total: u64,
    /// Requests that ended in a 5xx status, a panic or a broken body.
    pub server_errors: u64,
    /// Requests that ended in a 4xx status.
    pub client_errors: u64,
    /// Requests whose client left before the end of the response.
    pub dropped: u64,
    /// Requests that have not ended, without open streams.
    pub in_flight: u64,
    /// How many of each kind of long-lived exchanges are open; `None` if that cannot be seen. Only kinds that were opened.
    pub open: Vec<(LongLivedKind, Option<u64>)>,
    /// Bytes of response bodies, before compression outside of the layer.
    pub response_bytes: u64,
    /// Bytes that requests allocated; zero if the program's allocator does not count.
    pub allocated_bytes: u64,
    /// Mean latency of the requests that succeeded; `None` before the first. [`super::EndpointLatency`] says which these are.
    pub latency_mean_us: Option<u64>,
    /// The last minute.
    pub last_minute: RecentRequests,
    /// The last ten seconds.
    pub last_ten_seconds: RecentRequests,
    /// Requests by status code, in ascending order; 499 is a client that left before there was a status.
    pub statuses: Vec<(u16, u64)>,
    /// Endpoints that had a request.
    pub endpoints: u32,
    /// Errors of any kind since the start.
    pub errors_seen: u64,
    /// Caught panics of the monitor or of the host's policy for it. These requests were served and not recorded.
    pub faults: u64,
    /// The bounds of the server around the application; empty if it names none.
    pub capacities: Vec<CapacityUse>,
}

/// The requests that ended in the last seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RecentRequests {
    /// The seconds that this covers: all of them, or fewer while the monitor is younger.
    pub seconds: u64,
    /// Requests that ended.
    pub requests: u64,
    /// Server errors.
    pub server_errors: u64,
    /// Client errors.
    pub client_errors: u64,
    /// The latency of those that succeeded; `None` without such requests.
    pub latency: Option<Latency>,
}

impl RecentRequests {
    /// Requests per second; zero before the first reading.
    pub fn per_second(&self) -> f64 {
        self.requests as f64 / self.seconds.max(1) as f64
    }

    /// Server errors in percent of requests; `None` without requests.
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
    /// 5xx, panics and broken bodies.
    pub server_errors: u64,
    /// 4xx.
    pub client_errors: u64,
    /// Requests that the client left.
    pub dropped: u64,
    /// Bytes of response bodies.
    pub response_bytes: u64,
    /// The sum of their durations.
    pub duration_sum_us: u64,
    /// The latency of those that succeeded; `None` without such requests.
    pub latency: Option<Latency>,
    /// Their allocations; `None` without requests, and if the program's allocator does not count.
    pub memory: Option<RequestMemory>,
    /// Their database commands; `None` if they sent none, or without a command listener.
    pub database: Option<RequestDatabase>,
    /// The window before; `None` unless the history has all of it.
    pub before: Option<WindowBefore>,
}

/// The requests of the window before the page's. It is as long, and begins and ends at whole steps of the history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowBefore {
    /// Its seconds for which there was a reading.
    pub seconds: u64,
    /// Requests that ended.
    pub requests: u64,
    /// 5xx, panics and broken bodies.
    pub server_errors: u64,
    /// The 99th percentile of those that succeeded; `None` without such requests.
    pub latency_p99_us: Option<u64>,
}

impl WindowTotals {
    /// Requests per second; zero before the first reading.
    pub fn per_second(&self) -> f64 {
        self.requests as f64 / self.seconds.max(1) as f64
    }

    /// Server errors in percent of requests; `None` without requests.
    pub fn error_percent(&self) -> Option<f64> {
        (self.requests > 0).then(|| 100.0 * self.server_errors as f64 / self.requests as f64)
    }
}

/// Allocations by requests while they were handled, from the program's counting allocator. This is not the memory that
/// they retain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestMemory {
    /// Requests whose allocations were counted.
    pub requests: u64,
    /// The sum of the bytes that they allocated.
    pub allocated_bytes: u64,
    /// Bytes that were freed while they were handled, by whomever allocated.
    pub freed_bytes: u64,
    /// Calls of the allocator that returned bytes.
    pub allocations: u64,
    /// Half of the requests allocated at most this. This figure and the next two are within 0.8 %.
    pub p50_bytes: u64,
    /// 99 of 100 requests allocated at most this.
    pub p99_bytes: u64,
    /// The most that one request allocated, at most 4 GiB.
    pub max_bytes: u64,
}

/// The time that the upstream of a proxy took for its requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestUpstream {
    /// Requests that it answered.
    pub answered: u64,
    /// The sum of the times from sending a request until its response began.
    pub first_byte_sum_us: u64,
    /// New connections. The other requests used kept connections.
    pub connects: u64,
    /// The sum of the times that it took to open them.
    pub connect_sum_us: u64,
}

impl RequestMemory {
    /// The mean of the bytes that a request allocated.
    pub fn mean_bytes(&self) -> u64 {
        self.allocated_bytes / self.requests.max(1)
    }

    /// The mean of the calls of the allocator by a request.
    pub fn allocations_each(&self) -> f64 {
        self.allocations as f64 / self.requests.max(1) as f64
    }

    /// Bytes that the requests had allocated and not freed when they ended, without their response bodies. Zero if they
    /// freed more, because they freed memory of others.
    pub fn kept_bytes(&self, response_bytes: u64) -> u64 {
        self.allocated_bytes.saturating_sub(self.freed_bytes).saturating_sub(response_bytes)
    }
}
