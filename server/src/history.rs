//! The history: frames in tiers, the sums of the windows that are looked at, the errors by cause, the slowest requests.
//! Knows neither the pages nor the monitor.

mod answer;
mod causes;
mod compact;
mod frame;
#[cfg(test)]
mod measures;
mod points;
mod slowest;
#[cfg(test)]
pub(crate) mod tests;
mod tiers;
mod watched;

pub(crate) use frame::{Builder, Host};
#[cfg(test)]
pub(crate) use tests::tally;
use watchboard_app::wire::{ErrorEvent, RecentRequests, Window};

use self::{causes::Causes, slowest::Slowest, tiers::Tiers, watched::Watched};
use crate::requests::{Reader, Tally, Told};

/// The sums of a short window are kept for so long after somebody last looked: a little longer than the longest refresh
/// interval of a page. Those of a long one would take too long to make anew: they are kept always, and brought up to date
/// this often. They take a kilobyte or two for every endpoint in a window.
const WATCHED_SECONDS: u64 = 65;
const KEPT_WINDOWS: [Window; 3] = [Window::Hour, Window::SixHours, Window::Day];

pub(crate) struct History {
    started_at_unix_ms: u64,
    /// One past the last tick.
    now: u64,
    tiers: Tiers,
    causes: Causes,
    slowest: Slowest,
    /// By the endpoint's id.
    slowest_of: Vec<Slowest>,
    /// The last minute is always summed up: health is judged by it.
    minute: Watched,
    watched: Vec<Watched>,
}

impl History {
    pub(crate) fn new(started_at_unix_ms: u64) -> Self {
        Self {
            started_at_unix_ms,
            now: 0,
            tiers: Tiers::default(),
            causes: Causes::default(),
            slowest: Slowest::default(),
            slowest_of: vec![],
            minute: Watched::new(Window::Minute, started_at_unix_ms),
            watched: KEPT_WINDOWS.map(|window| Watched::new(window, started_at_unix_ms)).into(),
        }
    }

    /// Takes in what a tick brought.
    pub(crate) fn push(&mut self, tick: u64, requests: Builder, told: Told, host: Host, reader: &Reader) {
        let errors = self.causes.add(tick, told.errors, |id| reader.name(id).text());
        for sighting in told.slow {
            let id = sighting.endpoint;
            if self.slowest_of.len() <= id {
                self.slowest_of.resize_with(id + 1, Slowest::default);
            }
            self.slowest_of[id].add(sighting);
            self.slowest.add(sighting);
        }
        let now_unix_ms = self.started_at_unix_ms + tick * 1000;
        for (id, slowest) in self.slowest_of.iter().enumerate() {
            reader.tell_from(id, slowest.worth_us(now_unix_ms));
        }
        reader.tell_whole_from(self.slowest.worth_us(now_unix_ms));
        self.tiers.push(requests.finish(host, errors));
        self.now = tick + 1;
        self.minute.advance(&self.tiers, self.now);
        self.watched
            .retain(|watched| KEPT_WINDOWS.contains(&watched.window) || watched.asked_at + WATCHED_SECONDS > tick);
        for watched in &mut self.watched {
            if watched.span().1 + WATCHED_SECONDS <= tick {
                watched.advance(&self.tiers, self.now);
            }
        }
    }

    /// The sums of a window as they are now; to be put back.
    fn take_watched(&mut self, window: Window) -> Watched {
        let kept = self.watched.iter().position(|watched| watched.window == window);
        let mut watched = match kept {
            Some(index) => self.watched.swap_remove(index),
            None => Watched::new(window, self.started_at_unix_ms),
        };
        watched.asked_at = self.now.saturating_sub(1);
        watched.advance(&self.tiers, self.now);
        watched
    }

    /// The last minute of all endpoints.
    pub(crate) fn last_minute(&self) -> RecentRequests {
        let (whole, seconds) = self.minute.whole();
        whole.recent(seconds)
    }

    /// The last minute of each endpoint.
    pub(crate) fn last_minute_of_each(&mut self) -> impl Iterator<Item = (usize, &Tally)> {
        self.minute.rows().map(|(id, row)| (id, &row.sums))
    }

    pub(crate) fn recent_errors(&self) -> Vec<ErrorEvent> {
        self.causes.recent()
    }
}
