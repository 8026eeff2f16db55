//! Request metrics: what passed through the layer.

use serde::{Deserialize, Serialize};

/// All requests that ended since the monitor started, and those under way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Requests {
    /// Requests that ended, in whatever way.
    pub total: u64,
    /// Of these, those that ended in a 5xx status or a panic.
    pub server_errors: u64,
    /// Of these, those that ended in a 4xx status.
    pub client_errors: u64,
    /// Of these, those whose client went away before the response had ended.
    pub dropped: u64,
    /// Requests that have begun and not ended.
    pub in_flight: u64,
    /// Bytes of response bodies, before any compression outside the layer.
    pub response_bytes: u64,
    /// Mean time from the request's arrival to the end of its body; none before the first request.
    pub duration_mean_us: Option<u64>,
    /// The last minute alone.
    pub last_minute: RecentRequests,
    /// Requests by status code, in the order of the codes; 499 stands for a client that went away before there was a status.
    pub statuses: Vec<(u16, u64)>,
    /// A row per method and route template, the most time taken first.
    pub endpoints: Vec<Endpoint>,
    /// The last errors, newest first; at most 100.
    pub errors: Vec<ErrorEvent>,
    /// Errors since the start, including those that have left `errors`.
    pub errors_seen: u64,
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
    /// Requests per second; zero for a monitor that has not ticked yet.
    pub fn per_second(&self) -> f64 {
        self.requests as f64 / self.seconds.max(1) as f64
    }

    /// Server errors as a percentage of requests; none without requests.
    pub fn error_percent(&self) -> Option<f64> {
        (self.requests > 0).then(|| 100.0 * self.server_errors as f64 / self.requests as f64)
    }
}

/// How long requests took, from a histogram with a relative error of at most 0.8 %; the maximum is of the same grain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// Half of the requests were at most this slow.
    pub p50_us: u64,
    /// 95 of a hundred were at most this slow.
    pub p95_us: u64,
    /// 99 of a hundred were at most this slow.
    pub p99_us: u64,
    /// The slowest.
    pub max_us: u64,
}

/// One method on one route template, since the monitor started.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The method by its name; `_OTHER` for those that HTTP does not define, none where rows of all methods meet.
    pub method: Option<String>,
    /// The route template, `/users/{id}`; `(unmatched)` where no route matched, `(other)` past the cap on endpoints.
    pub route: String,
    /// Requests that ended.
    pub requests: u64,
    /// Of these, 5xx and panics.
    pub server_errors: u64,
    /// Of these, 4xx.
    pub client_errors: u64,
    /// Of these, left by the client.
    pub dropped: u64,
    /// Requests under way.
    pub in_flight: u64,
    /// Bytes of response bodies.
    pub response_bytes: u64,
    /// Time taken by all of them together.
    pub duration_sum_us: u64,
    /// Their latency; none before the first has ended.
    pub latency: Option<Latency>,
}

impl Endpoint {
    /// `GET /users/{id}`, as `/health` and the page name it.
    pub fn name(&self) -> String {
        match &self.method {
            Some(method) => format!("{method} {}", self.route),
            None => self.route.clone(),
        }
    }

    /// Mean duration; none before the first request has ended.
    pub fn mean_us(&self) -> Option<u64> {
        self.duration_sum_us.checked_div(self.requests)
    }
}

/// In what way a request went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// A 4xx status.
    Client,
    /// A 5xx status, or a body that failed on the way.
    Server,
    /// The handler panicked; the client got a 500.
    Panic,
    /// The client went away before the response had ended.
    Dropped,
}

impl ErrorKind {
    /// The word of the page.
    pub fn word(self) -> &'static str {
        match self {
            Self::Client => "client error",
            Self::Server => "server error",
            Self::Panic => "panic",
            Self::Dropped => "dropped by client",
        }
    }
}

/// One request that went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorEvent {
    /// When the request ended.
    pub at_unix_ms: u64,
    /// [`Endpoint::name`] of its endpoint.
    pub endpoint: String,
    /// The status sent, or 499 when the client went away before there was one.
    pub status: u16,
    /// In what way it went wrong.
    pub kind: ErrorKind,
    /// What the response's text or the panic said, cut to 200 characters; none where neither said anything.
    pub message: Option<String>,
    /// How long it took.
    pub duration_us: u64,
}
