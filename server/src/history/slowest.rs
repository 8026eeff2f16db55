//! The slowest requests of every window that ends now. A request can be forgotten once as many newer ones were slower as a
//! list is long: they are in each window that it is in, and stand before it.

use crate::requests::Sighting;

/// Requests of a list: of all endpoints, and of each.
pub(crate) const LISTED: usize = 10;
pub(crate) const LISTED_OF_EACH: usize = 5;
/// Requests that are remembered. Some hundred are enough for a day of traffic in no order; latencies that fall all the time
/// would want more, and lose the faster of the older ones.
const KEPT: usize = 128;
/// A day: no window is longer.
const KEPT_MS: u64 = 86_400_000;
/// What is slow of late is judged by the slowest of these seconds.
const LATE_MS: u64 = 10_000;

pub(crate) struct Slowest {
    listed: usize,
    /// Oldest first, each with how many newer ones were slower.
    kept: Vec<(Sighting, usize)>,
}

impl Slowest {
    pub(crate) fn new(listed: usize) -> Self {
        Self { listed, kept: vec![] }
    }

    pub(crate) fn add(&mut self, new: Sighting) {
        for (old, slower) in &mut self.kept {
            *slower += usize::from(new.duration_us >= old.duration_us);
        }
        let begins = new.at_unix_ms.saturating_sub(KEPT_MS);
        self.kept.retain(|(old, slower)| *slower < self.listed && old.at_unix_ms >= begins);
        if self.kept.len() == KEPT {
            let older = &self.kept[..KEPT / 2];
            let fastest = older.iter().enumerate().min_by_key(|(_, (old, _))| old.duration_us);
            if let Some((index, _)) = fastest {
                self.kept.remove(index);
            }
        }
        self.kept.push((new, 0));
    }

    /// The slowest since a time, the slowest first.
    pub(crate) fn since(&self, unix_ms: u64) -> Vec<Sighting> {
        let mut slowest: Vec<Sighting> =
            self.kept.iter().map(|(sighting, _)| *sighting).filter(|sighting| sighting.at_unix_ms >= unix_ms).collect();
        slowest.sort_by_key(|sighting| (std::cmp::Reverse(sighting.duration_us), sighting.at_unix_ms));
        slowest.truncate(self.listed);
        slowest
    }

    /// From which duration on a request is worth telling, since it would be in the list of the last seconds.
    pub(crate) fn worth_us(&self, now_unix_ms: u64) -> u64 {
        self.since(now_unix_ms.saturating_sub(LATE_MS)).get(self.listed - 1).map_or(0, |last| last.duration_us)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::history::tests::sighting;

    proptest! {
        #[test]
        fn the_list_of_every_window_is_exact(durations_us in prop::collection::vec(0u64..1000, 0..300), begins in 0u64..300) {
            let all: Vec<Sighting> = (0..).zip(durations_us).map(|(at, duration)| sighting(0, at, duration)).collect();
            let mut slowest = Slowest::new(LISTED);
            for sighting in &all {
                slowest.add(*sighting);
            }
            let mut exact: Vec<u64> =
                all.iter().filter(|one| one.at_unix_ms >= begins).map(|one| one.duration_us).collect();
            exact.sort_unstable_by_key(|duration| std::cmp::Reverse(*duration));
            exact.truncate(LISTED);
            let listed: Vec<u64> = slowest.since(begins).iter().map(|one| one.duration_us).collect();
            prop_assert_eq!(listed, exact);
        }
    }

    #[test]
    fn latencies_that_fall_for_ever_take_no_more_room() {
        let mut slowest = Slowest::new(LISTED);
        (0..10_000).for_each(|at| slowest.add(sighting(0, at, 1_000_000 - at)));
        assert_eq!(slowest.kept.len(), KEPT);
        assert_eq!(slowest.since(0)[0].duration_us, 1_000_000, "the slowest of all");
        assert_eq!(slowest.since(9_995).len(), 5, "and the newest");
    }
}
