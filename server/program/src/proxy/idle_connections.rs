//! The idle connections of a pool, each with the time until it may be used.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// Idle connections are kept so long, unless the application announces less by `Keep-Alive`. Most servers close theirs after five seconds.
const IDLE_FOR: Duration = Duration::from_secs(3);
/// The same, for a request that cannot be retried if its connection closes meanwhile: gunicorn closes after two seconds.
const FRESH_FOR: Duration = Duration::from_secs(1);
/// This long before the announced end a connection is used no more.
const CLOSES_SOON: Duration = Duration::from_millis(500);

/// Which idle connections a request may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reuse {
    /// The request is retried if the application closes the connection.
    Any,
    /// Only one that the application does not close yet.
    Fresh,
}

/// Until when an idle connection may be used.
#[derive(Clone, Copy)]
pub(super) struct IdleTime {
    fresh_until: Instant,
    until: Instant,
}

impl IdleTime {
    pub(super) fn new(now: Instant, announced: Option<Duration>) -> Self {
        let most = announced.map_or(Duration::MAX, |announced| announced.saturating_sub(CLOSES_SOON));
        let fresh_for = if announced.is_some() { IDLE_FOR } else { FRESH_FOR };
        Self { fresh_until: now + fresh_for.min(most), until: now + IDLE_FOR.min(most) }
    }

    fn allows(self, now: Instant, reuse: Reuse) -> bool {
        now < match reuse {
            Reuse::Any => self.until,
            Reuse::Fresh => self.fresh_until,
        }
    }
}

/// Idle items. The newest is used first, so that surplus ones grow old.
pub(super) struct Idle<T>(VecDeque<(T, IdleTime)>);

impl<T> Default for Idle<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T> Idle<T> {
    pub(super) fn take(&mut self, now: Instant, reuse: Reuse) -> Option<T> {
        if self.0.back()?.1.allows(now, reuse) {
            return self.0.pop_back().map(|(kept, _)| kept);
        }
        let usable = self.0.iter().rposition(|(_, lease)| lease.allows(now, reuse))?;
        self.0.remove(usable).map(|(kept, _)| kept)
    }

    pub(super) fn keep(&mut self, kept: T, lease: IdleTime, most: usize) {
        if self.0.len() < most {
            self.0.push_back((kept, lease));
        }
    }

    /// Drops old items, and returns whether nothing is left.
    pub(super) fn sweep(&mut self, now: Instant) -> bool {
        self.0.retain(|(_, lease)| lease.allows(now, Reuse::Any));
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 10;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn what_nobody_needs_is_let_go_after_three_seconds() {
        let (mut idle, now) = (Idle::default(), Instant::now());
        idle.keep("first", IdleTime::new(now, None), MOST);
        idle.keep("second", IdleTime::new(now + ms(500), None), MOST);
        assert_eq!(idle.take(now + ms(600), Reuse::Fresh), Some("second"), "the last that came is used first");
        idle.keep("second", IdleTime::new(now + ms(700), None), MOST);
        assert_eq!(idle.take(now + ms(1800), Reuse::Fresh), None, "the application may close it any time");
        assert!(!idle.sweep(now + ms(3100)), "the first alone is old");
        assert_eq!(idle.0.len(), 1);
        assert_eq!(idle.take(now + ms(3200), Reuse::Any), Some("second"));
        assert!(idle.sweep(now + ms(3200)));
    }

    #[test]
    fn the_announced_end_of_a_connection_counts() {
        let (mut idle, now) = (Idle::default(), Instant::now());
        idle.keep("long", IdleTime::new(now, Some(ms(5000))), MOST);
        idle.keep("short", IdleTime::new(now, Some(ms(1000))), MOST);
        assert_eq!(idle.take(now + ms(600), Reuse::Any), Some("long"), "the other closes soon");
        assert_eq!(idle.take(now + ms(600), Reuse::Any), None);
        assert_eq!(idle.take(now + ms(400), Reuse::Fresh), Some("short"));
        idle.keep("long", IdleTime::new(now, Some(ms(5000))), MOST);
        assert_eq!(idle.take(now + ms(2900), Reuse::Fresh), Some("long"));
    }

    #[test]
    fn there_are_only_so_many_idle() {
        let (mut idle, lease) = (Idle::default(), IdleTime::new(Instant::now(), None));
        (0..2 * MOST).for_each(|number| idle.keep(number, lease, MOST));
        assert_eq!(idle.0.len(), MOST);
    }
}
