//! The pauses between logins that a server refuses. Servers lock accounts after a few refused logins, and log each one.

use std::time::Duration;

use tokio::time::Instant;
use watchboard_wire::{DatabaseFailure, FailureKind};

/// The pause after the first refused login. It doubles with each one that follows.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// The longest pause. With the round that follows it, a repaired login is noticed within fifteen seconds.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

#[derive(Default)]
pub(super) struct LoginBackoff {
    /// The last pause, and its end; `None` while logins succeed.
    pause: Option<(Duration, Instant)>,
}

impl LoginBackoff {
    pub(super) fn is_paused(&self) -> bool {
        self.pause.is_some_and(|(_, until)| Instant::now() < until)
    }

    /// Notes the outcome of a round. The failure of a refused login names the pause.
    pub(super) fn note<T>(&mut self, outcome: Result<T, DatabaseFailure>) -> Result<T, DatabaseFailure> {
        let pause = match &outcome {
            Err(failure) if failure.kind == FailureKind::AuthenticationFailed => {
                self.pause.map_or(FIRST_PAUSE, |(pause, _)| (pause * 2).min(LONGEST_PAUSE))
            }
            // An outage ends the pause, and says nothing of the login.
            Err(_) => {
                self.pause = self.pause.map(|(pause, _)| (pause, Instant::now()));
                return outcome;
            }
            Ok(_) => {
                self.pause = None;
                return outcome;
            }
        };
        self.pause = Some((pause, Instant::now() + pause));
        outcome.map_err(|failure| {
            let seconds = pause.as_secs();
            let waits = format!("the next attempt is {seconds} s later, so that the server does not lock the account");
            DatabaseFailure::new(failure.kind, format!("{}; {waits}", failure.detail))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn refused_logins_become_seldom_and_a_login_that_succeeds_ends_the_pauses() {
        let mut backoff = LoginBackoff::default();
        let refused = || Err::<(), _>(DatabaseFailure::new(FailureKind::AuthenticationFailed, "wrong"));
        let started = Instant::now();
        let mut attempts = vec![];
        while started.elapsed() < Duration::from_mins(1) {
            if !backoff.is_paused() {
                attempts.push(started.elapsed().as_secs());
                let failure = backoff.note(refused()).unwrap_err();
                assert!(failure.detail.starts_with("wrong; the next attempt is "), "{}", failure.detail);
            }
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert_eq!(attempts, [0, 2, 6, 14, 24, 34, 44, 54]);
        backoff.note(Err::<(), _>(DatabaseFailure::new(FailureKind::Refused, "gone"))).unwrap_err();
        assert!(!backoff.is_paused(), "an outage has to be followed");
        let failure = backoff.note(refused()).unwrap_err();
        assert!(failure.detail.contains("is 10 s later"), "{}", failure.detail);
        backoff.note(Ok(())).unwrap();
        assert!(!backoff.is_paused());
        backoff.note(refused()).unwrap_err();
        tokio::time::advance(FIRST_PAUSE).await;
        assert!(!backoff.is_paused());
    }
}
