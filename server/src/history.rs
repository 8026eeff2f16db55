//! The history: frames in tiers, the sums of each window, the errors by cause, the slowest requests.
//! Knows neither the pages nor the monitor.

mod answer;
mod causes;
mod compact;
mod exemplars;
mod frame;
#[cfg(test)]
mod held_bytes_tests;
mod marks;
#[cfg(feature = "measures")]
pub mod measures;
#[cfg_attr(not(feature = "mongodb"), expect(dead_code, reason = "without a driver there is no fleet"))]
mod merge;
mod of_others;
mod past;
mod points;
mod reported;
mod slowest;
pub(crate) mod store;
mod stored;
mod stored_name;
mod stored_reports;
mod storing;
mod strips;
#[cfg(test)]
pub(crate) mod tests;
mod tiers;
mod window_sums;

pub use self::store::HistoryStep;
pub(crate) use answer::NameLookup;
pub(crate) use frame::{FrameBuilder, Host};
#[cfg(all(test, feature = "mongodb"))]
pub(crate) use merge::tests::measured_step;
#[cfg(feature = "mongodb")]
pub(crate) use merge::{
    Merged, StepInShort, endpoint_text, merge_steps, recent_requests, requests_by_endpoint, step_in_short,
};
pub(crate) use past::PastSpan;
#[cfg(test)]
pub(crate) use past::tests::store_requests;
use std::{collections::BTreeMap, ops::RangeInclusive, sync::Arc};
pub(crate) use storing::restored_spans;
#[cfg(test)]
pub(crate) use tests::{tally, tally_with_failures};

use watchboard_wire::{EndpointLatency, EndpointTotals, ErrorEvent, Exemplar, Mark, RecentRequests, Window};

use self::{
    exemplars::Exemplars, marks::Marks, of_others::OfOthers, reported::Reported, stored_name::SentToStore,
    tiers::Tiers, window_sums::WindowSums,
};
use crate::{
    commands::CommandTally,
    requests::{Aliases, Reader, RequestReports, Tally},
};

/// The sums of a window without viewers are updated this often, so that a viewer's first request has little to add. They take one or two
/// kilobytes for every endpoint in the window.
const UPDATE_SECONDS: u64 = 10;
/// Windows of these lengths take too long to sum when a viewer comes. Those of days are seldom looked at.
const SUMMED_ALWAYS: RangeInclusive<u64> = 3_600..=86_400;

/// The history of one monitor; owned by its thread.
pub(crate) struct History {
    started_at_unix_ms: u64,
    /// The first tick of this run.
    first: u64,
    /// The first tick that it has: of this run, or of an earlier one.
    oldest: u64,
    sent: SentToStore,
    of_others: OfOthers,
    /// One past the last tick.
    now: u64,
    tiers: Tiers,
    reported: Reported,
    marks: Marks,
    exemplars: Exemplars,
    /// The rows that were merged, as in the sums.
    aliases: Aliases,
    /// The sums of every window, the shortest first. Those of the last minute are updated at each tick, since the findings use them.
    windows: [WindowSums; Window::ALL.len()],
}

impl History {
    pub(crate) fn new(started_at_unix_ms: u64, first_tick: u64) -> Self {
        Self {
            started_at_unix_ms,
            first: first_tick,
            oldest: first_tick,
            sent: SentToStore::default(),
            of_others: OfOthers::default(),
            now: first_tick,
            tiers: Tiers::new(first_tick),
            reported: Reported::new(),
            marks: Marks::default(),
            exemplars: Exemplars::default(),
            aliases: Aliases::default(),
            windows: Window::ALL.map(|window| WindowSums::new(window, started_at_unix_ms)),
        }
    }

    /// Adds the figures of one tick.
    pub(crate) fn push(
        &mut self,
        tick: u64,
        requests: FrameBuilder,
        reports: RequestReports,
        host: Host,
        reader: &Reader,
    ) {
        let errors = self.reported.add(tick, reports, (&self.aliases, &mut self.exemplars), reader);
        self.tiers.push(requests.finish(host, errors));
        self.now = tick + 1;
        if self.aliases != *reader.aliases() {
            self.aliases = reader.aliases().clone();
            self.forget_sums();
        }
        // The length of the window before. Until the history is longer, a window holds the same as the one before it.
        let mut shorter = 0;
        for window_sums in &mut self.windows {
            // A short window without viewers so far is summed quickly later.
            let is_long = SUMMED_ALWAYS.contains(&window_sums.window.seconds()) && tick >= self.oldest + shorter;
            let is_wanted = window_sums.span().1 > 0 || is_long;
            shorter = window_sums.window.seconds();
            if window_sums.window == Window::Minute || is_wanted && window_sums.span().1 + UPDATE_SECONDS <= tick {
                window_sums.advance(&self.tiers, &self.aliases, self.now);
            }
        }
    }

    /// Adds a mark. It is stored with the next steps.
    pub(crate) fn mark(&mut self, mark: Mark) {
        self.marks.add(self.now, mark);
    }

    /// Takes over a mark of an instance of the fleet, with its name if it has one.
    #[cfg(feature = "mongodb")]
    pub(crate) fn restore_mark(&mut self, instance: &str, mark: &store::StoredMark) {
        self.marks.restore_of(self.now, instance, mark);
    }

    /// Forgets the sums of all windows. Each is made anew from the frames when it is needed.
    pub(crate) fn forget_sums(&mut self) {
        self.windows = Window::ALL.map(|window| WindowSums::new(window, self.started_at_unix_ms));
        self.windows[Window::Minute as usize].advance(&self.tiers, &self.aliases, self.now);
    }

    /// The seconds that it has.
    pub(crate) fn seconds(&self) -> u64 {
        self.now - self.oldest
    }

    /// The first tick that it has.
    pub(crate) fn oldest(&self) -> u64 {
        self.oldest
    }

    /// The last minute of all endpoints.
    pub(crate) fn last_minute(&self) -> RecentRequests {
        let (whole, seconds) = self.windows[0].whole();
        whole.recent(seconds)
    }

    /// The last ten seconds of all endpoints.
    pub(crate) fn last_ten_seconds(&self) -> RecentRequests {
        let frames = points::last_ten_seconds(&self.tiers, self.now);
        let mut whole = Tally::default();
        for frame in &frames {
            frame.requests.apply_whole(compact::Sign::Add, &mut whole);
        }
        whole.recent(points::seconds(&frames))
    }

    /// The last minute of each endpoint.
    pub(crate) fn last_minute_of_each(&mut self) -> impl Iterator<Item = (usize, &Tally)> {
        self.windows[0].rows().map(|(id, row)| (id, &row.sums))
    }

    /// The last minute of each command, by its shape's number.
    pub(crate) fn last_minute_of_each_command(&self) -> impl Iterator<Item = (u16, &CommandTally)> {
        self.windows[0].commands().map(|(shape, sums)| (shape as u16, sums))
    }

    /// The window of each endpoint, updated by this call.
    pub(crate) fn last_of_each(&mut self, window: Window) -> impl Iterator<Item = (usize, &Tally)> {
        let window_sums = &mut self.windows[window as usize];
        window_sums.advance(&self.tiers, &self.aliases, self.now);
        window_sums.rows().map(|(id, row)| (id, &row.sums))
    }

    /// Calls `each` with the last minute and the last hour of each endpoint with allocations in the last minute.
    pub(crate) fn last_minute_and_hour(&mut self, mut each: impl FnMut(usize, &Tally, &Tally)) {
        let [minute, _, _, hour, ..] = &mut self.windows;
        hour.advance(&self.tiers, &self.aliases, self.now);
        for (id, row) in minute.rows().filter(|(_, row)| row.sums.memory.allocated.bytes > 0) {
            if let Some(hour) = hour.row(id) {
                each(id, &row.sums, &hour.sums);
            }
        }
    }

    /// The memory of frames, sums and slow requests in bytes. The few hundred errors do not count.
    pub(crate) fn held_bytes(&self) -> u64 {
        let windows = self.windows.iter().map(WindowSums::held_bytes).sum::<usize>();
        (self.tiers.bytes() + windows + self.reported.held_bytes()) as u64
    }

    /// Late slow requests that have an id.
    pub(crate) fn exemplars(&self) -> Arc<Vec<Exemplar>> {
        self.exemplars.all()
    }

    /// The latency of each of these endpoints in the last minute.
    pub(crate) fn latencies(&mut self, endpoints: &[Arc<EndpointTotals>]) -> Vec<EndpointLatency> {
        let by_id: BTreeMap<usize, &Tally> = self.last_minute_of_each().collect();
        endpoints
            .iter()
            .map(|endpoint| by_id.get(&endpoint.id).map(|sums| sums.latency()).unwrap_or_default())
            .collect()
    }

    /// The message of all server errors of an endpoint since a tick; `None` if they have several causes.
    pub(crate) fn only_error_message(&self, endpoint: usize, since: u64) -> Option<&str> {
        self.reported.causes.only_message(endpoint, since)
    }

    pub(crate) fn recent_errors(&self) -> Vec<ErrorEvent> {
        self.reported.causes.recent()
    }
}
