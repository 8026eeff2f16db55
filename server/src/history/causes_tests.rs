//! Errors as causes: which are one, and what is kept of them.

use super::*;
use crate::{
    history::tests::sighting,
    requests::{Ending, Outcome},
};

fn error(endpoint: usize, status: u16, text: &str) -> ReportedError {
    let ending = Ending { status, outcome: Outcome::Complete };
    let sighting = Sighting { ending, ..sighting(endpoint, 1_000, 7) };
    ReportedError { sighting, kind: ErrorKind::Server, excerpt: text.into(), location: None }
}

fn name(endpoint: usize) -> String {
    format!("GET /{endpoint}")
}

#[test]
fn a_message_is_found_where_frameworks_put_it() {
    for (excerpt, expected) in [
        ("no such user\nat line 3", Some("no such user")),
        (r#"{"detail":"Not Found"}"#, Some("Not Found")),
        (r#"{"error":{"code":7}}"#, Some(r#"{"code":7}"#)),
        (r#"{"cut": "of"#, Some(r#"{"cut": "of"#)),
        ("  \u{7}\n", None),
        ("", None),
    ] {
        assert_eq!(message(excerpt.as_bytes()).as_deref(), expected);
    }
    assert_eq!(message("ä".repeat(300).as_bytes()).unwrap().chars().count(), MESSAGE_CHARS);
}

#[test]
fn what_differs_between_requests_is_left_out() {
    for (text, general) in [
        ("no user 17", "no user #"),
        ("no user 7f9c24e8-3b12-4fef-91e0-5be4d10c3c2f.", "no user #."),
        ("user42@example.com is taken", "#@example.com is taken"),
        ("timeout after 1.5s: try again", "timeout after #: try again"),
        ("the order database does not answer", "the order database does not answer"),
        ("", ""),
    ] {
        assert_eq!(mask_variable_words(text), general);
    }
}

#[test]
fn errors_of_one_cause_are_one_with_its_last_samples() {
    let mut causes = Causes::default();
    let errors = (0..20).map(|number| error(number % 2, 500, &format!("no user {number}"))).collect();
    assert_eq!(causes.add(3, errors, name), [(1, 10), (2, 10)]);
    assert_eq!(causes.add(4, vec![error(0, 502, "no user 1")], name), [(3, 1)]);
    let first = causes.iter().find(|cause| cause.cause.number == 1).unwrap();
    assert_eq!((first.tick, first.cause.total, first.cause.message.as_deref()), (3, 10, Some("no user #")));
    let samples: Vec<_> = first.cause.samples.iter().filter_map(|sample| sample.message.as_deref()).collect();
    assert_eq!(samples, ["no user 18", "no user 16", "no user 14", "no user 12", "no user 10"]);
    assert_eq!(causes.recent()[0].endpoint, "GET /0");
}

#[test]
fn a_panic_has_its_place_in_its_cause() {
    let mut causes = Causes::default();
    let panic = |line: u32| ReportedError {
        kind: ErrorKind::Panic,
        location: Some(format!("src/shop.rs:{line}:5")),
        ..error(0, 500, "index 7 out of bounds")
    };
    assert_eq!(causes.add(1, vec![panic(10), panic(10), panic(20)], name), [(1, 2), (2, 1)]);
    let first = causes.iter().find(|cause| cause.cause.number == 1).unwrap();
    assert_eq!(first.cause.message.as_deref(), Some("index # out of bounds at src/shop.rs:10:5"));
}

#[test]
fn causes_are_bounded_and_what_is_left_out_is_counted() {
    let mut causes = Causes::default();
    for endpoint in 0..300 {
        causes.add(1, vec![error(endpoint, 500, "")], name);
    }
    assert_eq!((causes.iter().count(), causes.recent().len()), (MOST_CAUSES, RECENT));
    assert_eq!(causes.uncounted_errors(1000), 700 + 100, "those that were never reported, and those that made room");
}

#[test]
fn what_mongodb_says_of_a_duplicate_ends_before_the_document() {
    let says = b"E11000 duplicate key error collection: shop.users index: email_1 dup key: { email: \"a@b.c\" }";
    let said = "E11000 duplicate key error collection: shop.users index: email_1 dup key: \u{2026}";
    assert_eq!(message(says).as_deref(), Some(said));
}
