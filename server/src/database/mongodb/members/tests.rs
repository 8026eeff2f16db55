use super::*;
use mongodb::bson::{Document, doc};
use std::io;

fn error(kind: io::ErrorKind) -> MemberState {
    MemberState::Error(io::Error::from(kind).into())
}

fn answers(more: Document) -> MemberState {
    let mut hello = doc! { "setName": "rs0" };
    hello.extend(more);
    MemberState::Answers(SelfDescription::from(&hello))
}

fn secondary() -> MemberState {
    answers(doc! { "secondary": true })
}

fn why(states: Vec<(&str, MemberState)>) -> DatabaseFailure {
    let members = Members::default();
    for (address, state) in states {
        members.record_state(address.to_owned(), state);
    }
    match members.no_server_verdict(false) {
        Some(Verdict::Failure(failure)) => failure,
        _ => panic!("not known"),
    }
}

#[test]
fn members_that_answer_are_not_an_outage_of_the_network() {
    let refused = || error(io::ErrorKind::ConnectionRefused);
    let failure = why(vec![("a:1", secondary()), ("b:1", refused()), ("c:1", refused())]);
    assert_eq!(failure.kind, FailureKind::NoPrimary);
    let detail = "1 of 3 members answer, too few to elect one: bring others back (a:1 is secondary; b:1: connection refused; \
                  c:1: connection refused)";
    assert_eq!(failure.detail, detail);
    let failure = why(vec![("a:1", secondary()), ("b:1", secondary()), ("c:1", refused())]);
    assert!(failure.detail.starts_with("2 of 3 members answer and none is elected"), "{}", failure.detail);
}

#[test]
fn a_primary_that_only_the_others_reach_is_no_set_without_one() {
    let follows = || answers(doc! { "secondary": true, "primary": "c:1" });
    let states = vec![("a:1", follows()), ("b:1", follows()), ("c:1", error(io::ErrorKind::ConnectionRefused))];
    let failure = why(states);
    assert_eq!(failure.kind, FailureKind::Refused);
    assert!(failure.detail.starts_with("its set's primary is c:1, and nothing listens"), "{}", failure.detail);
}

#[test]
fn where_none_answers_what_is_known_for_sure_counts() {
    let failure = why(vec![("a:1", error(io::ErrorKind::TimedOut)), ("b:1", error(io::ErrorKind::ConnectionRefused))]);
    assert_eq!(failure.kind, FailureKind::Refused);
}

#[test]
fn the_primary_is_knocked_at_first() {
    let members = Members::default();
    members.record_state("a:1".to_owned(), secondary());
    assert_eq!(members.addresses(), ["a:1"]);
    members.record_state("b:1".to_owned(), answers(doc! { "ismaster": true }));
    assert_eq!(members.addresses(), ["b:1"]);
}
