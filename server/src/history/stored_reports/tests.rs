//! Errors by cause and slow requests outlive the run that saw them.

use watchboard_wire::{CommandName, ErrorKind, Part, RefreshQuery, RefreshResponse, Snapshot, Window};

use super::*;
use crate::{
    history::{
        FrameBuilder, History, Host, NameLookup,
        store::{Earlier, KeptTimes, StoredPast},
        tests::{sighting, tally_with_failures},
    },
    requests::{ErrorText, Policy, Reader, Recorder, ReportedError, RequestReports, Sighting, record},
};

const FIRST: u64 = 1_764_000_000;
const SECONDS: u64 = 1_200;

/// A reader that knows endpoints by these routes, in this order.
fn reader_of(routes: &[&str]) -> Reader {
    let recorder = Recorder::new(Policy::default());
    let mut reader = Reader::new(recorder);
    for route in routes {
        record(recorder, route, 10);
        let _ = reader.take(|_, _| ());
    }
    reader
}

fn command(number: u16) -> CommandName {
    CommandName { command: "find".into(), database: "shop".into(), collection: format!("orders{number}") }
}

/// A failed request of an endpoint.
fn error(endpoint: usize, at_unix_ms: u64, text: &str) -> ReportedError {
    let ending = Ending { status: 503, outcome: Outcome::Complete };
    let sighting = Sighting { ending, ..sighting(endpoint, at_unix_ms, 4_000) };
    ReportedError { sighting, kind: ErrorKind::Server, text: ErrorText::Received(text.into()), location: None }
}

/// A slow request of an endpoint, with a database command.
fn slow(endpoint: usize, at_unix_ms: u64, duration_us: u64) -> Sighting {
    let steps = Box::new([Step { shape: 7, failed: true, at_us: 5, elapsed_us: 900 }]);
    let usage = RequestUsage { commands: 3, elapsed_us: 900, waited_us: 20, began_us: 40, steps };
    Sighting { usage: Some(Arc::new(usage)), ..sighting(endpoint, at_unix_ms, duration_us) }
}

/// A run in which the endpoint 1 of `reader` fails once in ten seconds. Returns what it stored.
fn stored_run(reader: &Reader) -> Earlier {
    let mut history = History::new(FIRST * 1000, FIRST);
    let mut earlier = Earlier::default();
    for tick in FIRST..FIRST + SECONDS {
        let mut frame = FrameBuilder::new(tick, 1);
        let errors = if tick % 10 == 3 { vec![error(1, tick * 1000, "the stock is locked")] } else { vec![] };
        frame.endpoint(1, &tally_with_failures(&[100], if errors.is_empty() { &[] } else { &[4_000] }));
        let slow = vec![slow(1, tick * 1000, 1_000 + tick - FIRST)];
        history.push(tick, frame, RequestReports { errors, slow }, Host::default(), reader);
        let batch = history.take_unstored(NameLookup { reader, command: &command });
        for step in batch.steps {
            earlier.steps.retain(|known| (known.tier, known.start) != (step.tier, step.start));
            earlier.steps.push(step);
        }
        earlier.names.extend(batch.names);
    }
    earlier
}

fn assert_told(answer: &RefreshResponse, errors: u64, last_tick: u64) {
    let [cause] = &answer.causes[..] else { panic!("one cause: {:?}", answer.causes) };
    let told = (cause.endpoint.as_str(), cause.status, cause.message.as_deref());
    assert_eq!(told, ("GET /stock", 503, Some("the stock is locked")));
    let counted: u64 = cause.points.iter().map(|(_, count)| u64::from(*count)).sum();
    assert_eq!((counted, answer.totals.server_errors, answer.uncounted_errors), (errors, errors, 0));
    assert_eq!(cause.samples[0].at_unix_ms / 1000, last_tick / 10 * 10 - 7);
    let slowest = answer.slowest.as_ref().expect("a table of the slowest");
    let own: Vec<_> = slowest.iter().map(|one| (one.endpoint.as_str(), one.duration_us)).collect();
    let slowest_us = 1_000 + last_tick - 1 - FIRST;
    assert_eq!(own, [("GET /stock", slowest_us), ("GET /stock", slowest_us - 1)]);
    let database = slowest[0].database.as_ref().expect("its commands");
    assert_eq!((database.commands, &database.names[..]), (3, &["find shop.orders9".to_owned()][..]));
    assert_eq!((database.steps[0].at_us, database.steps[0].failed), (45, true));
}

#[test]
fn errors_by_cause_and_slow_requests_are_there_after_a_restart_and_in_past_spans() {
    let earlier = stored_run(&reader_of(&["/users", "/stock"]));
    // The numbers of the next run are others.
    let mut reader = reader_of(&["/stock", "/a", "/b"]);
    let number = |name: &CommandName| (*name == command(7)).then_some(9);
    let mut history = History::new(2, FIRST + SECONDS);
    assert_eq!(history.restore(&earlier, &mut reader, &number), 0);
    let last_error = FIRST + SECONDS - 7;
    assert!(history.reported.causes.iter().all(|cause| cause.tick == last_error), "what is over is not of now");
    history.push(
        FIRST + SECONDS,
        FrameBuilder::new(FIRST + SECONDS, 1),
        RequestReports::default(),
        Host::default(),
        &reader,
    );
    let snapshot = Snapshot { tick: FIRST + SECONDS, first_tick: FIRST + SECONDS, ..Snapshot::default() };
    let query = RefreshQuery { window: Window::Hour, part: Part::Requests, ..RefreshQuery::default() };
    let names = NameLookup { reader: &reader, command: &command };
    assert_told(&history.answer(&query, None, &snapshot, names), SECONDS / 10, FIRST + SECONDS);

    let (from, to) = (FIRST + 300, FIRST + 420);
    let span = history.past_span((from, to), Some(&KeptTimes::default())).expect("it has it");
    let stored = span.stored.expect("the store shows it");
    let steps = earlier.steps.iter().filter(|step| step.tier == stored && (from..to).contains(&step.start));
    let past = StoredPast { steps: steps.cloned().collect(), names: earlier.names.clone() };
    let frames = history.past_frames(&span, past, &mut reader, &number);
    let names = NameLookup { reader: &reader, command: &command };
    let (answer, _) = history.answer_past(&span, &Part::Requests, Some(&frames), &snapshot, names);
    assert_told(&answer, 12, to);
}
