//! Restarts of the history: what one run stores, the next one has.

use super::*;
use crate::{
    history::{
        FrameBuilder, Host,
        store::{EmbeddedStore, KeptTimes, Store, read},
    },
    requests::{Policy, Recorder, record},
};
use watchboard_wire::{Part, RefreshQuery, Snapshot, Window};

const SECONDS: u64 = 4_000;

/// One run: a request a second until a tick. Returns what it stored, with what the store had.
fn run(earlier: &Earlier, first: u64, seconds: u64, route: &str) -> (History, Reader, Earlier) {
    run_late(earlier, first, seconds, route, 0)
}

/// The same, with a store that is read after so many seconds.
fn run_late(earlier: &Earlier, first: u64, seconds: u64, route: &str, late: u64) -> (History, Reader, Earlier) {
    let recorder = Recorder::new(Policy::default());
    let mut reader = Reader::new(recorder);
    let mut history = History::new(first * 1000, first);
    let (mut steps, mut names) = (earlier.steps.clone(), earlier.names.clone());
    for tick in first..first + seconds {
        if tick == first + late {
            assert_eq!(history.restore(earlier, &mut reader, &|_| None), 0);
        }
        record(recorder, route, 100 + tick % 900);
        let mut frame = FrameBuilder::new(tick, 1);
        let reports = reader.take(|id, tally| frame.endpoint(id, tally));
        history.push(tick, frame, reports, Host { rss_bytes: Some(tick), ..Host::default() }, &reader);
        if tick < first + late {
            continue;
        }
        let batch = history.take_unstored(NameLookup::of_endpoints(&reader));
        for step in batch.steps {
            steps.retain(|known: &StoredStep| (known.tier, known.start) != (step.tier, step.start));
            steps.push(step);
        }
        names.extend(batch.names);
    }
    steps.sort_by_key(|step| (step.tier as u8, step.start));
    (history, reader, Earlier { steps, names, ..Earlier::default() })
}

#[test]
fn a_history_goes_on_after_a_restart_as_if_there_had_been_none() {
    let first = 1_764_000_123;
    // The runs end and begin in the middle of steps of all lengths, on a step of ten seconds.
    for (before, gap) in [(SECONDS - 3, 0), (SECONDS - 3, 700), (2_507, 90)] {
        let (_, _, stored) = run(&Earlier::default(), first, before, "/a");
        let began = (first + before).next_multiple_of(10) + gap;
        let (mut history, reader, _) = run(&stored, began, 1_000, "/a");
        let now = began + 1_000;
        for window in Window::ALL {
            let snapshot = Snapshot { tick: now - 1, first_tick: first, ..Snapshot::default() };
            let names = NameLookup::of_endpoints(&reader);
            let answer = history.answer_in(window, &Part::Requests, None, &snapshot, names);
            let begins = window.first_point(now - 1) * window.step_seconds();
            // What was stored ends with the last whole step of ten seconds.
            let ended = (first + before) / 10 * 10;
            let old = ended.saturating_sub(begins.max(first));
            let new = now - began.max(begins);
            assert_eq!(answer.totals.requests, old + new, "{window:?} {before} {gap}");
            assert_eq!(answer.endpoints.len(), 1);
        }
    }
}

#[test]
fn a_third_run_has_what_the_first_two_had() {
    let first = 1_764_000_000;
    let (_, _, one) = run(&Earlier::default(), first, 300, "/a");
    let (_, _, two) = run(&one, first + 300, 300, "/b");
    let (mut history, reader, _) = run(&two, first + 600, 20, "/c");
    let query = RefreshQuery { window: Window::FifteenMinutes, part: Part::Requests, ..RefreshQuery::default() };
    let answer = history.answer(&query, None, &Snapshot::default(), NameLookup::of_endpoints(&reader));
    let mut rows: Vec<_> = answer.endpoints.iter().map(|row| (row.name.clone().unwrap().route, row.requests)).collect();
    rows.sort();
    assert_eq!(rows, [("/a".to_owned(), 300), ("/b".to_owned(), 300), ("/c".to_owned(), 20)]);
    let rss = answer.timeline.columns.rss_bytes;
    assert_eq!((rss.len(), rss[0]), (62, Some(first + 9)));
}

#[test]
fn a_store_that_is_read_late_is_taken_over_all_the_same() {
    let first = 1_764_000_000;
    let (_, _, one) = run(&Earlier::default(), first, 890, "/a");
    // Steps of ten seconds, of a minute and of a quarter of an hour end before the store is read.
    let (mut history, reader, two) = run_late(&one, first + 890, 100, "/a", 25);
    let names = NameLookup::of_endpoints(&reader);
    let answer = history.answer_in(Window::Hour, &Part::Requests, None, &Snapshot::default(), names);
    assert_eq!((answer.totals.requests, answer.endpoints.len()), (990, 1));
    let (mut history, reader, _) = run(&two, first + 990, 10, "/a");
    let names = NameLookup::of_endpoints(&reader);
    let answer = history.answer_in(Window::Day, &Part::Requests, None, &Snapshot::default(), names);
    assert!((940..=1_000).contains(&answer.totals.requests), "{}", answer.totals.requests);
}

#[test]
fn all_of_a_run_is_there_days_later_however_it_ended() {
    let first = 1_764_000_123;
    // The end falls between two sendings of the longer steps, and just behind the last one of ten seconds.
    let seconds = 3_997;
    for stops in [true, false] {
        let (mut history, reader, stored) = run(&Earlier::default(), first, seconds, "/a");
        let folder = tempfile::tempdir().unwrap();
        let mut store = EmbeddedStore::open(&folder.path().join("history")).unwrap();
        store.append(&Batch { steps: stored.steps, names: stored.names, ..Batch::default() }).unwrap();
        if stops {
            store.append(&history.take_rest(NameLookup::of_endpoints(&reader))).unwrap();
        }
        let began = first + seconds + 3 * 24 * 3_600;
        let mut reader = Reader::new(Recorder::new(Policy::default()));
        let mut history = History::new(began * 1000, began);
        let mut earlier = read(&store, &restored_spans(began)).unwrap();
        let missing = History::complete(&mut earlier, &mut reader, &|_| None, &|_| CommandName::default());
        assert_eq!(missing.steps.is_empty(), stops, "nothing is left to complete after a stop in order");
        store.append(&missing).unwrap();
        assert_eq!(history.restore(&earlier, &mut reader, &|_| None), 0);
        for window in [Window::Week, Window::Month, Window::ThirteenMonths] {
            let names = NameLookup::of_endpoints(&reader);
            let answer = history.answer_in(window, &Part::Requests, None, &Snapshot::default(), names);
            assert_eq!((answer.totals.requests, answer.endpoints.len()), (seconds, 1), "{window:?}, stops: {stops}");
        }
        for tier in StoreTier::ALL {
            let steps = store.steps(tier, 0..u64::MAX).unwrap();
            assert_eq!(
                steps.iter().map(|step| stored::requests_and_seconds(step).1).sum::<u64>(),
                seconds,
                "{tier:?}, stops: {stops}"
            );
        }
    }
}

/// What is stored once a run has stopped in order.
fn stopped((mut history, reader, mut stored): (History, Reader, Earlier)) -> Earlier {
    let rest = history.take_rest(NameLookup::of_endpoints(&reader));
    stored.names.extend(rest.names);
    for step in rest.steps {
        stored.steps.retain(|known| (known.tier, known.start) != (step.tier, step.start));
        stored.steps.push(step);
    }
    stored
}

/// The requests of each route in the last hour and the last day, as a run has them that begins at a tick.
fn known_at(earlier: &Earlier, began: u64) -> [Vec<(String, u64)>; 2] {
    let mut reader = Reader::new(Recorder::new(Policy::default()));
    let mut history = History::new(began * 1000, began);
    assert_eq!(history.restore(earlier, &mut reader, &|_| None), 0);
    [Window::Hour, Window::Day].map(|window| {
        let names = NameLookup::of_endpoints(&reader);
        let answer = history.answer_in(window, &Part::Requests, None, &Snapshot::default(), names);
        let mut rows: Vec<_> =
            answer.endpoints.iter().map(|row| (row.name.clone().unwrap().route, row.requests)).collect();
        rows.sort();
        rows
    })
}

#[test]
fn runs_at_the_same_time_take_nothing_from_each_other() {
    let first = 1_764_000_123;
    // The second one waits for the file, or its clock was set back: it begins before the first one ends.
    for (overlap, seconds, late) in [(300, 900, 300), (300, 900, 600), (30, 100, 0), (7, 100, 0), (400, 60, 0)] {
        let stored = stopped(run(&Earlier::default(), first, 600, "/a"));
        let stored = stopped(run_late(&stored, first + 600 - overlap, seconds, "/b", late));
        let rows = vec![("/a".to_owned(), 600), ("/b".to_owned(), seconds)];
        let known = known_at(&stored, first + 1_700);
        assert_eq!(known, [rows.clone(), rows], "an overlap of {overlap} s, read after {late} s");
        let most = |step: &StoredStep| stored::requests_and_seconds(step).1 <= step.tier.step_seconds();
        assert!(stored.steps.iter().all(most), "a step has no more seconds than it is long");
    }
}

#[test]
fn runs_that_begin_and_end_within_the_same_ten_seconds_add_up() {
    let first = 1_764_000_120;
    // The last tick of a run may be that with which the next one begins.
    let runs = [(0, 2), (2, 3), (4, 2), (6, 1), (8, 3), (11, 1), (13, 2), (16, 30)];
    let mut stored = Earlier::default();
    for (after, seconds) in runs {
        stored = stopped(run(&stored, first + after, seconds, "/a"));
    }
    let requests = runs.iter().map(|(_, seconds)| seconds).sum();
    for tier in StoreTier::ALL {
        let steps = stored.steps.iter().filter(|step| step.tier == tier);
        assert_eq!(steps.map(|step| stored::requests_and_seconds(step).0).sum::<u64>(), requests, "{tier:?}");
    }
    let rows = vec![("/a".to_owned(), requests)];
    assert_eq!(known_at(&stored, first + 1_700), [rows.clone(), rows]);
}

#[test]
fn what_the_run_before_had_of_the_first_ten_seconds_is_in_a_page_and_leaves_it_again() {
    let first = 1_764_000_000;
    let stored = stopped(run(&Earlier::default(), first, 604, "/a"));
    let (mut history, recorder) = (History::new((first + 605) * 1000, first + 605), Recorder::new(Policy::default()));
    let mut reader = Reader::new(recorder);
    history.restore(&stored, &mut reader, &|_| None);
    for tick in first + 605..first + 2_000 {
        record(recorder, "/a", 100);
        let mut frame = FrameBuilder::new(tick, 1);
        let reports = reader.take(|id, tally| frame.endpoint(id, tally));
        history.push(tick, frame, reports, Host::default(), &reader);
        let names = NameLookup::of_endpoints(&reader);
        let snapshot = Snapshot { tick, first_tick: first, ..Snapshot::default() };
        let answer = history.answer_in(Window::FifteenMinutes, &Part::Requests, None, &snapshot, names);
        let begins = (Window::FifteenMinutes.first_point(tick) * 10).max(first);
        // A second passed between the runs.
        let seconds = tick + 1 - begins - u64::from(begins < first + 604);
        assert_eq!(answer.totals.requests, seconds, "at tick {}", tick - first);
    }
}

#[test]
fn a_run_whose_clock_was_set_back_is_completed_after_a_kill_too() {
    let first = 1_764_000_123;
    let folder = tempfile::tempdir().unwrap();
    let mut store = EmbeddedStore::open(&folder.path().join("history")).unwrap();
    let (mut one, reader, stored) = run(&Earlier::default(), first, 100, "/a");
    store.append(&Batch { steps: stored.steps, names: stored.names, ..Batch::default() }).unwrap();
    store.append(&one.take_rest(NameLookup::of_endpoints(&reader))).unwrap();
    for back in [3_600, 40] {
        // The second run sends batch by batch, and is killed.
        let began = first + 100 - back;
        let (recorder, mut history) = (Recorder::new(Policy::default()), History::new(began * 1000, began));
        let mut reader = Reader::new(recorder);
        history.restore(&read(&store, &restored_spans(began)).unwrap(), &mut reader, &|_| None);
        for tick in began..began + 47 {
            record(recorder, "/b", 100);
            let mut frame = FrameBuilder::new(tick, 1);
            let reports = reader.take(|id, tally| frame.endpoint(id, tally));
            history.push(tick, frame, reports, Host::default(), &reader);
            store.append(&history.take_unstored(NameLookup::of_endpoints(&reader))).unwrap();
        }
        let mut earlier = read(&store, &restored_spans(first + 1_000)).unwrap();
        let missing = History::complete(&mut earlier, &mut reader, &|_| None, &|_| CommandName::default());
        store.append(&missing).unwrap();
        for tier in StoreTier::ALL {
            let steps = store.steps(tier, 0..u64::MAX).unwrap();
            let requests: u64 = steps.iter().map(|step| stored::requests_and_seconds(step).0).sum();
            let ten_seconds = (began + 47) / 10 * 10 - began;
            let before = if back == 40 { (first - 3_500 + 47) / 10 * 10 - (first - 3_500) } else { 0 };
            assert_eq!(requests, 100 + ten_seconds + before, "{tier:?}, {back} s back");
        }
    }
}

#[test]
fn what_only_the_store_has_is_in_the_history_too() {
    let began = 1_764_000_000;
    let mut history = History::new(began * 1000, began);
    let mut reader = Reader::new(Recorder::new(Policy::default()));
    let long_ago = began - 300 * 24 * 3_600;
    let first_starts = vec![(StoreTier::SixHours, long_ago), (StoreTier::TwoDays, long_ago - 3_600)];
    history.restore(&Earlier { first_starts, ..Earlier::default() }, &mut reader, &|_| None);
    let span = history.past_span((0, began - 200 * 24 * 3_600), Some(&KeptTimes::default()));
    assert_eq!(history.oldest(), long_ago);
    assert_eq!(span.and_then(|span| span.stored), Some(StoreTier::TwoDays));
}

#[test]
fn names_are_read_as_they_were_written() {
    let command = CommandName { command: "find".into(), database: "shop".into(), collection: String::new() };
    for name in [
        StoredName::Endpoint { method: Some("GET".into()), route: "/größe/{name}".into() },
        StoredName::Endpoint { method: None, route: "(unmatched)".into() },
        StoredName::Command(command),
    ] {
        assert_eq!(StoredName::decode(&name.encode()), Some(name));
    }
    for wrong in [&b""[..], b"X", b"E", b"Cfind", b"\xff\xfe"] {
        assert_eq!(StoredName::decode(wrong), None, "{wrong:?}");
    }
}
