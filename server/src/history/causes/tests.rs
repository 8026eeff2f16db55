//! Errors as causes: which are one, and what is kept of them.

use super::*;
use crate::{
    history::tests::sighting,
    requests::{Ending, ErrorText, Outcome},
};

fn error(endpoint: usize, status: u16, text: &str) -> ReportedError {
    let ending = Ending { status, outcome: Outcome::Complete };
    let sighting = Sighting { ending, ..sighting(endpoint, 1_000, 7) };
    ReportedError { sighting, kind: ErrorKind::Server, text: ErrorText::Received(text.into()), location: None }
}

fn name(endpoint: usize) -> String {
    format!("GET /{endpoint}")
}

#[test]
fn errors_of_one_cause_are_one_with_its_last_samples() {
    let mut causes = Causes::default();
    let errors = (0..20).map(|number| error(number % 2, 500, &format!("no user {number}"))).collect();
    assert_eq!(causes.add(3, errors, false, name), [(1, 10), (2, 10)]);
    assert_eq!(causes.add(4, vec![error(0, 502, "no user 1")], false, name), [(3, 1)]);
    let first = causes.iter().find(|cause| cause.cause.number == 1).unwrap();
    assert_eq!((first.tick, first.cause.total, first.cause.message.as_deref()), (3, 10, Some("no user #")));
    let samples: Vec<_> = first.cause.samples.iter().filter_map(|sample| sample.message.as_deref()).collect();
    assert_eq!(samples, ["no user #"; 5]);
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
    assert_eq!(causes.add(1, vec![panic(10), panic(10), panic(20)], false, name), [(1, 2), (2, 1)]);
    let first = causes.iter().find(|cause| cause.cause.number == 1).unwrap();
    assert_eq!(first.cause.message.as_deref(), Some("index # out of bounds at src/shop.rs:10:5"));
}

#[test]
fn causes_are_bounded_and_what_is_left_out_is_counted() {
    let mut causes = Causes::default();
    for endpoint in 0..300 {
        causes.add(1, vec![error(endpoint, 500, "")], false, name);
    }
    assert_eq!((causes.iter().count(), causes.recent().len()), (MAX_CAUSES, RECENT));
    assert_eq!(causes.uncounted_errors(1000), 700 + 100, "those that were never reported, and those that made room");
}

#[test]
fn the_message_of_all_errors_is_told_if_they_have_one() {
    let mut causes = Causes::default();
    let errors = |text| vec![error(0, 500, text), error(1, 404, text)];
    causes.add(3, errors("no rate for 2027"), false, name);
    let only = |causes: &Causes, endpoint, since| causes.only_message(endpoint, since).map(str::to_owned);
    assert_eq!(only(&causes, 0, 2).as_deref(), Some("no rate for #"));
    assert_eq!([only(&causes, 1, 2), only(&causes, 2, 2), only(&causes, 0, 4)], [None, None, None]);
    causes.add(70, errors("it is late"), false, name);
    assert_eq!(only(&causes, 0, 3), None, "two causes");
    assert_eq!(only(&causes, 0, 10).as_deref(), Some("it is late"));
}
