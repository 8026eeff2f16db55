//! What a page has: it takes in each answer, which holds what is new.

use std::collections::BTreeMap;

#[cfg(feature = "hydrate")]
use crate::wire::Seen;
use crate::wire::{
    EndpointDetail, EndpointRow, ErrorCause, Refreshed, SlowRequest, Snapshot, Timeline, TimelineColumns, Window,
    WindowTotals,
};

/// The server keeps no more.
#[cfg(any(test, feature = "hydrate"))]
const MOST_CAUSES: usize = 200;

/// The figures of a page.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Figures {
    pub(crate) snapshot: Snapshot,
    pub(crate) totals: WindowTotals,
    pub(crate) timeline: Timeline<TimelineColumns>,
    /// By their ids. Those without requests are not of the window, but their names are known.
    pub(crate) endpoints: BTreeMap<u32, EndpointRow>,
    pub(crate) causes: BTreeMap<u32, ErrorCause>,
    pub(crate) untold_errors: u64,
    pub(crate) slowest: Vec<SlowRequest>,
    pub(crate) endpoint: Option<EndpointDetail>,
}

impl Figures {
    /// Those of an answer to a page that had nothing.
    pub(crate) fn new(first: Refreshed) -> Self {
        let keyed = |row: EndpointRow| (row.id, row);
        Self {
            snapshot: first.snapshot,
            totals: first.totals,
            timeline: first.timeline,
            endpoints: first.endpoints.into_iter().map(keyed).collect(),
            causes: first.causes.into_iter().map(|cause| (cause.number, cause)).collect(),
            untold_errors: first.untold_errors,
            slowest: first.slowest.unwrap_or_default(),
            endpoint: first.endpoint,
        }
    }

    /// What a page that has these tells the server at its next refresh.
    #[cfg(feature = "hydrate")]
    pub(crate) fn seen(&self) -> Seen {
        Seen { started_at_unix_ms: self.snapshot.started_at_unix_ms, tick: self.snapshot.tick }
    }

    /// The window that they are of.
    pub(crate) fn window(&self) -> Window {
        self.timeline.window
    }

    /// The number of the oldest point of the window.
    pub(crate) fn first_point(&self) -> u64 {
        self.window().first_point(self.snapshot.tick)
    }

    /// Takes in the answer to the same question; the server may have started anew since.
    #[cfg(any(test, feature = "hydrate"))]
    pub(crate) fn update(&mut self, newer: Refreshed) {
        if newer.snapshot.started_at_unix_ms != self.snapshot.started_at_unix_ms {
            *self = Self::new(newer);
            return;
        }
        if newer.endpoints_whole {
            self.endpoints.clear();
        }
        for mut row in newer.endpoints {
            let known = self.endpoints.remove(&row.id);
            row.name = row.name.or_else(|| known.and_then(|known| known.name));
            self.endpoints.insert(row.id, row);
        }
        self.causes.extend(newer.causes.into_iter().map(|cause| (cause.number, cause)));
        while self.causes.len() > MOST_CAUSES {
            let quietest = self.causes.values().min_by_key(|cause| cause.last_at_unix_ms).map(|cause| cause.number);
            quietest.and_then(|number| self.causes.remove(&number));
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
        self.timeline.extend(newer.timeline);
        self.slowest = newer.slowest.unwrap_or_else(|| std::mem::take(&mut self.slowest));
        (self.snapshot, self.totals, self.untold_errors) = (newer.snapshot, newer.totals, newer.untold_errors);
    }
}
