//! The last state of each server of the deployment, by the driver's monitors: what it says of itself, or the typed error. The
//! driver's failure to select a server has that error only as text. There are as many entries as the deployment has servers.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use mongodb::{error::Error, event::sdam::SdamEvent, options::ClientOptions};
use watchboard_wire::{DatabaseFailure, FailureKind};

use super::{
    classify::{self, Verdict, verdict},
    hello::{SelfDescription, ServerRole, removed},
};

/// A sentence lists at most so many members.
const MAX_LISTED: usize = 7;

#[derive(Default)]
pub(super) struct Members(Mutex<ServerStates>);

#[derive(Default)]
struct ServerStates {
    /// The servers that the driver watches now.
    watched: BTreeMap<String, MemberState>,
    /// The servers of the connection string, by their last answer. The driver gives one up that does not fit, or that its set does
    /// not name.
    seeds: BTreeMap<String, Option<SelfDescription>>,
    /// A server that only the set names has answered.
    others_answer: bool,
    /// When each server answered last.
    answered_at: BTreeMap<String, Instant>,
}

/// The state of a server at the last heartbeat.
enum MemberState {
    Answers(SelfDescription),
    Error(Error),
}

impl From<&ClientOptions> for Members {
    fn from(options: &ClientOptions) -> Self {
        let seeds = options.hosts.iter().map(|address| (address.to_string(), None)).collect();
        Self(Mutex::new(ServerStates { seeds, ..ServerStates::default() }))
    }
}

impl Members {
    pub(super) fn note(&self, event: SdamEvent) {
        match event {
            SdamEvent::ServerHeartbeatSucceeded(event) => {
                let description = SelfDescription::from(&event.reply);
                self.record_state(event.server_address.to_string(), MemberState::Answers(description));
            }
            SdamEvent::ServerHeartbeatFailed(event) => {
                self.record_state(event.server_address.to_string(), MemberState::Error(event.failure));
            }
            SdamEvent::ServerClosed(event) => {
                let (mut states, address) = (self.lock(), event.address.to_string());
                states.watched.remove(&address);
                states.answered_at.remove(&address);
            }
            _ => {}
        }
    }

    fn record_state(&self, address: String, state: MemberState) {
        let mut states = self.lock();
        let answer = match &state {
            MemberState::Answers(description) => {
                states.answered_at.insert(address.clone(), Instant::now());
                Some(description.clone())
            }
            MemberState::Error(_) => None,
        };
        match states.seeds.get_mut(&address) {
            Some(seed) => *seed = answer,
            None => states.others_answer |= answer.is_some(),
        }
        states.watched.insert(address, state);
    }

    /// A panic while the lock was held leaves whole maps.
    fn lock(&self) -> MutexGuard<'_, ServerStates> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a server answers. Without a heartbeat so far, or if the driver watches no server, this is unknown, and true.
    pub(super) fn may_answer(&self) -> bool {
        let states = self.lock();
        states.watched.is_empty() || states.watched.values().any(|state| matches!(state, MemberState::Answers(_)))
    }

    /// Whether the primary, or where there is none a server, has answered since a time.
    pub(super) fn has_answered_since(&self, since: Instant) -> bool {
        let states = self.lock();
        match states.primary() {
            Some(primary) => states.answered_at.get(&primary).is_some_and(|at| *at >= since),
            None => states.answered_at.values().any(|at| *at >= since),
        }
    }

    /// The servers of the connection string that answer, with what they say of themselves.
    pub(super) fn answering_seeds(&self) -> Vec<(String, SelfDescription)> {
        let states = self.lock();
        let seeds = states.seeds.iter();
        seeds.filter_map(|(address, answer)| Some((address.clone(), answer.clone()?))).collect()
    }

    /// A server of the connection string whose set does not name it, while no server that the set names answers.
    pub(super) fn unnamed_seed(&self) -> Option<(String, SelfDescription)> {
        let states = self.lock();
        let is_watched = states.seeds.keys().any(|address| states.watched.contains_key(address));
        let mut seeds = states.seeds.iter();
        let unnamed = seeds.find_map(|(address, answer)| match answer {
            Some(answer) if !answer.members.is_empty() && !answer.members.contains(address) => Some((address, answer)),
            _ => None,
        })?;
        (!is_watched && !states.others_answer).then(|| (unnamed.0.clone(), unnamed.1.clone()))
    }

    /// The addresses to try when no answer came: the primary's, else all, else those that a set names; empty before the first
    /// heartbeat.
    pub(super) fn addresses(&self) -> Vec<String> {
        let states = self.lock();
        if let Some(primary) = states.primary() {
            return vec![primary];
        }
        if states.watched.is_empty() {
            return states.seeds.values().flatten().flat_map(|seed| seed.members.clone()).collect();
        }
        states.watched.keys().cloned().collect()
    }

    /// Why no server can be selected: no member that answers is the primary, or no member answers. `None` before the first heartbeat.
    pub(super) fn no_server_verdict(&self, tls: bool) -> Option<Verdict> {
        let states = self.lock();
        if states.answering().next().is_none() {
            drop(states);
            return self.failure_verdict(tls);
        }
        // Members that answer may still see a primary that is out of reach from here.
        if let Some(primary) = states.primary()
            && let Some(MemberState::Error(error)) = states.watched.get(&primary)
        {
            return Some(match verdict(error, tls) {
                Verdict::Failure(failure) => Verdict::Failure(name_primary(&primary, failure)),
                verdict => verdict,
            });
        }
        Some(Verdict::Failure(states.no_primary(tls)))
    }

    /// The verdict on the servers that do not answer.
    pub(super) fn failure_verdict(&self, tls: bool) -> Option<Verdict> {
        let states = self.lock();
        let mut errors = states.watched.values().filter_map(|state| match state {
            MemberState::Error(error) => Some(verdict(error, tls)),
            MemberState::Answers(_) => None,
        });
        let first = errors.next()?;
        // A certain failure comes before one that a connection has to explain.
        let explains =
            |error: &Verdict| matches!((error, &first), (Verdict::Failure(_), Verdict::Silence | Verdict::Broken));
        Some(errors.find(explains).unwrap_or(first))
    }
}

impl ServerStates {
    fn answering(&self) -> impl Iterator<Item = (&String, &SelfDescription)> {
        self.watched.iter().filter_map(|(address, state)| match state {
            MemberState::Answers(description) => Some((address, description)),
            MemberState::Error(_) => None,
        })
    }

    /// The primary: by its own answer, else by that of another member.
    fn primary(&self) -> Option<String> {
        let own = self.answering().find(|(_, answer)| answer.role == ServerRole::Primary);
        own.map(|(address, _)| address.clone())
            .or_else(|| self.answering().find_map(|(_, answer)| answer.primary.clone()))
    }

    fn no_primary(&self, tls: bool) -> DatabaseFailure {
        let mut removed_servers = self.answering().filter(|(_, answer)| answer.role == ServerRole::Removed);
        if let Some((address, _)) = removed_servers.next() {
            return DatabaseFailure::new(FailureKind::NoPrimary, removed(address));
        }
        let member = |(address, state): (&String, &MemberState)| match state {
            MemberState::Answers(answer) => format!("{address} is {}", answer.role.words()),
            MemberState::Error(error) => format!("{address}: {}", verdict_words(&verdict(error, tls))),
        };
        let mut members: Vec<_> = self.watched.iter().take(MAX_LISTED).map(member).collect();
        if self.watched.len() > MAX_LISTED {
            members.push("…".to_owned());
        }
        let members = members.join("; ");
        let (of, answering) = (self.watched.len(), self.answering().count());
        let detail = if answering * 2 > of {
            format!("{answering} of {of} members answer and none is elected, which takes some seconds: {members}")
        } else {
            format!("{answering} of {of} members answer, too few to elect one: bring others back ({members})")
        };
        DatabaseFailure::new(FailureKind::NoPrimary, detail)
    }
}

/// A failure of the primary alone.
fn name_primary(primary: &str, failure: DatabaseFailure) -> DatabaseFailure {
    DatabaseFailure::new(failure.kind, format!("its set's primary is {primary}, and {}", failure.detail))
}

fn verdict_words(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Failure(failure) => failure.kind.words(),
        Verdict::Silence => "no answer",
        Verdict::Broken | Verdict::GivenUp => classify::broken_off().kind.words(),
        Verdict::NoServer => "not usable",
    }
}

#[cfg(test)]
mod tests;
