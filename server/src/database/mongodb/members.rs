//! The last state of each server of the deployment, by the driver's monitors: its role, or the typed error. The driver's failure to
//! select a server has that error only as text. There are as many entries as the deployment has servers.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use mongodb::{bson::Document, error::Error, event::sdam::SdamEvent};
use watchboard_wire::{DatabaseFailure, FailureKind};

use super::{
    classify::{self, Verdict, verdict},
    hello::role,
};

/// A sentence lists at most so many members.
const MOST_LISTED: usize = 7;

#[derive(Default)]
pub(super) struct Members(Mutex<BTreeMap<String, MemberState>>);

/// The state of a server at the last heartbeat.
enum MemberState {
    Role(&'static str),
    Error(Error),
}

impl Members {
    pub(super) fn note(&self, event: SdamEvent) {
        match event {
            SdamEvent::ServerHeartbeatSucceeded(event) => {
                self.record_state(event.server_address.to_string(), MemberState::Role(place(&event.reply)));
            }
            SdamEvent::ServerHeartbeatFailed(event) => {
                self.record_state(event.server_address.to_string(), MemberState::Error(event.failure));
            }
            SdamEvent::ServerClosed(event) => {
                self.lock().remove(&event.address.to_string());
            }
            _ => {}
        }
    }

    fn record_state(&self, address: String, state: MemberState) {
        self.lock().insert(address, state);
    }

    /// A panic while the lock was held leaves a whole map.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, MemberState>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The addresses to try when no answer came: the primary's, else all; empty before the first heartbeat.
    pub(super) fn addresses(&self) -> Vec<String> {
        let all = self.lock();
        let primaries: Vec<_> = all.iter().filter(|(_, met)| matches!(met, MemberState::Role("primary"))).collect();
        match primaries[..] {
            [] => all.keys().cloned().collect(),
            _ => primaries.into_iter().map(|(address, _)| address.clone()).collect(),
        }
    }

    /// Why no server can be selected: no member that answers is the primary, or no member answers. `None` before the first heartbeat.
    pub(super) fn no_server_verdict(&self, tls: bool) -> Option<Verdict> {
        let all = self.lock();
        let answering = all.values().filter(|met| matches!(met, MemberState::Role(_))).count();
        if answering > 0 {
            return Some(Verdict::Failure(no_primary(&all, answering, tls)));
        }
        drop(all);
        self.failure_verdict(tls)
    }

    /// The verdict on the servers that do not answer.
    pub(super) fn failure_verdict(&self, tls: bool) -> Option<Verdict> {
        let all = self.lock();
        let mut errors = all.values().filter_map(|met| match met {
            MemberState::Error(error) => Some(verdict(error, tls)),
            MemberState::Role(_) => None,
        });
        let first = errors.next()?;
        // A certain failure comes before one that a connection has to explain.
        let explains =
            |error: &Verdict| matches!((error, &first), (Verdict::Failure(_), Verdict::Silence | Verdict::Broken));
        Some(errors.find(explains).unwrap_or(first))
    }
}

fn place(hello: &Document) -> &'static str {
    if hello.get_str("setName").is_err() { "no member of a replica set" } else { role(hello) }
}

fn no_primary(all: &BTreeMap<String, MemberState>, answering: usize, tls: bool) -> DatabaseFailure {
    let member = |(address, met): (&String, &MemberState)| match met {
        MemberState::Role(role) => format!("{address} is {role}"),
        MemberState::Error(error) => format!("{address}: {}", outcome_words(&verdict(error, tls))),
    };
    let mut members: Vec<_> = all.iter().take(MOST_LISTED).map(member).collect();
    if all.len() > MOST_LISTED {
        members.push("…".to_owned());
    }
    let members = members.join("; ");
    let of = all.len();
    let detail = if answering * 2 > of {
        format!("{answering} of {of} members answer and none is elected, which takes some seconds: {members}")
    } else {
        format!("{answering} of {of} members answer, too few to elect one: bring others back ({members})")
    };
    DatabaseFailure::new(FailureKind::NoPrimary, detail)
}

fn outcome_words(outcome: &Verdict) -> &'static str {
    match outcome {
        Verdict::Failure(failure) => failure.kind.words(),
        Verdict::Silence => "no answer",
        Verdict::Broken | Verdict::GivenUp => classify::broken_off().kind.words(),
        Verdict::NoServer => "not usable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    fn error(kind: io::ErrorKind) -> MemberState {
        MemberState::Error(io::Error::from(kind).into())
    }

    fn why(met: Vec<(&str, MemberState)>) -> DatabaseFailure {
        let members = Members::default();
        for (address, met) in met {
            members.record_state(address.to_owned(), met);
        }
        match members.no_server_verdict(false) {
            Some(Verdict::Failure(failure)) => failure,
            _ => panic!("not known"),
        }
    }

    #[test]
    fn members_that_answer_are_not_an_outage_of_the_network() {
        let refused = || error(io::ErrorKind::ConnectionRefused);
        let failure = why(vec![("a:1", MemberState::Role("secondary")), ("b:1", refused()), ("c:1", refused())]);
        assert_eq!(failure.kind, FailureKind::NoPrimary);
        let detail = "1 of 3 members answer, too few to elect one: bring others back (a:1 is secondary; b:1: connection refused; \
                      c:1: connection refused)";
        assert_eq!(failure.detail, detail);
        let failure = why(vec![
            ("a:1", MemberState::Role("secondary")),
            ("b:1", MemberState::Role("secondary")),
            ("c:1", refused()),
        ]);
        assert!(failure.detail.starts_with("2 of 3 members answer and none is elected"), "{}", failure.detail);
    }

    #[test]
    fn where_none_answers_what_is_known_for_sure_counts() {
        let failure =
            why(vec![("a:1", error(io::ErrorKind::TimedOut)), ("b:1", error(io::ErrorKind::ConnectionRefused))]);
        assert_eq!(failure.kind, FailureKind::Refused);
    }

    #[test]
    fn the_primary_is_knocked_at_first() {
        let members = Members::default();
        members.record_state("a:1".to_owned(), MemberState::Role("secondary"));
        assert_eq!(members.addresses(), ["a:1"]);
        members.record_state("b:1".to_owned(), MemberState::Role("primary"));
        assert_eq!(members.addresses(), ["b:1"]);
    }
}
