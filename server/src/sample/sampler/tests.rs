//! Tests of the sampler: ticks that are late, doubled or missing, and what panics.

use watchboard_wire::Window;

use super::*;
use watchboard_wire::{DatabaseFailure, DatabaseState, FailureKind};

use crate::{
    history::{
        store::{EmbeddedStore, KeptTimes},
        store_requests,
    },
    requests::{Policy, record},
    supervision::Supervision,
};

/// A sampler of this process, without a database or a runtime, whose first tick is 0.
fn sampler(recorder: &'static Recorder) -> Sampler {
    sampler_from(recorder, 0)
}

pub(in crate::sample) fn sampler_from(recorder: &'static Recorder, first_tick: u64) -> Sampler {
    Sampler { first_tick, history: History::new(0, first_tick), ..new_sampler(recorder, None) }
}

fn new_sampler(recorder: &'static Recorder, folder: Option<HistoryFolder>) -> Sampler {
    let supervision = Supervision::default();
    let probes = Probes::new(None, &supervision);
    Sampler::new(ServiceLabel::default(), probes, recorder, Listener::new(), None, (folder, None), &supervision)
}

#[test]
fn ticks_are_unix_seconds() {
    let before = now_unix_ms() / 1000;
    let mut sampler = new_sampler(Recorder::new(Policy::default()), None);
    let snapshot = sampler.tick(5, &ProbeResult::default(), false).snapshot;
    assert!((before..=before + 1).contains(&snapshot.first_tick) && snapshot.tick == snapshot.first_tick + 5);
    assert_eq!(snapshot.monitored_seconds(), 5);
}

#[test]
fn steps_begin_at_the_same_seconds_whenever_the_monitor_was_started() {
    for window in Window::ALL {
        let step = window.step_seconds();
        // Started in the middle of a step, of any length.
        let first_tick = 1_764_000_000 + step.div_ceil(2);
        let recorder = Recorder::new(Policy::default());
        let mut sampler = sampler_from(recorder, first_tick);
        let query = RefreshQuery { window, part: Part::Requests, ..RefreshQuery::default() };
        let seconds = 2 * step + 1;
        // Most seconds of the windows of days are left out, since a step of theirs has up to two days.
        let each = (step / 900).max(1);
        let mut tick = |second| {
            (0..if second == 0 { 1 } else { each }).for_each(|_| record(recorder, "/a", 10));
            sampler.tick(second, &ProbeResult::default(), false)
        };
        let frozen = (0..seconds).step_by(each as usize).map(&mut tick).last().unwrap();
        let answer = sampler.answer(&query, None, &frozen.snapshot, &ProbeResult::default());
        let (kept, points) = (seconds.min(window.seconds()), answer.timeline.len() as u64);
        // A history of two steps is shown in the points of a shorter window.
        let shown = answer.timeline.window;
        let step = shown.step_seconds();
        assert_eq!((answer.timeline.first, answer.totals.requests), (first_tick / step, kept), "{window:?}");
        assert_eq!(points, (first_tick + seconds - 1) / step - first_tick / step + 1, "{window:?}");
        assert_eq!(shown.span(first_tick, frozen.snapshot.tick).points as u64, points.max(4).max(60 / step));
        let rates = answer.timeline.columns.requests_per_second;
        assert!(rates.iter().all(|rate| *rate == Some(1.0)), "{window:?}: {rates:?}");
    }
}

#[test]
fn missed_ticks_are_gaps() {
    let mut sampler = sampler(Recorder::new(Policy::default()));
    sampler.tick(0, &ProbeResult::default(), false);
    let frozen = sampler.tick(25, &ProbeResult::default(), false);
    let query = RefreshQuery { window: Window::FifteenMinutes, part: Part::Charts, ..RefreshQuery::default() };
    let timeline = sampler.answer(&query, None, &frozen.snapshot, &ProbeResult::default()).timeline;
    let rss = &timeline.columns.rss_bytes;
    assert_eq!(rss.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, true]);
    let frozen = sampler.tick(100_000, &ProbeResult::default(), false);
    let timeline = sampler.answer(&query, None, &frozen.snapshot, &ProbeResult::default()).timeline;
    assert_eq!((timeline.len(), timeline.first + 89), (90, 100_000 / 10));
    assert_eq!(timeline.columns.rss_bytes.iter().flatten().count(), 1);
}

#[test]
fn an_outage_is_the_part_of_its_step_and_an_unknown_state_is_a_gap() {
    let mut sampler = sampler(Recorder::new(Policy::default()));
    let failed = |kind| DatabaseState::Failed(DatabaseFailure::new(kind, ""));
    let mut tick = |tick, state| {
        let database = DatabaseHealth { state, ..DatabaseHealth::default() };
        sampler.tick(tick, &ProbeResult { database, ..ProbeResult::default() }, false)
    };
    for at in 0..10 {
        tick(at, if at < 4 { failed(FailureKind::Frozen) } else { DatabaseState::Healthy });
    }
    for at in 10..20 {
        tick(at, failed(FailureKind::NotProbed));
    }
    let frozen = tick(20, failed(FailureKind::Refused));
    let query = RefreshQuery { window: Window::FifteenMinutes, part: Part::Charts, ..RefreshQuery::default() };
    let timeline = sampler.answer(&query, None, &frozen.snapshot, &ProbeResult::default()).timeline;
    assert_eq!(timeline.columns.database_failed_percent, [Some(40.0), None, Some(100.0)]);
}

#[test]
fn the_same_tick_twice_is_two_seconds_and_a_late_one_is_all_since_the_last() {
    let recorder = Recorder::new(Policy::default());
    let mut sampler = sampler(recorder);
    let query = RefreshQuery { window: Window::Minute, part: Part::Requests, ..RefreshQuery::default() };
    let mut totals = |tick| {
        record(recorder, "/a", 10);
        let frozen = sampler.tick(tick, &ProbeResult::default(), false);
        let answer = sampler.answer(&query, None, &frozen.snapshot, &ProbeResult::default());
        (frozen.snapshot.tick, answer.totals.requests, answer.totals.seconds)
    };
    assert_eq!([totals(1), totals(2), totals(2), totals(8)], [(1, 1, 1), (2, 2, 2), (3, 3, 3), (8, 4, 8)]);
    for tick in 60..200 {
        totals(tick);
    }
    assert_eq!(totals(200), (200, 60, 60), "what was pushed twice has left once");
}

#[test]
fn a_history_that_panics_begins_anew_and_the_totals_stay() {
    let recorder = Recorder::new(Policy::default());
    let mut sampler = sampler(recorder);
    let query = RefreshQuery { window: Window::Minute, part: Part::Requests, ..RefreshQuery::default() };
    record(recorder, "/a", 10);
    sampler.tick(1, &ProbeResult::default(), false);
    record(recorder, "/a", 10);
    // One past this tick is no tick.
    let frozen = sampler.tick(u64::MAX, &ProbeResult::default(), false);
    assert_eq!((frozen.snapshot.requests.total, sampler.faults.all()[0].part.as_str()), (2, "history"));
    sampler.last_tick = Some(2);
    record(recorder, "/a", 10);
    let frozen = sampler.tick(3, &ProbeResult::default(), false);
    let answer = sampler.rescued_answer(&query, (None, None), &frozen, &ProbeResult::default()).unwrap();
    assert_eq!((frozen.snapshot.requests.total, answer.totals.requests, answer.endpoints[0].requests), (3, 1, 1));
    assert!(frozen.snapshot.health.sentences().any(|reason| reason.contains("the history failed once")));
}

#[test]
fn a_page_of_a_span_that_is_in_the_file_alone_waits_for_it() {
    let folder = tempfile::tempdir().unwrap();
    // Two hours ago only the file has steps of ten seconds.
    let from = (now_unix_ms() / 1000 - 7_200) / 60 * 60;
    let asked = (from, from + 60);
    store_requests(folder.path(), asked);
    let folder = HistoryFolder { path: folder.path().to_owned(), max_bytes: 1 << 20, kept_times: KeptTimes::default() };
    let mut sampler = new_sampler(Recorder::new(Policy::default()), Some(folder));
    let is_loaded = |frozen: &FullSnapshot| frozen.snapshot.oldest_tick <= from;
    let frozen =
        (0..100_000).map(|tick| sampler.tick(tick, &ProbeResult::default(), false)).find(is_loaded).expect("ticks");
    let query =
        RefreshQuery { window: Window::Minute, part: Part::Requests, span: Some(asked), ..RefreshQuery::default() };
    let mut past = sampler.begin_past(&query, None, &Arc::default()).expect("the history has it");
    let began = Instant::now();
    while !past.is_read() {
        assert!(began.elapsed() < Duration::from_secs(30), "it is read in time");
        std::thread::sleep(Duration::from_millis(5));
    }
    let answer = sampler.rescued_answer(&query, (None, Some(past)), &frozen, &ProbeResult::default()).unwrap();
    assert_eq!((answer.span, answer.totals.requests, answer.totals.seconds), (Some(asked), 18, 60));
    let names: Vec<_> = answer.endpoints.iter().map(|row| row.name.clone().unwrap().route).collect();
    assert_eq!(names, ["/old"]);
}

#[test]
fn a_history_that_is_read_between_two_ticks_is_on_the_next_page() {
    let folder = tempfile::tempdir().unwrap();
    let from = (now_unix_ms() / 1000 - 7_200) / 60 * 60;
    store_requests(folder.path(), (from, from + 60));
    let other = EmbeddedStore::open(&folder.path().join("history.redb")).unwrap();
    let folder = HistoryFolder { path: folder.path().to_owned(), max_bytes: 1 << 20, kept_times: KeptTimes::default() };
    let mut sampler = new_sampler(Recorder::new(Policy::default()), Some(folder));
    let frozen = sampler.tick(0, &ProbeResult::default(), false);
    assert!(frozen.snapshot.oldest_tick > from && sampler.take_over_history(&frozen).is_none());
    drop(other);
    let began = Instant::now();
    let updated = loop {
        if let Some(updated) = sampler.take_over_history(&frozen) {
            break updated;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "it is read in time");
        std::thread::sleep(Duration::from_millis(5));
    };
    assert_eq!((updated.snapshot.oldest_tick, updated.snapshot.tick), (from, frozen.snapshot.tick));
    assert!(updated.snapshot.stored.as_ref().is_some_and(|stored| stored.writer.is_none()));
    assert!(sampler.take_over_history(&updated).is_none(), "once");
}
