//! Figures that are updated: what changed, what is new, what is replaced.

use super::*;
use watchboard_wire::{EndpointName, ErrorKind};

fn row(id: u32, requests: u64, name: Option<&str>) -> EndpointRow {
    let name = name.map(|route| EndpointName { route: route.to_owned(), ..EndpointName::default() });
    EndpointRow { id, name, requests, ..EndpointRow::default() }
}

fn answer(endpoints: Vec<EndpointRow>, causes: Vec<ErrorCause>) -> RefreshResponse {
    RefreshResponse { endpoints, causes, ..RefreshResponse::default() }
}

#[test]
fn what_changed_takes_the_place_of_what_it_was_and_keeps_its_name() {
    let mut figures =
        Figures::new(RefreshQuery::default(), answer(vec![row(1, 5, Some("/a")), row(2, 6, Some("/b"))], vec![]));
    figures.update(answer(vec![row(2, 7, None), row(3, 1, Some("/c"))], vec![]));
    let rows: Vec<_> =
        figures.endpoints.iter().map(|row| (row.id, row.requests, row.name.clone().unwrap().route)).collect();
    assert_eq!(rows, [(1, 5, "/a".to_owned()), (2, 7, "/b".to_owned()), (3, 1, "/c".to_owned())]);
    figures.update(RefreshResponse { endpoints_whole: true, ..answer(vec![row(9, 1, Some("/d"))], vec![]) });
    assert_eq!(figures.endpoints.len(), 1);
}

#[test]
fn causes_are_bounded_by_what_was_quiet_for_longest() {
    let cause = |number: u32| ErrorCause {
        number,
        kind: ErrorKind::Client,
        last_at_unix_ms: u64::from(number),
        ..ErrorCause::default()
    };
    let mut figures = Figures::new(RefreshQuery::default(), answer(vec![], (0..150).map(cause).collect()));
    figures.update(answer(vec![], (100..300).map(cause).collect()));
    let mut numbers: Vec<_> = figures.causes.iter().map(|cause| cause.number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (100..300).collect::<Vec<_>>());
}

#[test]
fn points_have_their_seconds_now_and_of_a_past_span() {
    let snapshot = Snapshot { oldest_tick: 1_000_000, tick: 1_005_003, ..Snapshot::default() };
    let now = Figures::new(RefreshQuery::default(), RefreshResponse { snapshot, ..RefreshResponse::default() });
    assert_eq!((now.span().points, now.seconds_of((70, 79))), (90, (1_004_810, 1_004_910)));
    let past = Figures { past: Some((1_002_000, 1_002_130)), ..now };
    assert_eq!((past.span().points, past.first_point()), (13, 100_200));
    assert_eq!((past.seconds_of((0, 12)), past.seconds_of((3, 4))), ((1_002_000, 1_002_130), (1_002_030, 1_002_050)));
}

#[test]
fn the_words_of_a_window_tell_a_young_history_from_one_with_gaps() {
    // How long ago the history began, and how much of it was watched.
    for (age, seconds, words) in [
        (5_000, 900, "last 15 minutes"),
        (5_000, 885, "last 15 minutes"),
        (300, 300, "last 5\u{a0}m"),
        (300, 200, "3\u{a0}m 20\u{a0}s watched"),
        (5_000, 200, "3\u{a0}m 20\u{a0}s watched"),
    ] {
        let snapshot = Snapshot { oldest_tick: 1_000_000, tick: 1_000_000 + age, ..Snapshot::default() };
        let totals = WindowTotals { seconds, ..WindowTotals::default() };
        let figures =
            Figures::new(RefreshQuery::default(), RefreshResponse { snapshot, totals, ..RefreshResponse::default() });
        assert_eq!(figures.window_text(), words, "{seconds} of {age} seconds");
    }
}

#[test]
fn a_past_span_that_the_page_has_keeps_its_figures() {
    let past = RefreshResponse { span: Some((10, 20)), ..answer(vec![row(1, 5, Some("/a"))], vec![]) };
    let mut figures = Figures::new(RefreshQuery::default(), past);
    let mut unchanged = RefreshResponse { span: Some((10, 20)), is_unchanged: true, ..RefreshResponse::default() };
    unchanged.snapshot.tick = 99;
    figures.update(unchanged);
    assert_eq!((figures.endpoints[0].requests, figures.snapshot.tick, figures.newest_tick()), (5, 99, 19));
    // It grows while it is not over.
    let longer = RefreshResponse { span: Some((10, 21)), ..answer(vec![row(1, 6, Some("/a"))], vec![]) };
    figures.update(longer);
    assert_eq!((figures.endpoints[0].requests, figures.newest_tick()), (6, 20));
}

#[test]
fn a_past_span_that_was_not_read_is_taken_whole_when_it_comes() {
    let unread = |tick| {
        let unread = Some(Unknown::because("the disk has not answered"));
        let snapshot = Snapshot { tick, ..Snapshot::default() };
        RefreshResponse { span: Some((10, 20)), unread, snapshot, ..RefreshResponse::default() }
    };
    let mut figures = Figures::new(RefreshQuery::default(), unread(98));
    figures.update(unread(99));
    assert_eq!((figures.snapshot.tick, figures.unread.is_some()), (99, true));
    figures.update(RefreshResponse { span: Some((10, 20)), ..answer(vec![row(1, 5, Some("/a"))], vec![]) });
    assert_eq!((figures.endpoints[0].requests, figures.unread), (5, None));
}

#[test]
fn a_server_that_started_anew_replaces_all() {
    let mut figures = Figures::new(RefreshQuery::default(), answer(vec![row(1, 5, Some("/a"))], vec![]));
    let mut anew = answer(vec![row(1, 1, Some("/z"))], vec![]);
    anew.snapshot.started_at_unix_ms += 1;
    figures.update(anew);
    assert_eq!((figures.endpoints[0].requests, figures.endpoints[0].name.clone().unwrap().route), (1, "/z".into()));
}

#[test]
fn a_history_that_outgrew_its_points_replaces_all() {
    let mut figures = Figures::new(RefreshQuery::default(), answer(vec![row(1, 5, Some("/a"))], vec![]));
    let mut longer = answer(vec![row(1, 6, Some("/a"))], vec![]);
    (longer.timeline.window, longer.timeline.first) = (Window::Hour, 7);
    figures.update(longer);
    assert_eq!((figures.window(), figures.timeline.first, figures.endpoints.len()), (Window::Hour, 7, 1));
}
