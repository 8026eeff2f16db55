use super::*;
use crate::history::{
    FrameBuilder, Host,
    store::{Batch, EmbeddedStore, KeptTimes, NameKey, Store, StoredStep},
    stored_name::StoredName,
    stored_reports::StoredReports,
    tests::{Fed, tally},
};

const NONE: &dyn Fn(&CommandName) -> Option<u16> = &|_| None;

/// A history of so many seconds, with a request in each whose duration is its tick.
fn fed(seconds: u64) -> Fed {
    let mut fed = Fed::new();
    (0..seconds).for_each(|tick| fed.tick(tick, &[(0, tick)]));
    fed
}

#[test]
fn a_span_is_shown_by_the_finest_points_that_there_are() {
    let fed = fed(10_000);
    let shown = |span, has_store: bool| {
        fed.history
            .past_span(span, has_store.then(KeptTimes::default).as_ref())
            .map(|span| (span.window.word(), span.ticks, span.stored))
    };
    assert_eq!(shown((9_951, 9_981), false), Some(("1m", (9_951, 9_981), None)));
    assert_eq!(shown((9_301, 9_377), false), Some(("15m", (9_300, 9_380), None)));
    // Ten seconds are in the store alone by now, and without it minutes are the finest.
    assert_eq!(shown((7_301, 7_377), true), Some(("15m", (7_300, 7_380), Some(StoreTier::TenSeconds))));
    assert_eq!(shown((7_301, 7_377), false), Some(("1h", (7_260, 7_380), None)));
    assert_eq!(shown((0, 9_000), false), Some(("6h", (0, 9_000), None)));
    assert_eq!(shown((9_995, 99_999), false), Some(("1m", (9_995, 10_000), None)), "what is to come is left out");
    assert_eq!([shown((10_000, 10_010), true), shown((50, 40), true)], [None, None]);
}

#[test]
fn of_a_span_longer_than_thirteen_months_the_last_are_shown_wherever_it_begins() {
    let now = 1_764_000_123;
    let mut history = History::new(now * 1000, now);
    history.oldest = now - 900 * 86_400;
    for days in [398, 400, 900] {
        for begins in [0, 1, 86_400] {
            let span = history.past_span((now - days * 86_400 - begins, now), Some(&KeptTimes::default()));
            let PastSpan { window, ticks: (from, to), .. } = span.expect("it is shown");
            assert_eq!((window, to), (Window::ThirteenMonths, now), "{days} {begins}");
            assert!((394..=396).contains(&((to - from) / 86_400)), "{days} {begins}: {from}");
        }
    }
}

#[test]
fn a_span_in_memory_has_its_own_sums_points_and_rows() {
    let mut fed = fed(10_000);
    let span = fed.history.past_span((9_301, 9_377), None).unwrap();
    let names = NameLookup::of_endpoints(&fed.reader);
    let (answer, _) = fed.history.answer_past(&span, &Part::Requests, None, &fed.snapshot, names);
    let sum: u64 = (9_300..9_380).sum();
    assert_eq!((answer.span, answer.totals.requests, answer.totals.duration_sum_us), (Some((9_300, 9_380)), 80, sum));
    assert_eq!((answer.totals.seconds, answer.timeline.first, answer.timeline.len()), (80, 930, 8));
    assert_eq!((answer.endpoints.len(), answer.endpoints[0].requests), (1, 80));
    assert!(answer.slowest.unwrap().iter().all(|one| (9_300..9_380).contains(&(one.at_unix_ms / 1_000))));
    fed.tick(10_000, &[]);
    let cursor = RefreshCursor { started_at_unix_ms: 0, tick: 9_999, window: span.window };
    assert!(span.is_had_by(&cursor, 0), "it is over: nothing new is to come");
    let growing = fed.history.past_span((9_995, 10_020), None).unwrap();
    assert!(!growing.is_had_by(&RefreshCursor { window: growing.window, ..cursor }, 0));
}

/// A stored step of three requests of [`old_name`].
fn three_requests(tier: StoreTier, start: u64) -> StoredStep {
    let mut frame = FrameBuilder::new(start, tier.step_seconds());
    frame.endpoint(7, &tally(&[10, 20, 30]));
    let frame = frame.finish(Host::default(), vec![]);
    let bytes = crate::history::stored::encode(&frame, &StoredReports::default(), &mut |_| NameKey(99));
    StoredStep { tier, start, bytes }
}

fn old_name() -> (NameKey, Vec<u8>) {
    let (method, route) = (Some("GET".to_owned()), "/old".to_owned());
    (NameKey(99), StoredName::Endpoint { method, route }.encode())
}

/// Stores three requests of `GET /old` in each ten seconds of a span, and the quarters of an hour around them.
pub(crate) fn store_requests(folder: &std::path::Path, (from, to): (u64, u64)) {
    let mut store = EmbeddedStore::open(&folder.join("history.redb")).expect("an empty folder");
    let steps = [(StoreTier::TenSeconds, 10), (StoreTier::QuarterHour, 900)].into_iter().flat_map(|(tier, step)| {
        (from / step..to.div_ceil(step)).map(move |number| three_requests(tier, number * step))
    });
    let batch = Batch { steps: steps.collect(), names: vec![old_name()], ..Batch::default() };
    store.append(&batch).expect("there is room");
}

#[test]
fn a_span_of_the_store_has_what_was_stored_under_todays_numbers() {
    let mut fed = fed(20_000);
    let names = vec![old_name()];
    for (asked, tier, requests) in
        [((3_000, 3_060), StoreTier::TenSeconds, 18), ((3_000, 4_800), StoreTier::Minute, 90)]
    {
        let span = fed.history.past_span(asked, Some(&KeptTimes::default())).unwrap();
        assert_eq!((span.stored, span.ticks), (Some(tier), asked));
        let starts = (asked.0..asked.1).step_by(tier.step_seconds() as usize);
        let past =
            StoredPast { steps: starts.map(|start| three_requests(tier, start)).collect(), names: names.clone() };
        let frames = fed.history.past_frames(&span, past, &mut fed.reader, NONE);
        let lookup = NameLookup::of_endpoints(&fed.reader);
        let (answer, _) = fed.history.answer_past(&span, &Part::Requests, Some(&frames), &fed.snapshot, lookup);
        let rows: Vec<_> = answer.endpoints.iter().map(|row| (row.name.clone().unwrap().route, row.requests)).collect();
        assert_eq!(rows, [("/old".to_owned(), requests)]);
        assert_eq!((answer.totals.requests, answer.totals.seconds), (requests, asked.1 - asked.0));
    }
}
