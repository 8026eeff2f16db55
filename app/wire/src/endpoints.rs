//! Endpoints: a method on a route template each, as rows of a table, in detail, and as totals since the start.

use serde::{Deserialize, Serialize};

use super::{
    Band, EndpointCommand, Latency, RequestDatabase, RequestMemory, RequestUpstream, SlowRequest, Timeline, columns,
};

/// What a row is called, and how fast it is meant to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointName {
    /// The method by its name; `_OTHER` for those that HTTP does not define, none where rows of all methods meet.
    pub method: Option<String>,
    /// The route template, `/users/{id}`; `(unmatched)` where no route matched, `(other)` past the cap on endpoints.
    pub route: String,
    /// Requests are meant to take at most this long.
    pub objective_us: u64,
    /// Which rule made this name.
    pub named_by: NameSource,
}

/// Which rule made the name of an endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum NameSource {
    /// axum's router, the host's grouping, or this monitor itself: `(unmatched)`, `(other)`.
    #[default]
    Router,
    /// A template that was given.
    Declared,
    /// The application's OpenAPI document.
    OpenApi,
    /// The looks of its paths.
    Inferred,
}

impl NameSource {
    /// The rule in words; none where nothing needs to be said.
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
    /// `GET /users/{id}`, as `/health` and the page name it.
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
    /// None where the page knows it already.
    pub name: Option<EndpointName>,
    /// Requests that ended.
    pub requests: u64,
    /// Of these, 5xx and panics.
    pub server_errors: u64,
    /// Of these, 4xx.
    pub client_errors: u64,
    /// Of these, left by the client.
    pub dropped: u64,
    /// Requests under way now.
    pub in_flight: u64,
    /// Bytes of response bodies.
    pub response_bytes: u64,
    /// Time taken by all of them together.
    pub duration_sum_us: u64,
    /// Their latency; none where none has ended.
    pub latency: Option<Latency>,
    /// What they allocated; none where the program's allocator does not count.
    pub memory: Option<RequestMemory>,
    /// What they asked of the database; none where they asked nothing, or its client is not listened to.
    pub database: Option<RequestDatabase>,
    /// What their upstream took; none where they are not passed on.
    pub upstream: Option<RequestUpstream>,
    /// Requests that took at most [`EndpointName::objective_us`].
    pub within_objective: u64,
    /// The number of the last point of `line`; each is [`super::Window::points_per_line_point`] points of a chart.
    pub line_last: u64,
    /// Requests over time. To a page that knows the row, what came after its last look.
    pub line: Vec<u64>,
}

impl EndpointRow {
    /// Mean duration; none where no request has ended.
    pub fn mean_us(&self) -> Option<u64> {
        self.duration_sum_us.checked_div(self.requests)
    }

    /// Takes in an earlier state of itself: its name, and of its line the `most` newest points.
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

    /// Requests within the objective as a percentage; none without requests.
    pub fn within_percent(&self) -> Option<f64> {
        (self.requests > 0).then(|| 100.0 * self.within_objective as f64 / self.requests as f64)
    }
}

/// One endpoint over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EndpointDetail {
    /// Its sums.
    pub row: EndpointRow,
    /// From the point of [`super::RefreshCursor::tick`] on.
    pub timeline: Timeline<EndpointColumns>,
    /// Requests by status code since the start, in the order of the codes.
    pub statuses: Vec<(u16, u64)>,
    /// What its requests asked of the database since the start, what took the most time first.
    pub commands: Vec<EndpointCommand>,
    /// Its slowest requests of the window, the slowest first.
    pub slowest: Vec<SlowRequest>,
}

columns! {
    /// The columns of one endpoint's timeline.
    EndpointColumns {
        /// Requests per second that ended well.
        fine_per_second: Option<f32>,
        /// Client errors per second.
        client_errors_per_second: Option<f32>,
        /// Server errors per second.
        server_errors_per_second: Option<f32>,
        /// Requests per second that their clients left.
        dropped_per_second: Option<f32>,
        /// Median latency of the step's requests.
        latency_p50_us: Option<u32>,
        /// 95th percentile of it.
        latency_p95_us: Option<u32>,
        /// 99th percentile of it.
        latency_p99_us: Option<u32>,
        /// Bytes that a request allocated: the mean of the step's requests; none where the allocator does not count.
        allocated_mean_bytes: Option<u64>,
        /// And the largest of them.
        allocated_max_bytes: Option<u64>,
        /// Commands that a request sent to the database, the mean of all.
        commands_mean: Option<f32>,
        /// The time that a request took for them, the mean of all.
        database_mean_us: Option<u32>,
        /// Requests by the band of their latency.
        latency_counts: Vec<(Band, u32)>,
    }
}

/// One endpoint since the start of the monitor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EndpointTotals {
    /// As in [`EndpointName`].
    pub method: Option<String>,
    /// As in [`EndpointName`].
    pub route: String,
    /// Requests under way.
    pub in_flight: u64,
    /// Bytes of response bodies.
    pub response_bytes: u64,
    /// Bytes that its requests allocated; zero where the program's allocator does not count.
    pub allocated_bytes: u64,
    /// Bytes that were freed while its requests were handled, whoever had allocated them.
    pub freed_bytes: u64,
    /// Commands that its requests sent to the database.
    pub commands: u64,
    /// The time that they waited for these.
    pub database_us: u64,
    /// By status and outcome.
    pub statuses: Vec<StatusTotals>,
}

impl EndpointTotals {
    /// As [`EndpointName::text`].
    pub fn text(&self) -> String {
        endpoint_text(self.method.as_deref(), &self.route)
    }

    /// Requests that ended.
    pub fn requests(&self) -> u64 {
        self.statuses.iter().map(|status| status.requests).sum()
    }
}

/// The requests of one endpoint that ended in the same way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StatusTotals {
    /// The status sent, or 499 when the client went away before there was one.
    pub status: u16,
    /// OpenTelemetry's `error.type`; none for a request that did not fail.
    pub error: Option<String>,
    /// How many.
    pub requests: u64,
    /// The time they took together.
    pub duration_sum_us: u64,
    /// How many took at most each of OpenTelemetry's bounds and longer than the one before; the last took longer than all.
    pub bounded: [u64; 15],
}

#[cfg(test)]
mod tests {
    use super::EndpointRow;

    #[test]
    fn a_line_goes_on_where_the_page_has_it() {
        let row = |line_last, line: &[u64]| EndpointRow { line_last, line: line.to_vec(), ..EndpointRow::default() };
        let extended = |mut newer: EndpointRow, known| {
            newer.extend(known, 5);
            newer.line
        };
        assert_eq!(extended(row(4, &[9, 1]), row(3, &[1, 2, 3])), [1, 2, 9, 1], "the last point was still filling");
        assert_eq!(extended(row(9, &[7]), row(3, &[1, 2, 3])), [0, 0, 0, 0, 7]);
        assert_eq!(extended(row(4, &[4, 5]), row(9, &[])), [4, 5]);
        assert_eq!(extended(row(1 << 40, &[7]), row(3, &[1])), [0, 0, 0, 0, 7]);
    }
}
