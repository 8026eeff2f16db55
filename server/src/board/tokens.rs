//! The tokens of sign-in links. Each opens one session, within [`LIFE`]. Only hashes are kept.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use subtle::ConstantTimeEq;

use super::sessions::{hash, random_id};

/// The life of a link that nobody opens: logs are kept for longer.
pub(super) const LIFE: Duration = Duration::from_hours(1);
/// Links at once. A further one ends the oldest.
const MOST: usize = 16;

/// The tokens that nobody has used yet.
#[derive(Debug, Default)]
pub(super) struct Tokens(Mutex<VecDeque<IssuedToken>>);

#[derive(Debug)]
struct IssuedToken {
    hash: [u8; 32],
    issued: Instant,
    is_printed: bool,
}

impl Tokens {
    /// A new token.
    pub(super) fn issue(&self, now: Instant) -> Result<String, getrandom::Error> {
        self.insert(now, false)
    }

    /// A new token to be printed, unless one that was printed is still good.
    pub(super) fn issue_printed(&self, now: Instant) -> Result<Option<String>, getrandom::Error> {
        if self.live(now).iter().any(|token| token.is_printed) {
            return Ok(None);
        }
        self.insert(now, true).map(Some)
    }

    /// Whether a token opens the board. It stays good.
    pub(super) fn is_good(&self, token: &str, now: Instant) -> bool {
        find(&self.live(now), token).is_some()
    }

    /// Whether a token opens the board. It opens nothing afterwards.
    pub(super) fn redeem(&self, token: &str, now: Instant) -> bool {
        let mut tokens = self.live(now);
        let found = find(&tokens, token);
        found.and_then(|at| tokens.remove(at)).is_some()
    }

    fn insert(&self, now: Instant, is_printed: bool) -> Result<String, getrandom::Error> {
        let token = random_id()?;
        let mut tokens = self.live(now);
        if tokens.len() >= MOST {
            tokens.pop_front();
        }
        tokens.push_back(IssuedToken { hash: hash(&token), issued: now, is_printed });
        Ok(token)
    }

    /// The tokens that are still good.
    fn live(&self, now: Instant) -> MutexGuard<'_, VecDeque<IssuedToken>> {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.retain(|token| now.duration_since(token.issued) < LIFE);
        tokens
    }
}

/// Looks at all tokens, whichever it is.
fn find(tokens: &VecDeque<IssuedToken>, token: &str) -> Option<usize> {
    let sent = hash(token);
    let is_sent = |known: &IssuedToken| bool::from(known.hash.ct_eq(&sent));
    tokens.iter().enumerate().fold(None, |found, (at, known)| if is_sent(known) { Some(at) } else { found })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_once_and_for_an_hour() {
        let (tokens, now) = (Tokens::default(), Instant::now());
        let (first, second) = (tokens.issue(now).unwrap(), tokens.issue(now).unwrap());
        assert!(first.len() == 64 && first != second && !format!("{tokens:?}").contains(&first));
        assert!(tokens.is_good(&first, now) && tokens.is_good(&first, now), "a look does not use it");
        assert!(tokens.redeem(&first, now) && !tokens.redeem(&first, now) && !tokens.is_good(&first, now));
        assert!(tokens.is_good(&second, now + LIFE / 2) && !tokens.redeem(&second, now + LIFE));
        assert!(!tokens.redeem("", now) && !tokens.redeem(&"0".repeat(64), now));
    }

    #[test]
    fn one_is_printed_at_a_time() {
        let (tokens, now) = (Tokens::default(), Instant::now());
        let first = tokens.issue_printed(now).unwrap().unwrap();
        assert_eq!(tokens.issue_printed(now + LIFE / 2), Ok(None));
        assert!(tokens.redeem(&first, now));
        assert!(tokens.issue_printed(now).unwrap().is_some(), "it was used");
        assert!(tokens.issue_printed(now + LIFE).unwrap().is_some(), "it has expired");
    }

    #[test]
    fn one_too_many_ends_the_oldest() {
        let (tokens, now) = (Tokens::default(), Instant::now());
        let issued: Vec<_> = (0..=MOST).map(|_| tokens.issue(now).unwrap()).collect();
        assert!(!tokens.is_good(&issued[0], now) && issued[1..].iter().all(|token| tokens.is_good(token, now)));
        assert_eq!(tokens.live(now).len(), MOST);
    }
}
