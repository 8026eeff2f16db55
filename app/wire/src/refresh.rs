//! The question of a page and the answer to it: the new figures of its view and window.

use serde::{Deserialize, Serialize};

use super::{
    DatabaseDetail, EarlierSpan, EndpointDetail, EndpointRow, EndpointStrip, ErrorCause, FleetFigures, InstanceScope,
    LongLivedRow, Mark, MemoryDetail, SlowRequest, Snapshot, Timeline, TimelineColumns, Unknown, Window, WindowBefore,
    WindowTotals,
};

/// The figures that a page wants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshQuery {
    /// The span of time.
    pub window: Window,
    /// The part that its view shows.
    pub part: Part,
    /// A span of the past instead of the window: from one Unix second by the wall clock to before another.
    pub span: Option<(u64, u64)>,
    /// An earlier span to lay under the span of the past.
    pub earlier: Option<EarlierSpan>,
    /// Whose figures.
    pub scope: InstanceScope,
}

/// The part of the figures that a view shows, beside the charts that all of them have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    /// The charts alone.
    Charts,
    /// The endpoints that take the most time, and the errors.
    #[default]
    Overview,
    /// Every endpoint, the errors and the slowest requests.
    Requests,
    /// Memory in detail, and the endpoints that allocate.
    Memory,
    /// The database in detail.
    Database,
    /// The instances of the fleet.
    Instances,
    /// One endpoint, by [`super::EndpointName::text`].
    Endpoint(String),
}

/// The figures that a page has of the same [`RefreshQuery`]. It wants all that are newer, and all if their window is another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshCursor {
    /// [`Snapshot::started_at_unix_ms`] of its figures.
    pub started_at_unix_ms: u64,
    /// [`Snapshot::tick`] of its figures.
    pub tick: u64,
    /// The window of its timeline.
    pub window: Window,
}

/// The answer: the newest snapshot, and the other figures that the page lacks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RefreshResponse {
    /// The newest snapshot.
    pub snapshot: Snapshot,
    /// The ticks of the figures of a past span, from one to before the other, at steps of the timeline; `None` for a window that
    /// ends now, also if the history has nothing of the span.
    pub span: Option<(u64, u64)>,
    /// Whether the page has all figures of its past span: what follows is empty.
    pub is_unchanged: bool,
    /// Why the figures of the past span could not be read from the history on disk; what follows is empty then, and unknown.
    pub unread: Option<Unknown>,
    /// The requests of the window.
    pub totals: WindowTotals,
    /// The points from that of [`RefreshCursor::tick`] on; the whole window if the page has no figures of this run.
    pub timeline: Timeline<TimelineColumns>,
    /// Whether `endpoints` is the whole list, and not only the endpoints that changed.
    pub endpoints_whole: bool,
    /// Endpoints that changed. An endpoint without requests has left the window.
    pub endpoints: Vec<EndpointRow>,
    /// The endpoints that take the most time, over the window; for [`Part::Requests`] only.
    pub strips: Vec<EndpointStrip>,
    /// Causes of errors that changed.
    pub causes: Vec<ErrorCause>,
    /// Errors since the start that are counted in no cause: too many came at once, or with too many causes.
    pub uncounted_errors: u64,
    /// The slowest requests of the window; `Some` for [`Part::Requests`] only.
    pub slowest: Option<Vec<SlowRequest>>,
    /// WebSockets, other upgraded connections and streams since the start, those with the most open first. Of all endpoints for
    /// [`Part::Requests`], of its own for [`Part::Endpoint`], else empty.
    pub long_lived: Vec<LongLivedRow>,
    /// The endpoint of [`Part::Endpoint`]; `None` if there is no such endpoint.
    pub endpoint: Option<EndpointDetail>,
    /// The details of memory; `Some` for [`Part::Memory`] only.
    pub memory: Option<MemoryDetail>,
    /// The details of the database; `Some` for [`Part::Database`] only.
    pub database: Option<DatabaseDetail>,
    /// The last marks, by rising time; `None` if the page has them already.
    pub marks: Option<Vec<Mark>>,
    /// The answer of [`RefreshQuery::earlier`]; `None` if the history has nothing of it.
    pub earlier: Option<Box<RefreshResponse>>,
    /// The fleet that the figures are from; `None` for those of this instance.
    pub fleet: Option<FleetFigures>,
    /// The age of the snapshot when the server answered, by its monotonic clock.
    pub age_ms: u64,
}

impl RefreshQuery {
    /// The same question of the earlier span; `None` unless both spans are chosen.
    pub fn of_earlier(&self) -> Option<Self> {
        let ((from, to), seconds) = (self.span?, self.earlier?.seconds());
        let span = Some((from.saturating_sub(seconds), to.saturating_sub(seconds)));
        Some(Self { span, earlier: None, ..self.clone() })
    }
}

impl RefreshResponse {
    /// With the figures of the earlier span, unless the history has none of it.
    #[must_use]
    pub fn with_earlier(mut self, earlier: Self) -> Self {
        if earlier.span.is_some() && earlier.unread.is_none() && earlier.totals.seconds > 0 {
            let totals = &earlier.totals;
            self.totals.before = Some(WindowBefore {
                seconds: totals.seconds,
                requests: totals.requests,
                server_errors: totals.server_errors,
                latency_p99_us: totals.latency.map(|latency| latency.p99_us),
            });
            self.earlier = Some(Box::new(earlier));
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earlier_span_is_as_long_and_asked_for_once() {
        let query = RefreshQuery {
            span: Some((700_000, 700_060)),
            earlier: Some(EarlierSpan::Week),
            ..RefreshQuery::default()
        };
        let earlier = query.of_earlier().expect("a span");
        assert_eq!((earlier.span, earlier.of_earlier()), (Some((95_200, 95_260)), None));
        assert_eq!(RefreshQuery { span: None, ..query }.of_earlier(), None, "a window that ends now has none");
    }

    #[test]
    fn an_earlier_span_without_history_is_none() {
        let of = |seconds, span| RefreshResponse {
            span,
            totals: WindowTotals { seconds, requests: 7, ..WindowTotals::default() },
            ..RefreshResponse::default()
        };
        let now = || of(60, Some((700_000, 700_060)));
        assert_eq!(now().with_earlier(of(60, None)), now(), "these are the figures of now");
        assert_eq!(now().with_earlier(of(0, Some((95_200, 95_260)))), now());
        let both = now().with_earlier(of(60, Some((95_200, 95_260))));
        assert_eq!(both.totals.before.map(|before| before.requests), Some(7));
        assert!(both.earlier.is_some());
    }
}
