//! The slowest requests of every window that ends now. A request is dropped once as many newer ones were slower as a list is long: they are
//! in each window that it is in, and rank before it.

use std::ops::Range;

use watchboard_wire::Window;

use crate::requests::SlowSighting;

/// The length of a list: for all endpoints, and for each.
pub(crate) const LISTED: usize = 10;
pub(crate) const LISTED_OF_EACH: usize = 5;
/// Requests that are kept. About a hundred are enough for a day of traffic in random order. Latencies that fall all the time need more,
/// and lose the faster of the older requests.
const KEPT: usize = 128;
/// No window is longer.
const KEPT_TICKS: u32 = Window::ThirteenMonths.seconds() as u32;
/// The last seconds, whose slowest requests decide which further ones are reported.
const LATE_TICKS: u64 = 10;

/// The slowest requests, of all endpoints or of one.
pub(crate) struct Slowest {
    listed: usize,
    /// Oldest first.
    kept: Vec<RankedSighting>,
}

/// A request, and its rank among newer ones.
struct RankedSighting {
    /// The tick of its report: the wall clock can be set between reports.
    tick: u32,
    sighting: SlowSighting,
    /// The number of newer requests that were slower.
    slower: u32,
}

impl Slowest {
    pub(crate) fn new(listed: usize) -> Self {
        Self { listed, kept: vec![] }
    }

    pub(crate) fn add(&mut self, tick: u64, new: SlowSighting) {
        for old in &mut self.kept {
            old.slower += u32::from(new.duration_us >= old.sighting.duration_us);
        }
        let tick = tick as u32;
        let begins = tick.saturating_sub(KEPT_TICKS);
        self.kept.retain(|old| (old.slower as usize) < self.listed && old.tick >= begins);
        if self.kept.len() == KEPT {
            let older = &self.kept[..KEPT / 2];
            let fastest = older.iter().enumerate().min_by_key(|(_, old)| old.sighting.duration_us);
            if let Some((index, _)) = fastest {
                self.kept.remove(index);
            }
        }
        // Not twice as many: there is such a list for each endpoint.
        if self.kept.len() == self.kept.capacity() {
            self.kept.reserve_exact(4);
        }
        self.kept.push(RankedSighting { tick, sighting: new, slower: 0 });
    }

    /// The memory that it holds, in bytes.
    pub(super) fn held_bytes(&self) -> usize {
        let beside = self.kept.iter().map(|kept| kept.sighting.held_bytes()).sum::<usize>();
        size_of::<Self>() + self.kept.capacity() * size_of::<RankedSighting>() + beside
    }

    /// Adds requests that are older than those which are kept, by rising time.
    pub(super) fn add_earlier(&mut self, earlier: Vec<SlowSighting>) {
        let newer = std::mem::take(&mut self.kept);
        for sighting in earlier {
            self.add(sighting.at_unix_ms / 1000, sighting);
        }
        for RankedSighting { tick, sighting, .. } in newer {
            self.add(tick.into(), sighting);
        }
    }

    /// The slowest within a span of ticks, the slowest first.
    pub(super) fn slowest_in(&self, span: Range<u64>) -> Vec<&SlowSighting> {
        let within = self.kept.iter().filter(|kept| span.contains(&kept.tick.into()));
        let mut slowest: Vec<&SlowSighting> = within.map(|kept| &kept.sighting).collect();
        slowest.sort_by_key(|sighting| (std::cmp::Reverse(sighting.duration_us), sighting.at_unix_ms));
        slowest.truncate(self.listed);
        slowest
    }

    /// The duration from which a request is reported, since it would be in the list of the last seconds.
    pub(crate) fn worth_us(&self, now: u64) -> u64 {
        self.slowest_in(now.saturating_sub(LATE_TICKS)..u64::MAX)
            .get(self.listed - 1)
            .map_or(0, |last| last.duration_us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{history::tests::sighting, requests::Sighting};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_list_of_every_window_is_exact(durations_us in prop::collection::vec(0u64..1000, 0..300), begins in 0u64..300) {
            let all: Vec<Sighting> = (0..).zip(durations_us).map(|(at, duration)| sighting(0, at, duration)).collect();
            let mut slowest = Slowest::new(LISTED);
            for sighting in &all {
                slowest.add(sighting.at_unix_ms, sighting.clone().into());
            }
            let mut exact: Vec<u64> =
                all.iter().filter(|one| one.at_unix_ms >= begins).map(|one| one.duration_us).collect();
            exact.sort_unstable_by_key(|duration| std::cmp::Reverse(*duration));
            exact.truncate(LISTED);
            let listed: Vec<u64> = slowest.slowest_in(begins..u64::MAX).iter().map(|one| one.duration_us).collect();
            prop_assert_eq!(listed, exact);
        }
    }

    #[test]
    fn latencies_that_fall_for_ever_take_no_more_room() {
        let mut slowest = Slowest::new(LISTED);
        (0..10_000).for_each(|at| slowest.add(at, sighting(0, at, 1_000_000 - at).into()));
        assert_eq!(slowest.kept.len(), KEPT);
        assert_eq!(slowest.slowest_in(0..u64::MAX)[0].duration_us, 1_000_000, "the slowest of all");
        assert_eq!(slowest.slowest_in(9_995..u64::MAX).len(), 5, "and the newest");
    }
}
