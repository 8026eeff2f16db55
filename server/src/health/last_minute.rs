//! What counters have counted in the last minute.

use std::collections::VecDeque;

const MINUTE: u64 = 60;

/// Counters that only grow, and their values of the last minute.
pub(super) struct LastMinute<K>(VecDeque<(u64, Vec<(K, u64)>)>);

impl<K> Default for LastMinute<K> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<K: Clone + PartialEq> LastMinute<K> {
    /// Adds the counters of a tick; returns what each has counted in the last minute.
    pub(super) fn add(&mut self, tick: u64, counters: Vec<(K, u64)>) -> Vec<(K, u64)> {
        while self.0.len() > 1 && self.0[1].0 + MINUTE <= tick {
            self.0.pop_front();
        }
        let before = |key: &K| {
            let first = self.0.front().map(|(_, counters)| counters);
            first.and_then(|counters| counters.iter().find(|(name, _)| name == key)).map_or(0, |(_, count)| *count)
        };
        let recent = counters.iter().map(|(key, count)| (key.clone(), count.saturating_sub(before(key)))).collect();
        self.0.push_back((tick, counters));
        recent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_the_last_minute_are_those_since_a_minute_ago() {
        let mut counters = LastMinute::default();
        let mut add = |tick, count| counters.add(tick, vec![("a", count)])[0].1;
        assert_eq!([add(0, 5), add(1, 5), add(30, 9), add(60, 9)], [5, 0, 4, 4]);
        assert_eq!([add(89, 9), add(90, 9), add(91, 10)], [4, 0, 1]);
    }
}
