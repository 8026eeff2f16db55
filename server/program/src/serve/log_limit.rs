//! A line of the log that comes at most once a minute.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

const EACH: Duration = Duration::from_mins(1);

/// Lets one line a minute through, and counts the others.
pub(crate) struct LogLimit(Mutex<LastLine>);

struct LastLine {
    last: Option<Instant>,
    held_back: u64,
}

impl LogLimit {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(LastLine { last: None, held_back: 0 }))
    }

    /// Whether to write the line now: with how many were held back since the last.
    pub(crate) fn pass(&self) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.last.is_some_and(|last| last.elapsed() < EACH) {
            state.held_back += 1;
            return None;
        }
        state.last = Some(Instant::now());
        Some(std::mem::take(&mut state.held_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_minute_passes_and_counts_the_others() {
        let limit = LogLimit::new();
        assert_eq!([limit.pass(), limit.pass(), limit.pass()], [Some(0), None, None]);
        limit.0.lock().unwrap().last = Instant::now().checked_sub(EACH);
        assert_eq!([limit.pass(), limit.pass()], [Some(2), None]);
    }
}
