//! The figures that a page has. Each answer of the server updates them.

#[cfg(feature = "hydrate")]
use watchboard_wire::RefreshCursor;
use watchboard_wire::format;
use watchboard_wire::{
    DatabaseDetail, EndpointDetail, EndpointRow, EndpointStrip, ErrorCause, FleetFigures, InstanceScope, LongLivedRow,
    Mark, MemoryDetail, RefreshQuery, RefreshResponse, ShownSpan, SlowRequest, Snapshot, Timeline, TimelineColumns,
    Unknown, Window, WindowTotals,
};

/// The maximum that the server keeps.
#[cfg(any(test, feature = "hydrate"))]
const MAX_CAUSES: usize = 200;

/// The figures of a page.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Figures {
    /// The question that they answer.
    pub(crate) query: RefreshQuery,
    /// The ticks of the past span that they are of, from one to before the other; `None` for a window that ends now.
    pub(crate) past: Option<(u64, u64)>,
    /// Why the figures of the past span could not be read.
    pub(crate) unread: Option<Unknown>,
    /// Those of the earlier span that lies under the past one.
    pub(crate) earlier: Option<Box<Figures>>,
    pub(crate) snapshot: Snapshot,
    pub(crate) totals: WindowTotals,
    pub(crate) timeline: Timeline<TimelineColumns>,
    /// The endpoints of the window. Those without requests have left it and keep their names for their return.
    pub(crate) endpoints: Vec<EndpointRow>,
    pub(crate) strips: Vec<EndpointStrip>,
    pub(crate) causes: Vec<ErrorCause>,
    pub(crate) uncounted_errors: u64,
    /// By rising time.
    pub(crate) marks: Vec<Mark>,
    pub(crate) slowest: Vec<SlowRequest>,
    pub(crate) long_lived: Vec<LongLivedRow>,
    pub(crate) endpoint: Option<EndpointDetail>,
    pub(crate) memory: Option<MemoryDetail>,
    pub(crate) database: Option<DatabaseDetail>,
    /// The fleet that they are from; `None` if they are of this instance.
    pub(crate) fleet: Option<FleetFigures>,
}

impl Figures {
    /// The figures of the first answer.
    pub(crate) fn new(query: RefreshQuery, first: RefreshResponse) -> Self {
        let earlier =
            first.earlier.map(|earlier| Box::new(Self::new(query.of_earlier().unwrap_or_default(), *earlier)));
        Self {
            query,
            past: first.span,
            unread: first.unread,
            earlier,
            snapshot: first.snapshot,
            totals: first.totals,
            timeline: first.timeline,
            endpoints: first.endpoints,
            strips: first.strips,
            causes: first.causes,
            uncounted_errors: first.uncounted_errors,
            marks: first.marks.unwrap_or_default(),
            slowest: first.slowest.unwrap_or_default(),
            long_lived: first.long_lived,
            endpoint: first.endpoint,
            memory: first.memory,
            database: first.database,
            fleet: first.fleet,
        }
    }

    /// The cursor that the next refresh sends.
    #[cfg(feature = "hydrate")]
    pub(crate) fn cursor(&self) -> Option<RefreshCursor> {
        let Snapshot { started_at_unix_ms, tick, .. } = self.snapshot;
        self.unread.is_none().then_some(RefreshCursor { started_at_unix_ms, tick, window: self.window() })
    }

    /// The window whose points they have: the chosen one, or while the history is young a shorter one that has all of it.
    pub(crate) fn window(&self) -> Window {
        self.timeline.window
    }

    /// The span of the sums in words: `last 15 minutes`, or less while the monitor is younger. With long gaps only what was watched.
    pub(crate) fn window_text(&self) -> String {
        if self.is_past() {
            return "chosen span".to_owned();
        }
        let (window, seconds) = (self.window(), self.totals.seconds);
        let is_less_than = |length: u64| seconds + 2 * window.step_seconds() < length;
        if is_less_than(window.seconds().min(self.snapshot.tick.saturating_sub(self.snapshot.oldest_tick))) {
            format!("{} watched", format::span(seconds))
        } else if is_less_than(window.seconds()) {
            format!("last {}", format::span(seconds))
        } else {
            format!("last {}", window.long_word())
        }
    }

    /// Whether they are of a past span, and not of a window that ends now. Those of a fleet are of steps too, and have no newer ones.
    pub(crate) fn is_past(&self) -> bool {
        self.past.is_some() && self.query.span.is_some()
    }

    /// Whether the figures of hosts are those of the charts alone: of a past span, and of all instances together.
    pub(crate) fn are_of_charts(&self) -> bool {
        self.is_past() || self.query.scope == InstanceScope::All
    }

    /// The newest tick that they are of.
    pub(crate) fn newest_tick(&self) -> u64 {
        self.past.map_or(self.snapshot.tick, |(_, to)| to - 1)
    }

    /// What charts show.
    pub(crate) fn span(&self) -> ShownSpan {
        let (window, step) = (self.window(), self.window().step_seconds());
        match self.past {
            // A chart of fewer points than two shows nothing.
            Some((from, to)) => ShownSpan { window, points: ((to.div_ceil(step) - from / step) as usize).max(2) },
            None => window.span(self.snapshot.oldest_tick, self.snapshot.tick),
        }
    }

    /// The Unix second at which the newest point begins, by the wall clock of the server. It moves by whole points.
    fn newest_point_at(&self) -> u64 {
        let step = self.window().step_seconds();
        (self.newest_tick() / step * step).saturating_add_signed(self.snapshot.wall_clock_set_ms / 1000)
    }

    /// The Unix seconds from the beginning of one point of the span to the end of another.
    pub(crate) fn seconds_of(&self, (first, last): (usize, usize)) -> (u64, u64) {
        let (span, step) = (self.span(), self.window().step_seconds());
        let begins = |index| self.newest_point_at().saturating_sub(span.seconds_before_now(index));
        (begins(first), begins(last) + step)
    }

    /// Where the oldest point of the earlier span lies among the points of this one, and how many points of this one each takes.
    pub(crate) fn place_of_earlier(&self) -> Option<(f64, f64)> {
        let (earlier, shift) = (self.earlier.as_ref()?, self.query.earlier?.seconds());
        let [own, other] = [self, &**earlier].map(|figures| {
            let step = figures.window().step_seconds() as f64;
            (figures.first_point() as f64 * step, step)
        });
        Some(((other.0 + shift as f64 - own.0) / own.1, other.1 / own.1))
    }

    /// The number of the oldest point.
    pub(crate) fn first_point(&self) -> u64 {
        match self.past {
            Some((from, _)) => from / self.window().step_seconds(),
            None => self.window().first_point(self.snapshot.tick),
        }
    }

    /// Applies the next answer to the same question. The server may have restarted since the last, or
    /// its history may have outgrown the window.
    #[cfg(any(test, feature = "hydrate"))]
    pub(crate) fn update(&mut self, mut newer: RefreshResponse) {
        newer.snapshot.zone_minutes = self.snapshot.zone_minutes;
        let is_of_other = newer.snapshot.started_at_unix_ms != self.snapshot.started_at_unix_ms
            // The figures of a past span come whole: its causes have numbers of their own.
            || !newer.is_unchanged
                && (newer.timeline.window != self.timeline.window || newer.span.or(self.past).is_some());
        if newer.is_unchanged && !is_of_other {
            (self.snapshot, self.fleet) = (newer.snapshot, newer.fleet);
            return;
        }
        if is_of_other {
            *self = Self::new(self.query.clone(), newer);
            return;
        }
        if newer.endpoints_whole {
            self.endpoints.clear();
        }
        let line_points = newer.timeline.window.line_points();
        for mut row in newer.endpoints {
            match self.endpoints.iter_mut().find(|known| known.id == row.id) {
                Some(known) => {
                    row.extend(std::mem::take(known), line_points);
                    *known = row;
                }
                None => self.endpoints.push(row),
            }
        }
        for cause in newer.causes {
            match self.causes.iter_mut().find(|known| known.number == cause.number) {
                Some(known) => *known = cause,
                None => self.causes.push(cause),
            }
        }
        while self.causes.len() > MAX_CAUSES {
            let last = |index: &usize| self.causes[*index].last_at_unix_ms;
            let quietest = (0..self.causes.len()).min_by_key(last).unwrap_or_default();
            self.causes.swap_remove(quietest);
        }
        self.endpoint = match (newer.endpoint, self.endpoint.take()) {
            (Some(mut newer), Some(known)) => {
                let mut timeline = known.timeline;
                timeline.extend(newer.timeline);
                newer.timeline = timeline;
                Some(newer)
            }
            (newer, _) => newer,
        };
        self.strips = newer.strips;
        self.long_lived = newer.long_lived;
        self.memory = newer.memory;
        self.database = newer.database;
        self.timeline.extend(newer.timeline);
        self.marks = newer.marks.unwrap_or_else(|| std::mem::take(&mut self.marks));
        self.slowest = newer.slowest.unwrap_or_else(|| std::mem::take(&mut self.slowest));
        self.fleet = newer.fleet;
        (self.snapshot, self.totals, self.uncounted_errors) = (newer.snapshot, newer.totals, newer.uncounted_errors);
    }
}

#[cfg(test)]
mod tests;
