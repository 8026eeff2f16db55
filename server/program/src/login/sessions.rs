//! The sessions of people who signed in. Only hashes of their ids are kept.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256};

/// An unused session ends after this.
const IDLE: Duration = Duration::from_hours(12);
/// Every session ends after this.
pub(super) const LONGEST: Duration = Duration::from_hours(7 * 24);
/// Sessions at once. A further one ends the oldest.
const MOST: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<HashMap<[u8; 32], Session>>);

#[derive(Debug)]
struct Session {
    began: Instant,
    used: Instant,
}

impl Session {
    fn is_live(&self, now: Instant) -> bool {
        now.duration_since(self.began) < LONGEST && now.duration_since(self.used) < IDLE
    }
}

impl Sessions {
    /// Begins a session and returns its id: 256 random bits, in hexadecimal.
    pub(super) fn begin(&self, now: Instant) -> Result<String, getrandom::Error> {
        let mut id = [0; 32];
        getrandom::fill(&mut id)?;
        let id = hex::encode(id);
        let mut sessions = self.lock();
        sessions.retain(|_, session| session.is_live(now));
        while sessions.len() >= MOST {
            let first = sessions.iter().min_by_key(|(_, session)| session.began).map(|(hash, _)| *hash);
            first.map(|first| sessions.remove(&first));
        }
        sessions.insert(hash(&id), Session { began: now, used: now });
        Ok(id)
    }

    /// Whether a live session has this id. The call counts as use.
    pub(super) fn is_live(&self, id: &str, now: Instant) -> bool {
        let mut sessions = self.lock();
        let session = sessions.get_mut(&hash(id)).filter(|session| session.is_live(now));
        session.map(|session| session.used = now).is_some()
    }

    pub(super) fn end(&self, id: &str) {
        self.lock().remove(&hash(id));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hash(id: &str) -> [u8; 32] {
    Sha256::digest(id).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn a_session_ends_when_it_is_not_used_and_after_a_week_in_any_case() {
        let (sessions, start) = (Sessions::default(), Instant::now());
        let (idle, busy) = (sessions.begin(start).unwrap(), sessions.begin(start).unwrap());
        let lives = (1..=200).filter(|hour| sessions.is_live(&busy, start + HOUR * *hour)).count();
        assert_eq!(lives, 7 * 24 - 1);
        assert!(!sessions.is_live(&idle, start + IDLE));
        let again = sessions.begin(start + 200 * HOUR).unwrap();
        assert!(sessions.is_live(&again, start + 200 * HOUR) && sessions.lock().len() == 1, "what ended is forgotten");
    }

    #[test]
    fn one_too_many_makes_the_first_one_go() {
        let (sessions, start) = (Sessions::default(), Instant::now());
        let ids: Vec<_> =
            (0..=MOST).map(|at| sessions.begin(start + Duration::from_secs(at as u64)).unwrap()).collect();
        let live = |id: &String| sessions.is_live(id, start + HOUR);
        assert!(!live(&ids[0]) && ids[1..].iter().all(live) && sessions.lock().len() == MOST);
    }

    #[test]
    fn an_ended_session_and_a_made_up_one_are_none() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let id = sessions.begin(now).unwrap();
        assert!(id.len() == 64 && !format!("{sessions:?}").contains(&id));
        sessions.end(&id);
        assert!(!sessions.is_live(&id, now) && !sessions.is_live("", now));
    }
}
