//! Endpoints, each a method and a route template: as rows of a table, in detail, and as totals since the start.

use serde::{Deserialize, Serialize};

use super::{
    Band, EndpointCommand, EndpointLatency, LongLivedTotals, RecentRequests, RequestDatabase, RequestMemory,
    RequestUpstream, SlowRequest, Timeline, columns,
};

/// The name of an endpoint, and its latency objective.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointName {
    /// The method; `_OTHER` for a method that HTTP does not define; `None` for a row of all methods.
    pub method: Option<String>,
    /// The route template, `/users/{id}`; `(unmatched)` if no route matched; `(other)` past the maximum of endpoints.
    pub route: String,
    /// The objective: requests should take at most this.
    pub objective_us: u64,
    /// The source of this name.
    pub named_by: NameSource,
}

/// The source of the name of an endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum NameSource {
    /// axum's router, the host's grouping, or the monitor itself: `(unmatched)`, `(other)`.
    #[default]
    Router,
    /// A template in the configuration.
    Declared,
    /// The application's OpenAPI document.
    OpenApi,
    /// Inference from the paths of requests.
    Inferred,
}

impl NameSource {
    /// The source in words; `None` for the router, which needs no mention.
    pub fn words(self) -> Option<&'static str> {
        match self {
            Self::Router => None,
            Self::Declared => Some("a given template"),
            Self::OpenApi => Some("the OpenAPI document"),
            Self::Inferred => Some("the looks of its paths"),
        }
    }
}

impl EndpointName {
    /// The name in `/health` and on the page: `GET /users/{id}`.
    pub fn text(&self) -> String {
        endpoint_text(self.method.as_deref(), &self.route)
    }
}

fn endpoint_text(method: Option<&str>, route: &str) -> String {
    method.map_or_else(|| route.to_owned(), |method| format!("{method} {route}"))
}

/// One endpoint in a window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EndpointRow {
    /// Its number in this run of the monitor.
    pub id: u32,
    /// Its name; `None` if the page has it already.
    pub name: Option<EndpointName>,
    /// Requests that ended.
    pub requests: u64,
    /// 5xx, panics and broken bodies.
    pub server_errors: u64,
    /// 4xx.
    pub client_errors: u64,
    /// Requests that the client left.
    pub dropped: u64,
    /// Requests in flight now, without open streams.
    pub in_flight: u64,
    /// WebSockets, other upgraded connections and streams that are open now.
    pub open: u64,
    /// Bytes of response bodies.
    pub response_bytes: u64,
    /// The sum of their durations.
    pub duration_sum_us: u64,
    /// Their latency.
    pub latency: EndpointLatency,
    /// Their allocations; `None` if the program's allocator does not count.
    pub memory: Option<RequestMemory>,
    /// Their database commands; `None` if they sent none, or without a command listener.
    pub database: Option<RequestDatabase>,
    /// The time of their upstream; `None` without a proxy.
    pub upstream: Option<RequestUpstream>,
    /// Requests that the objective judges: those with a latency, whether they succeeded or failed.
    pub judged: u64,
    /// Requests that succeeded in at most [`EndpointName::objective_us`].
    pub within_objective: u64,
    /// The number of the last point of `line`. Each point is [`super::Window::points_per_line_point`] points of a
    /// chart.
    pub line_last: u64,
    /// Requests over time. A page that has the row gets the newer points only.
    pub line: Vec<u64>,
}

impl EndpointRow {
    /// Adds the name and the older points of an earlier state of this row. The line keeps its `most` newest points.
    pub fn extend(&mut self, known: Self, most: usize) {
        self.name = self.name.take().or(known.name);
        let first = (self.line_last + 1).saturating_sub(self.line.len() as u64);
        let known_first = (known.line_last + 1).saturating_sub(known.line.len() as u64);
        let kept = usize::try_from(first.saturating_sub(known_first)).unwrap_or(usize::MAX);
        let mut line = known.line;
        line.resize(kept.min(line.len() + 2 * most), 0);
        line.append(&mut self.line);
        line.drain(..line.len().saturating_sub(most));
        self.line = line;
    }

    /// Requests that succeeded within the objective, in percent of all that it judges; `None` without such requests.
    pub fn within_percent(&self) -> Option<f64> {
        (self.judged > 0).then(|| 100.0 * self.within_objective as f64 / self.judged as f64)
    }
}

/// The latency of an endpoint over the window, in points of its small line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointStrip {
    /// Its number in this run of the monitor.
    pub id: u32,
    /// The 95th percentile of the requests that succeeded, oldest first; `None` without such requests.
    pub p95_us: Vec<Option<u32>>,
}

/// One endpoint over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EndpointDetail {
    /// The requests of the last ten seconds of the window; none where only longer steps are known.
    pub recent: RecentRequests,
    /// Its sums over the window.
    pub row: EndpointRow,
    /// From the point of [`super::RefreshCursor::tick`] on.
    pub timeline: Timeline<EndpointColumns>,
    /// Requests by status code since the start, in the order of the codes.
    pub statuses: Vec<(u16, u64)>,
    /// The database commands of its requests since the start, those with the most time first.
    pub commands: Vec<EndpointCommand>,
    /// Its slowest requests of the window, the slowest first.
    pub slowest: Vec<SlowRequest>,
}

columns! {
    /// The columns of an endpoint's timeline.
    EndpointColumns {
        /// Requests per second that succeeded.
        fine_per_second: Option<f32>,
        /// Client errors per second.
        client_errors_per_second: Option<f32>,
        /// Server errors per second.
        server_errors_per_second: Option<f32>,
        /// Requests per second that their clients left.
        dropped_per_second: Option<f32>,
        /// Median latency of the step's requests that succeeded.
        latency_p50_us: Option<u32>,
        /// 95th percentile latency.
        latency_p95_us: Option<u32>,
        /// 99th percentile latency.
        latency_p99_us: Option<u32>,
        /// Bytes that a request allocated, the mean of the step; `None` if the program's allocator does not count.
        allocated_mean_bytes: Option<u64>,
        /// Bytes that the largest request of the step allocated.
        allocated_max_bytes: Option<u64>,
        /// Database commands of a request, the mean of the step.
        commands_mean: Option<f32>,
        /// Time of a request in which a command was in flight, the mean of the step.
        database_mean_us: Option<u32>,
        /// Time of a request in which it waited for a connection to the database, the mean of the step.
        connection_wait_mean_us: Option<u32>,
        /// Time of a request from its arrival to its end, the mean of the step, of requests that failed too.
        duration_mean_us: Option<u32>,
        /// Time of a request in which the upstream of a proxy had not begun its answer, the mean of the step; `None` without an upstream.
        first_byte_mean_us: Option<u32>,
        /// The part of it for new connections to the upstream.
        connect_mean_us: Option<u32>,
        /// Requests that succeeded, by latency band.
        latency_counts: Vec<(Band, u32)>,
    }
}

/// One endpoint since the start of the monitor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EndpointTotals {
    /// Its number among all since the start.
    pub id: usize,
    /// As in [`EndpointName`].
    pub method: Option<String>,
    /// As in [`EndpointName`].
    pub route: String,
    /// Requests in flight, without open streams.
    pub in_flight: u64,
    /// Its WebSockets, other upgraded connections and streams; only kinds that were opened.
    pub long_lived: Vec<LongLivedTotals>,
    /// Bytes of response bodies.
    pub response_bytes: u64,
    /// Bytes that its requests allocated; zero if the program's allocator does not count.
    pub allocated_bytes: u64,
    /// Bytes that were freed while its requests were handled, by whomever allocated.
    pub freed_bytes: u64,
    /// Commands that its requests sent to the database.
    pub commands: u64,
    /// The sum of the times in which such a command was in flight, in microseconds.
    pub database_us: u64,
    /// Its requests by status and error type.
    pub statuses: Vec<StatusTotals>,
}

impl EndpointTotals {
    /// The same text as [`EndpointName::text`].
    pub fn text(&self) -> String {
        endpoint_text(self.method.as_deref(), &self.route)
    }

    /// Requests that ended.
    pub fn requests(&self) -> u64 {
        self.statuses.iter().map(|status| status.requests).sum()
    }

    /// Adds the counts of another endpoint. The name and the number stay.
    pub fn add(&mut self, more: &Self) {
        self.in_flight += more.in_flight;
        for totals in &more.long_lived {
            match self.long_lived.iter_mut().find(|sum| sum.kind == totals.kind) {
                Some(sum) => sum.add(totals),
                None => self.long_lived.push(totals.clone()),
            }
        }
        self.response_bytes += more.response_bytes;
        self.allocated_bytes += more.allocated_bytes;
        self.freed_bytes += more.freed_bytes;
        self.commands += more.commands;
        self.database_us += more.database_us;
        for status in &more.statuses {
            self.status_mut(status.status, status.error.clone()).add(status);
        }
    }

    /// The total of a status and an error. There are few, so the search is linear.
    pub fn status_mut(&mut self, status: u16, error: Option<String>) -> &mut StatusTotals {
        let statuses = &mut self.statuses;
        let index = statuses.iter().position(|total| total.status == status && total.error == error);
        let at = index.unwrap_or_else(|| {
            statuses.reserve_exact(1);
            statuses.push(StatusTotals { status, error, ..StatusTotals::default() });
            statuses.len() - 1
        });
        &mut statuses[at]
    }
}

/// A request with an id, by which its trace or its log lines can be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exemplar {
    /// The number of its endpoint among all since the start.
    pub endpoint: usize,
    /// The status of its response.
    pub status: u16,
    /// Its duration, in microseconds.
    pub duration_us: u64,
    /// The trace id of its `traceparent`, else its `x-request-id`.
    pub id: String,
    /// The time at which it ended.
    pub at_unix_ms: u64,
}

/// The requests of one endpoint with the same status and error type.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StatusTotals {
    /// The status of the response; 499 if the client left before there was one.
    pub status: u16,
    /// OpenTelemetry's `error.type`; `None` for a request that did not fail.
    pub error: Option<String>,
    /// The number of requests.
    pub requests: u64,
    /// The sum of their durations.
    pub duration_sum_us: u64,
    /// Requests by duration, in the buckets between OpenTelemetry's bounds. The last bucket is past all bounds.
    pub bounded: [u64; 15],
}

impl StatusTotals {
    /// Adds the counts of another total. The status and the error stay.
    pub fn add(&mut self, more: &Self) {
        self.requests += more.requests;
        self.duration_sum_us += more.duration_sum_us;
        self.bounded.iter_mut().zip(more.bounded).for_each(|(sum, count)| *sum += count);
    }
}

#[cfg(test)]
mod tests;
