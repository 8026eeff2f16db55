//! Lines that wait for the log's writer, within a bound. Whoever logs waits for nothing: a line without a place is dropped, and counted.

use std::{
    mem,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use watchboard::program::count_dropped_log_lines;

/// The bytes that wait at most: some 8,000 lines. As many again are with the writer.
const MAX_BYTES: usize = 1 << 20;

#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<QueueState>,
    /// There is something to write, or nothing more will come.
    filled: Condvar,
    /// The writer has written all that waited.
    emptied: Condvar,
}

#[derive(Default)]
struct QueueState {
    text: Vec<u8>,
    /// Lines that were dropped, and of which the log does not tell yet.
    dropped: u64,
    is_writing: bool,
    is_closed: bool,
}

impl Queue {
    /// Adds whole lines, or drops them.
    pub(super) fn push(&self, lines: &[u8]) {
        let mut state = self.lock();
        if state.text.len() + lines.len() > MAX_BYTES {
            drop_lines(&mut state, lines);
        } else {
            state.text.extend_from_slice(lines);
            self.filled.notify_one();
        }
    }

    /// Counts lines that could not be written.
    pub(super) fn drop_lines(&self, lines: &[u8]) {
        drop_lines(&mut self.lock(), lines);
    }

    /// The number of lines that were dropped since the last call.
    pub(super) fn take_dropped(&self) -> u64 {
        mem::take(&mut self.lock().dropped)
    }

    /// The log does not tell of these after all.
    pub(super) fn put_dropped_back(&self, count: u64) {
        self.lock().dropped += count;
    }

    /// Waits for lines, and takes all. Returns nothing after `most` if lines were dropped of which the log has to tell, and `None` at the end.
    pub(super) fn take(&self, most: Duration) -> Option<Vec<u8>> {
        let mut state = self.lock();
        state.is_writing = false;
        if state.text.is_empty() {
            self.emptied.notify_all();
        }
        while state.text.is_empty() && !state.is_closed {
            if state.dropped == 0 {
                state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let (after, waited) = self.filled.wait_timeout(state, most).unwrap_or_else(PoisonError::into_inner);
            state = after;
            if waited.timed_out() {
                break;
            }
        }
        if state.is_closed && state.text.is_empty() {
            return None;
        }
        state.is_writing = true;
        Some(mem::take(&mut state.text))
    }

    /// Lets the writer write what waits, and end. Returns after `most` even if nobody reads the log.
    pub(super) fn close(&self, most: Duration) {
        let mut state = self.lock();
        state.is_closed = true;
        self.filled.notify_one();
        let is_busy = |state: &mut QueueState| state.is_writing || !state.text.is_empty();
        drop(self.emptied.wait_timeout_while(state, most, is_busy));
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn drop_lines(state: &mut QueueState, lines: &[u8]) {
    let count = lines.split_inclusive(|byte| *byte == b'\n').count() as u64;
    state.dropped += count;
    count_dropped_log_lines(count);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_place_is_dropped_and_counted() {
        let queue = Queue::default();
        let lines = b"a line\n".repeat(1000);
        for _ in 0..1000 {
            queue.push(&lines);
        }
        let kept = queue.take(Duration::ZERO).unwrap();
        assert!(kept.len() <= MAX_BYTES && kept.len() > MAX_BYTES - lines.len());
        let kept = kept.len() as u64 / 7;
        assert_eq!(queue.take_dropped(), 1_000_000 - kept);
        queue.push(b"the next\n");
        assert_eq!(queue.take(Duration::ZERO).unwrap(), b"the next\n");
    }

    #[test]
    fn at_the_end_it_waits_for_a_writer_and_not_for_ever() {
        let queue = Queue::default();
        queue.push(b"nobody writes this\n");
        queue.close(Duration::from_millis(10));
        assert!(queue.take(Duration::ZERO).is_some(), "what waited is still there");
        assert_eq!(queue.take(Duration::ZERO), None);
    }
}
