//! The least pace of an upload. An upload of a byte a minute would hold a request's place for ever.

use std::time::Duration;

use tokio::time::Instant;

/// In each minute of waiting for the client so many bytes must come. A mobile phone at the edge of its network sends more in a second.
const LEAST_BYTES: usize = 1024;
const WINDOW: Duration = Duration::from_mins(1);
/// While the client sends nothing, its pace is checked so often.
pub(super) const UPLOAD_CHECK_EACH: Duration = Duration::from_secs(10);

/// Only the time in which the proxy waits for the client counts: an application may take as long as it likes.
#[derive(Default)]
pub(super) struct UploadPace {
    bytes: usize,
    waited: Duration,
    waits_since: Option<Instant>,
}

impl UploadPace {
    /// The proxy waits for the client.
    pub(super) fn wait(&mut self) {
        self.waits_since.get_or_insert_with(Instant::now);
    }

    /// A part has come.
    pub(super) fn add(&mut self, bytes: usize) {
        self.waited += self.waits_since.take().map_or(Duration::ZERO, |since| since.elapsed());
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Whether a minute of waiting brought too little. A minute that brought enough is followed by a new one.
    pub(super) fn is_too_slow(&mut self) -> bool {
        let waiting = self.waits_since.map_or(Duration::ZERO, |since| since.elapsed());
        if self.waited + waiting < WINDOW {
            return false;
        }
        let bytes = std::mem::take(&mut self.bytes);
        self.waited = Duration::ZERO;
        self.waits_since = self.waits_since.map(|_| Instant::now());
        bytes < LEAST_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    /// Whether a client is cut that sends `bytes` each `pause`, within ten minutes.
    async fn is_cut(bytes: usize, pause: Duration) -> bool {
        let mut pace = UploadPace::default();
        let began = Instant::now();
        while began.elapsed() < Duration::from_mins(10) {
            pace.wait();
            let until = Instant::now() + pause;
            while Instant::now() < until {
                advance(UPLOAD_CHECK_EACH.min(until - Instant::now())).await;
                if pace.is_too_slow() {
                    return true;
                }
            }
            pace.add(bytes);
        }
        false
    }

    #[tokio::test(start_paused = true)]
    async fn an_upload_without_progress_is_cut_and_a_slow_one_is_not() {
        let seconds = Duration::from_secs;
        assert!(is_cut(1, seconds(60)).await, "a byte a minute");
        assert!(is_cut(1, seconds(4)).await, "a byte now and then");
        assert!(is_cut(0, seconds(600)).await, "nothing at all");
        assert!(!is_cut(100, seconds(5)).await, "a mobile phone at the edge of its network");
        assert!(!is_cut(20_000, seconds(45)).await, "a phone in a tunnel");
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_that_the_application_takes_does_not_count() {
        let mut pace = UploadPace::default();
        for _ in 0..100 {
            pace.wait();
            advance(Duration::from_millis(100)).await;
            pace.add(1);
            advance(Duration::from_mins(1)).await;
            assert!(!pace.is_too_slow());
        }
    }
}
