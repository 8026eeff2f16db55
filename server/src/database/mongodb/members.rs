//! What the driver's monitors last met at each server of the deployment: its role, or the error in the driver's own type, which the
//! failure of a question holds only as text. As many entries as the deployment has servers.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use mongodb::{bson::Document, error::Error, event::sdam::SdamEvent};
use watchboard_wire::{DatabaseFailure, FailureKind};

use super::{
    classify::{self, Verdict, told},
    role,
};

/// Of more members no more are told in a sentence.
const MOST_TOLD: usize = 7;

#[derive(Default)]
pub(super) struct Members(Mutex<BTreeMap<String, Met>>);

/// What was met at a server.
enum Met {
    Role(&'static str),
    Error(Error),
}

impl Members {
    pub(super) fn note(&self, event: SdamEvent) {
        match event {
            SdamEvent::ServerHeartbeatSucceeded(event) => {
                self.met(event.server_address.to_string(), Met::Role(place(&event.reply)));
            }
            SdamEvent::ServerHeartbeatFailed(event) => {
                self.met(event.server_address.to_string(), Met::Error(event.failure));
            }
            SdamEvent::ServerClosed(event) => {
                self.all().remove(&event.address.to_string());
            }
            _ => {}
        }
    }

    fn met(&self, address: String, met: Met) {
        self.all().insert(address, met);
    }

    /// A panic while it was held leaves a whole map.
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Met>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where to knock when no answer came: at the primary's, else at all; none before the first was met.
    pub(super) fn addresses(&self) -> Vec<String> {
        let all = self.all();
        let primaries: Vec<_> = all.iter().filter(|(_, met)| matches!(met, Met::Role("primary"))).collect();
        match primaries[..] {
            [] => all.keys().cloned().collect(),
            _ => primaries.into_iter().map(|(address, _)| address.clone()).collect(),
        }
    }

    /// Why no server can be chosen: since none that answers is the primary, or since none answers; none where nothing is known of any.
    pub(super) fn why_none(&self, tls: bool) -> Option<Verdict> {
        let all = self.all();
        let answering = all.values().filter(|met| matches!(met, Met::Role(_))).count();
        if answering > 0 {
            return Some(Verdict::Failure(no_primary(&all, answering, tls)));
        }
        drop(all);
        self.failing(tls)
    }

    /// What is met at servers that do not answer.
    pub(super) fn failing(&self, tls: bool) -> Option<Verdict> {
        let all = self.all();
        let mut errors = all.values().filter_map(|met| match met {
            Met::Error(error) => Some(told(error, tls)),
            Met::Role(_) => None,
        });
        let first = errors.next()?;
        // What is known for sure before what has to be looked at.
        match errors.find(|told| matches!((told, &first), (Verdict::Failure(_), Verdict::Silence | Verdict::Broken))) {
            Some(known) => Some(known),
            None => Some(first),
        }
    }
}

fn place(hello: &Document) -> &'static str {
    if hello.get_str("setName").is_err() { "no member of a replica set" } else { role(hello) }
}

fn no_primary(all: &BTreeMap<String, Met>, answering: usize, tls: bool) -> DatabaseFailure {
    let member = |(address, met): (&String, &Met)| match met {
        Met::Role(role) => format!("{address} is {role}"),
        Met::Error(error) => format!("{address}: {}", words(&told(error, tls))),
    };
    let mut members: Vec<_> = all.iter().take(MOST_TOLD).map(member).collect();
    if all.len() > MOST_TOLD {
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

fn words(told: &Verdict) -> &'static str {
    match told {
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

    fn error(kind: io::ErrorKind) -> Met {
        Met::Error(io::Error::from(kind).into())
    }

    fn why(met: Vec<(&str, Met)>) -> DatabaseFailure {
        let members = Members::default();
        for (address, met) in met {
            members.met(address.to_owned(), met);
        }
        match members.why_none(false) {
            Some(Verdict::Failure(failure)) => failure,
            _ => panic!("not known"),
        }
    }

    #[test]
    fn members_that_answer_are_not_an_outage_of_the_network() {
        let refused = || error(io::ErrorKind::ConnectionRefused);
        let failure = why(vec![("a:1", Met::Role("secondary")), ("b:1", refused()), ("c:1", refused())]);
        assert_eq!(failure.kind, FailureKind::NoPrimary);
        let detail = "1 of 3 members answer, too few to elect one: bring others back (a:1 is secondary; b:1: connection refused; \
                      c:1: connection refused)";
        assert_eq!(failure.detail, detail);
        let failure = why(vec![("a:1", Met::Role("secondary")), ("b:1", Met::Role("secondary")), ("c:1", refused())]);
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
        members.met("a:1".to_owned(), Met::Role("secondary"));
        assert_eq!(members.addresses(), ["a:1"]);
        members.met("b:1".to_owned(), Met::Role("primary"));
        assert_eq!(members.addresses(), ["b:1"]);
    }
}
