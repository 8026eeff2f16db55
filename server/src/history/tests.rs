//! Helpers for the tests of the history, and tests of the whole: a day of requests with a known distribution, against exact figures.

use watchboard_wire::{Latency, Part, RefreshQuery, Snapshot};

use super::*;
use crate::{
    histograms::bucket,
    requests::{Class, Ending, Outcome, Policy, Recorder, RequestId, Sighting, record},
};

pub(crate) fn tally(durations_us: &[u64]) -> Tally {
    let mut tally = Tally::default();
    tally.classes[Class::Fine as usize] = durations_us.len() as u64;
    tally.duration_sum_us = durations_us.iter().sum();
    for us in durations_us {
        tally.latencies.add(bucket(*us), 1);
    }
    tally
}

/// Requests that succeeded and requests that failed.
pub(crate) fn tally_with_failures(succeeded_us: &[u64], failed_us: &[u64]) -> Tally {
    let mut tally = tally(succeeded_us);
    tally.classes[Class::ServerError as usize] = failed_us.len() as u64;
    tally.duration_sum_us += failed_us.iter().sum::<u64>();
    for us in failed_us {
        tally.failures.add(bucket(*us), 1);
    }
    tally
}

/// A request that went well.
pub(super) fn sighting(endpoint: usize, at_unix_ms: u64, duration_us: u64) -> Sighting {
    Sighting {
        endpoint,
        at_unix_ms,
        ending: Ending { status: 200, outcome: Outcome::Complete },
        duration_us,
        first_byte_us: None,
        connect_us: None,
        response_bytes: 0,
        id: RequestId::EMPTY,
        usage: None,
    }
}

/// A history that is fed by hand, with a reader of no requests.
pub(crate) struct Fed {
    pub(super) history: History,
    pub(super) reader: Reader,
    pub(super) snapshot: Snapshot,
    /// Every request: its tick, its endpoint, its duration.
    all: Vec<(u64, usize, u64)>,
}

impl Fed {
    pub(super) fn new() -> Self {
        let snapshot = Snapshot::default();
        let reader = Reader::new(Recorder::new(Policy::default()));
        Self { history: History::new(0, 0), reader, snapshot, all: vec![] }
    }

    /// A tick with these requests, each of an endpoint.
    pub(super) fn tick(&mut self, tick: u64, requests: &[(usize, u64)]) {
        let mut frame = FrameBuilder::new(tick, 1);
        for id in 0..4 {
            let of_id = requests.iter().filter(|(endpoint, _)| *endpoint == id);
            let durations: Vec<u64> = of_id.map(|(_, duration)| *duration).collect();
            if !durations.is_empty() {
                frame.endpoint(id, &tally(&durations));
            }
        }
        let slow = requests.iter().map(|(id, duration)| sighting(*id, tick * 1000, *duration)).collect();
        self.history.push(tick, frame, RequestReports { errors: vec![], slow }, Host::default(), &self.reader);
        self.snapshot.tick = tick;
        self.all.extend(requests.iter().map(|(id, duration)| (tick, *id, *duration)));
    }

    /// Drops the sums, so that they are made from scratch.
    fn forget_sums(&mut self) {
        self.history.windows = Window::ALL.map(|window| WindowSums::new(window, self.history.started_at_unix_ms));
    }

    fn refresh(&mut self, window: Window, part: Part) -> watchboard_wire::RefreshResponse {
        self.history.answer_in(window, &part, None, &self.snapshot, NameLookup::of_endpoints(&self.reader))
    }

    /// The exact durations of a window, in their order.
    fn exact(&self, window: Window, id: Option<usize>) -> Vec<u64> {
        let first = window.first_point(self.snapshot.tick) * window.step_seconds();
        let of_window =
            self.all.iter().filter(|(tick, endpoint, _)| *tick >= first && id.is_none_or(|id| id == *endpoint));
        let mut durations: Vec<u64> = of_window.map(|(.., duration)| *duration).collect();
        durations.sort_unstable();
        durations
    }
}

fn assert_percentiles(latency: Option<Latency>, exact: &[u64], window: Window) {
    let latency = latency.unwrap();
    for (percentile, found) in [(50, latency.p50_us), (95, latency.p95_us), (99, latency.p99_us), (100, latency.max_us)]
    {
        let rank = (exact.len() * percentile).div_ceil(100).max(1);
        let expected = exact[rank - 1] as f64;
        let error = (found as f64 - expected).abs() / expected;
        assert!(error <= 0.01, "{window:?} p{percentile}: {found} instead of {expected}");
    }
}

/// Durations as they are in life: most short, some long, a few very long; the same in each run.
fn durations(count: usize, seed: u64) -> Vec<u64> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut normal = move || (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
    (0..count).map(|_| (20_000.0 * (1.2 * normal()).exp()) as u64 + 1).collect()
}

#[test]
fn every_window_of_a_day_has_its_exact_percentiles_and_totals() {
    let mut fed = Fed::new();
    let durations = durations(180_000, 7);
    for tick in 0..90_000u64 {
        let of_tick = &durations[2 * tick as usize..][..2];
        fed.tick(tick, &[(tick as usize % 3, of_tick[0]), (3, of_tick[1])]);
        // One window is looked at all the time: its sums are kept, and not made anew.
        if tick % 7 == 0 {
            fed.refresh(Window::FifteenMinutes, Part::Requests);
        }
    }
    for window in Window::ALL {
        for part in [Part::Requests, Part::Overview] {
            let answer = fed.refresh(window, part);
            let exact = fed.exact(window, None);
            assert_eq!(answer.totals.requests, exact.len() as u64, "{window:?}");
            assert_eq!(answer.totals.duration_sum_us, exact.iter().sum::<u64>());
            assert_percentiles(answer.totals.latency, &exact, window);
            let lived = 90_000_u64.div_ceil(window.step_seconds()) as usize;
            assert_eq!(answer.timeline.len(), window.points().min(lived));
            assert_eq!(answer.endpoints.len(), 4);
            for row in answer.endpoints {
                let exact = fed.exact(window, Some(row.id as usize));
                assert_eq!((row.requests, row.duration_sum_us), (exact.len() as u64, exact.iter().sum()));
                // The oldest point of a line may be half out of the window.
                assert!(row.requests - row.line.iter().sum::<u64>() <= row.requests / 20, "{window:?}");
                assert_percentiles(row.latency.succeeded, &exact, window);
            }
        }
        // At most two of each endpoint, which hide none of another.
        let two_of = |id| fed.exact(window, Some(id)).into_iter().rev().take(2);
        let mut slowest: Vec<u64> = (0..4).flat_map(two_of).collect();
        slowest.sort_unstable_by_key(|duration| std::cmp::Reverse(*duration));
        let listed: Vec<u64> =
            fed.refresh(window, Part::Requests).slowest.unwrap().iter().map(|one| one.duration_us).collect();
        assert_eq!(listed, slowest, "{window:?}");
    }
}

#[test]
fn failures_change_no_percentile_of_others_and_are_not_in_time_in_any_window() {
    let mut fed = Fed::new();
    let (mut succeeded, mut failed) = (vec![], vec![]);
    for (number, duration) in durations(4_000, 5).into_iter().enumerate() {
        let mut frame = FrameBuilder::new(number as u64, 1);
        // Most failures are faster than all others, and some are slower.
        let failure = if number % 10 == 0 { 60_000_000 + duration } else { duration / 1_000 + 1 };
        frame.endpoint(0, &tally_with_failures(&[duration, duration + 7], &[failure]));
        succeeded.push([duration, duration + 7]);
        failed.push(failure);
        let reports = RequestReports { errors: vec![], slow: vec![] };
        fed.history.push(number as u64, frame, reports, Host::default(), &fed.reader);
        fed.snapshot.tick = number as u64;
    }
    for window in Window::ALL {
        let answer = fed.refresh(window, Part::Requests);
        let first = (window.first_point(fed.snapshot.tick) * window.step_seconds()) as usize;
        let [mut succeeded, mut failed] = [succeeded[first..].concat(), failed[first..].to_vec()];
        succeeded.sort_unstable();
        failed.sort_unstable();
        let row = &answer.endpoints[0];
        assert_percentiles(row.latency.succeeded, &succeeded, window);
        assert_percentiles(row.latency.failed, &failed, window);
        assert_percentiles(answer.totals.latency, &succeeded, window);
        let mean_us = succeeded.iter().sum::<u64>() as f64 / succeeded.len() as f64;
        let found_us = row.latency.succeeded.unwrap().mean_us as f64;
        assert!((found_us / mean_us - 1.0).abs() < 0.008, "{window:?}: {found_us} instead of {mean_us}");
        // No endpoint of this reader has an objective: all that succeeded are within it.
        let counts = (row.requests, row.server_errors, row.judged, row.within_objective);
        let [all, failures] = [succeeded.len() + failed.len(), failed.len()].map(|count| count as u64);
        assert_eq!(counts, (all, failures, all, all - failures), "{window:?}");
        assert!((row.within_percent().unwrap() - 200.0 / 3.0).abs() < 1e-9);
    }
}

#[test]
fn sums_that_are_kept_are_those_that_are_made_anew() {
    for window in Window::ALL {
        let mut fed = Fed::new();
        let mut now = 0;
        for (number, duration) in durations(4_000, 3).iter().enumerate() {
            // Ticks are missed now and then, and an endpoint is quiet for longer than short windows are.
            now += if number % 50 == 0 { 5 } else { 1 };
            let id = if number % 1000 < 400 { number % 4 } else { number % 3 };
            fed.tick(now, &[(id, *duration)]);
            let kept = fed.refresh(window, Part::Requests);
            if number % 497 == 0 {
                fed.forget_sums();
                let anew = fed.refresh(window, Part::Requests);
                assert_eq!((kept.totals, kept.timeline), (anew.totals, anew.timeline), "{window:?}");
                // Of a line the oldest point may be of more than the window.
                let sums = |rows: Vec<watchboard_wire::EndpointRow>| -> Vec<_> {
                    let sums = |row: watchboard_wire::EndpointRow| {
                        (row.id, row.requests, row.duration_sum_us, row.latency, row.within_objective)
                    };
                    rows.into_iter().filter(|row| row.requests > 0).map(sums).collect()
                };
                assert_eq!(sums(kept.endpoints), sums(anew.endpoints), "{window:?}");
            }
        }
    }
}

#[test]
fn a_look_a_minute_later_gets_what_is_new_and_not_all() {
    for window in Window::ALL {
        let mut fed = Fed::new();
        (0..5_000).for_each(|tick| fed.tick(tick, &[(0, 10)]));
        fed.refresh(window, Part::Requests);
        (5_000..5_060).for_each(|tick| fed.tick(tick, &[(1, 10)]));
        let cursor = Some(watchboard_wire::RefreshCursor { started_at_unix_ms: 0, tick: 4_999, window });
        let names = NameLookup::of_endpoints(&fed.reader);
        let next = fed.history.answer_in(window, &Part::Requests, cursor, &fed.snapshot, names);
        assert!(!next.endpoints_whole, "{window:?}");
    }
}

#[test]
fn a_window_that_is_longer_than_the_history_has_finer_points_until_it_outgrows_them() {
    let mut fed = Fed::new();
    (0..890).for_each(|tick| fed.tick(tick, &[(0, 10)]));
    let query = RefreshQuery { window: Window::Day, part: Part::Requests, ..RefreshQuery::default() };
    let young = fed.history.answer(&query, None, &fed.snapshot, NameLookup::of_endpoints(&fed.reader));
    assert_eq!((young.timeline.window, young.timeline.len(), young.totals.requests), (Window::FifteenMinutes, 89, 890));
    (890..920).for_each(|tick| fed.tick(tick, &[(0, 10)]));
    let cursor = watchboard_wire::RefreshCursor { started_at_unix_ms: 0, tick: 889, window: Window::FifteenMinutes };
    let older = fed.history.answer(&query, Some(cursor), &fed.snapshot, NameLookup::of_endpoints(&fed.reader));
    assert_eq!((older.timeline.window, older.timeline.len(), older.totals.requests), (Window::Hour, 16, 920));
    assert!(older.endpoints_whole && older.endpoints[0].name.is_some(), "the page has none of these points");
}

#[test]
fn a_page_gets_what_is_new_and_no_more() {
    let mut fed = Fed::new();
    (0..100).for_each(|tick| fed.tick(tick, &[(0, 10), (1, 20)]));
    let query = RefreshQuery { window: Window::FifteenMinutes, part: Part::Requests, ..RefreshQuery::default() };
    let first = fed.history.answer(&query, None, &fed.snapshot, NameLookup::of_endpoints(&fed.reader));
    assert_eq!((first.endpoints.len(), first.endpoints.iter().all(|row| row.name.is_some())), (2, true));
    let cursor = watchboard_wire::RefreshCursor { started_at_unix_ms: 0, tick: 99, window: query.window };
    fed.tick(100, &[(1, 30)]);
    let next = fed.history.answer(&query, Some(cursor), &fed.snapshot, NameLookup::of_endpoints(&fed.reader));
    assert_eq!(
        next.endpoints.iter().map(|row| (row.id, row.requests, row.name.is_some())).collect::<Vec<_>>(),
        [(1, 101, false)]
    );
    assert!(!next.endpoints_whole && next.timeline.len() == 2, "the point that was filling, and the new one");
    // A window that nobody has looked at since is told anew.
    fed.forget_sums();
    fed.tick(101, &[]);
    let anew = fed.history.answer(&query, Some(cursor), &fed.snapshot, NameLookup::of_endpoints(&fed.reader));
    assert!(anew.endpoints_whole && anew.endpoints.len() == 2);
}

#[test]
fn strips_that_go_on_are_those_made_from_scratch() {
    let mut fed = Fed::new();
    let mut random = fastrand::Rng::with_seed(7);
    let strips = |fed: &mut Fed| {
        let response = fed.refresh(Window::FiveMinutes, Part::Requests);
        response.strips.into_iter().map(|strip| (strip.id, strip.p95_us)).collect::<Vec<_>>()
    };
    let mut most = 0;
    for tick in 0..900 {
        let requests: Vec<_> = (0..random.usize(0..5)).map(|_| (random.usize(0..4), random.u64(1..90_000))).collect();
        fed.tick(tick, &requests);
        if random.u8(0..9) == 0 {
            let gone_on = strips(&mut fed);
            fed.forget_sums();
            assert_eq!(gone_on, strips(&mut fed), "tick {tick}");
            most = most.max(gone_on.first().map_or(0, |(_, points)| points.len()));
        }
    }
    assert_eq!(most, Window::FiveMinutes.line_points(), "a strip has the whole window");
}

#[test]
fn the_window_before_is_there_once_the_history_has_all_of_it() {
    let mut fed = Fed::new();
    for tick in 0..44_000u64 {
        fed.tick(tick, &[(0, 1_000 + tick)]);
        for window in Window::ALL {
            let (length, step) = (window.seconds(), window.step_seconds());
            // The first point of the window moves past the whole length of the one before.
            if tick + 1 + step == 2 * length {
                assert_eq!(fed.refresh(window, Part::Overview).totals.before, None, "{window:?}");
            }
            if [2 * length, 2 * length + 77].contains(&(tick + 1)) {
                let before = fed.refresh(window, Part::Overview).totals.before.unwrap();
                assert_eq!((before.seconds, before.requests, before.server_errors), (length, length, 0), "{window:?}");
                // It ends where the window begins, but for a step of its frames.
                let ends = (1_000 + window.first_point(tick) * step) as f64;
                let p99 = before.latency_p99_us.unwrap() as f64;
                let earliest = ends - 0.01 * length as f64 - (length / 5) as f64;
                assert!((0.99 * earliest..1.01 * ends).contains(&p99), "{window:?}: {p99} instead of {ends}");
            }
        }
    }
    let longest = fed.refresh(Window::ThirteenMonths, Part::Overview);
    assert_eq!(longest.totals.before, None, "no tier reaches back so far");
}

#[test]
fn an_endpoints_last_ten_seconds_are_not_those_of_the_window() {
    let recorder = Recorder::new(Policy::default());
    record(recorder, "/a", 1);
    let mut fed = Fed { reader: Reader::new(recorder), ..Fed::new() };
    let _ = fed.reader.take(|_, _| {});
    for tick in 0..100 {
        let ours = if tick < 90 { vec![(0, 1_000)] } else { vec![(0, 5_000), (0, 5_000)] };
        fed.tick(tick, &[&[(1, 9_000)], &ours[..]].concat());
    }
    let name = fed.reader.name(0).text();
    let detail = fed.refresh(Window::FifteenMinutes, Part::Endpoint(name)).endpoint.expect("it is known");
    assert_eq!((detail.recent.seconds, detail.recent.requests, detail.row.requests), (10, 20, 110));
    let p50 = |latency: Option<Latency>| latency.map(|latency| latency.p50_us / 1_000);
    assert_eq!((p50(detail.recent.latency), p50(detail.row.latency.succeeded)), (Some(5), Some(1)));
}
