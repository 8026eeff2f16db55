//! Parts of the program around the monitor that failed and were started again.

use watchboard_wire::{Finding, FindingSubject, format};

use super::finding::degraded_finding;

/// A restart is reported for ten minutes.
const RECENT_SECONDS: u64 = 600;

/// Holds the count of restarts.
#[derive(Default)]
pub(super) struct Restarts {
    count: u64,
    /// The tick of the last restart, and the restarts since there was a finding.
    recent: Option<(u64, u64)>,
}

impl Restarts {
    pub(super) fn restart_finding(&mut self, tick: u64, count: u64) -> Option<Finding> {
        let more = count.saturating_sub(self.count);
        self.count = count;
        self.recent = self.recent.filter(|(at, _)| tick - at < RECENT_SECONDS);
        if more > 0 {
            self.recent = Some((tick, more + self.recent.map_or(0, |(_, recent)| recent)));
        }
        let (at, recent) = self.recent?;
        let times = if recent == 1 { String::new() } else { format!(" {recent} times, last") };
        let ago = format::span(tick - at);
        let sentence = format!("a part of Watchboard failed and was started again{times} {ago} ago: see its log");
        Some(degraded_finding(sentence, FindingSubject::Memory))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_is_reported_for_ten_minutes() {
        let mut restarts = Restarts::default();
        let mut sentence = |tick, count| restarts.restart_finding(tick, count).map(|finding| finding.sentence);
        assert_eq!(sentence(1, 0), None);
        assert_eq!(
            sentence(2, 1).unwrap(),
            "a part of Watchboard failed and was started again 0\u{a0}s ago: see its log"
        );
        let several = sentence(62, 4).unwrap();
        assert!(several.contains("started again 4 times, last 0\u{a0}s ago"), "{several}");
        assert!(sentence(661, 4).is_some());
        assert_eq!(sentence(662, 4), None);
    }
}
