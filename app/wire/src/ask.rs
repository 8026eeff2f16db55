//! What a page asks for, and what it gets: the figures that its view shows, of its window, and of these what is new.

use serde::{Deserialize, Serialize};

use super::{
    DatabaseDetail, EndpointDetail, EndpointRow, ErrorCause, MemoryDetail, SlowRequest, Snapshot, Timeline,
    TimelineColumns, Window, WindowTotals,
};

/// What a page shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// The span of time.
    pub window: Window,
    /// The part that its view shows.
    pub part: Part,
}

/// The part of the figures that a view shows, beside the charts that all of them have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    /// Nothing but those.
    Charts,
    /// The endpoints that take most of the time, and the errors.
    #[default]
    Overview,
    /// Every endpoint, the errors and the slowest requests.
    Requests,
    /// Memory in detail, and the endpoints that allocate.
    Memory,
    /// The database in detail.
    Database,
    /// One endpoint, by [`super::EndpointName::text`].
    Endpoint(String),
}

/// What a page has already, of the same [`Ask`]: it wants what came after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshCursor {
    /// [`Snapshot::started_at_unix_ms`] of what it has.
    pub started_at_unix_ms: u64,
    /// [`Snapshot::tick`] of what it has.
    pub tick: u64,
}

/// The answer: the newest snapshot, and of the rest what the page lacks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RefreshResponse {
    /// The newest snapshot.
    pub snapshot: Snapshot,
    /// The requests of the window.
    pub totals: WindowTotals,
    /// From the point of [`RefreshCursor::tick`] on; all of it when the page has nothing of this run.
    pub timeline: Timeline<TimelineColumns>,
    /// Whether `endpoints` are all that the page is to show, and not only those that changed.
    pub endpoints_whole: bool,
    /// Endpoints that changed; one without requests is no longer of the window.
    pub endpoints: Vec<EndpointRow>,
    /// Causes of errors that changed.
    pub causes: Vec<ErrorCause>,
    /// Errors since the start that no cause speaks of, since there were too many at once or too many causes.
    pub untold_errors: u64,
    /// The slowest requests of the window; none but for [`Part::Requests`].
    pub slowest: Option<Vec<SlowRequest>>,
    /// What [`Part::Endpoint`] asked for; none where there was no such endpoint.
    pub endpoint: Option<EndpointDetail>,
    /// What [`Part::Memory`] shows; none but for that.
    pub memory: Option<MemoryDetail>,
    /// What [`Part::Database`] shows; none but for that.
    pub database: Option<DatabaseDetail>,
    /// The server's wall clock when it answered: with `taken_at_unix_ms` the age of the figures.
    pub served_at_unix_ms: u64,
}

impl RefreshResponse {
    /// How old the figures were when the server sent them.
    pub fn age_ms(&self) -> u64 {
        self.served_at_unix_ms.saturating_sub(self.snapshot.taken_at_unix_ms)
    }
}
