//! The tiers: what is folded, what is kept, and that no request is lost or counted twice on the way.

use proptest::prelude::*;

use super::*;
use crate::{
    history::{
        compact::Sign,
        frame::{FrameBuilder, Host},
        tests::{tally, tally_with_failures},
    },
    requests::Tally,
};

/// Every fourth request failed, by its duration.
fn tally_of_some_failures(durations_us: &[u64]) -> Tally {
    let (failed, succeeded): (Vec<u64>, Vec<u64>) = durations_us.iter().partition(|us| **us % 4 == 3);
    tally_with_failures(&succeeded, &failed)
}

fn frame(tick: u64, durations_us: &[u64]) -> Frame {
    let mut builder = FrameBuilder::new(tick, 1);
    for (id, durations) in durations_us.chunks(3).enumerate() {
        builder.endpoint(id, &tally_of_some_failures(durations));
    }
    let host = Host { rss_bytes: Some(tick), process_cpu_percent: Some(tick as f64), ..Host::default() };
    builder.finish(host, vec![(1, durations_us.len() as u32)])
}

fn whole<'a>(frames: impl Iterator<Item = &'a Frame>) -> Tally {
    let mut sum = Tally::default();
    for frame in frames {
        frame.requests.apply_whole(Sign::Add, &mut sum);
    }
    sum
}

/// The endpoints' sums instead of the whole.
fn of_endpoints<'a>(frames: impl Iterator<Item = &'a Frame>) -> Tally {
    let mut sum = Tally::default();
    let mut add = |encoded: &[u8]| crate::history::compact::apply(Sign::Add, encoded, &mut sum);
    frames.for_each(|frame| frame.requests.iter().for_each(|(_, encoded)| add(encoded)));
    sum
}

#[test]
fn a_window_is_covered_by_coarse_frames_and_then_by_finer_ones() {
    let mut tiers = Tiers::new(0);
    (0..1234).for_each(|tick| tiers.push(frame(tick, &[tick])));
    let steps: Vec<(u64, u64)> = tiers.cover(2, 600, 1234).map(|frame| (frame.start, frame.seconds)).collect();
    let minutes = (10..20).map(|minute| (minute * 60, 60));
    let expected: Vec<_> =
        minutes.chain([(1200, 10), (1210, 10), (1220, 10), (1230, 1), (1231, 1), (1232, 1), (1233, 1)]).collect();
    assert_eq!(steps, expected);
}

#[test]
fn figures_begin_with_the_finest_frame_and_not_with_the_step_of_days_around_it() {
    let (began, mut tiers) = (190_000, Tiers::new(200_000));
    for (tier, step) in STEPS.into_iter().enumerate().skip(1).rev().filter(|(_, step)| *step != 300) {
        let frame = FrameBuilder::new(began / step * step, step).finish(Host::default(), vec![]);
        tiers.restore(tier, vec![frame]);
    }
    assert_eq!(tiers.oldest(), Some(began));
    // What is kept in days alone begins with its days.
    let days = FrameBuilder::new(0, 172_800).finish(Host::default(), vec![]);
    tiers.restore(STEPS.len() - 1, vec![days]);
    assert_eq!(tiers.oldest(), Some(0));
}

#[test]
fn every_tier_is_bounded() {
    let mut tiers = Tiers::new(0);
    // A frame in ten minutes is enough for the long tiers, and one a second for the short ones.
    let end = 402 * 86_400;
    let seldom = (0..end - 90_000).step_by(600);
    seldom.chain(end - 90_000..end).for_each(|tick| tiers.push(frame(tick, &[])));
    assert_eq!(tiers.frames.each_ref().map(VecDeque::len), KEPT);
    assert_eq!(tiers.bytes(), tiers.frames.iter().flatten().map(Frame::bytes).sum::<usize>());
    assert_eq!(tiers.cover(4, end - 86_400, end).map(|frame| frame.seconds).sum::<u64>(), 86_400);
}

#[test]
fn too_many_bytes_cost_the_oldest_of_the_day() {
    let mut tiers = Tiers::new(0);
    let mut heavy = FrameBuilder::new(0, 1);
    let busy = tally(&(0..2000).map(|number| number * number).collect::<Vec<_>>());
    (0..512).for_each(|id| heavy.endpoint(id, &busy));
    let heavy = heavy.finish(Host::default(), vec![]);
    for tick in 0..2000 {
        let mut frame = heavy.clone();
        frame.start = tick;
        tiers.push(frame);
        // What is not yet folded stays, if it is the whole of the excess.
        assert!(tiers.bytes() <= MAX_BYTES + 25 * heavy.bytes(), "{}", tiers.bytes());
    }
    assert!(tiers.has_lost(0, 0) && !tiers.has_lost(3, 0), "the seconds are the heaviest here");
    assert_eq!(tiers.cover(0, 1999, 2000).count(), 1, "the newest are there");
    let requests = |frames| whole(frames).requests();
    assert_eq!(requests(tiers.cover(3, 0, 2000)), 2000 * 512 * 2000);
}

#[test]
fn what_the_host_was_like_is_its_last_its_mean_or_its_worst() {
    let mut tiers = Tiers::new(0);
    for tick in 0..10 {
        let database_latency_us = Some(100 - tick);
        let host = Host {
            database_latency_us,
            process_cpu_percent: Some(tick as f64),
            rss_bytes: Some(tick),
            ..Host::default()
        };
        tiers.push(FrameBuilder::new(tick, 1).finish(host, vec![]));
    }
    let folded = tiers.cover(1, 0, 10).next().unwrap();
    let expected =
        Host { rss_bytes: Some(9), process_cpu_percent: Some(4.5), database_latency_us: Some(100), ..Host::default() };
    assert_eq!((folded.seconds, &folded.host), (10, &expected));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn from_tier_to_tier_nothing_is_lost(
        ticks in prop::collection::vec((1u64..9, prop::collection::vec(0u64..1 << 33, 0..8)), 1..250),
    ) {
        let mut tiers = Tiers::new(0);
        let mut now = 0;
        let mut all = vec![];
        for (skipped, durations) in &ticks {
            let tick = now + skipped - 1;
            tiers.push(frame(tick, durations));
            all.extend(durations);
            now = tick + 1;
        }
        let exact = tally_of_some_failures(&all);
        for tier in 0..STEPS.len() {
            // The finer tiers do not keep the oldest.
            if !tiers.has_lost(tier, 0) {
                prop_assert_eq!(&whole(tiers.cover(tier, 0, now)), &exact, "tier {}", tier);
                prop_assert_eq!(&of_endpoints(tiers.cover(tier, 0, now)), &exact, "tier {}", tier);
                let seconds: u64 = tiers.cover(tier, 0, now).map(|frame| frame.seconds).sum();
                prop_assert_eq!(seconds, ticks.len() as u64);
                let errors: u32 = tiers.cover(tier, 0, now).flat_map(Frame::errors).map(|(_, count)| count).sum();
                prop_assert_eq!(errors as usize, all.len());
            }
        }
    }

    #[test]
    fn frames_merge_in_any_order_and_grouping(
        a in prop::collection::vec(0u64..1 << 33, 0..20),
        b in prop::collection::vec(0u64..1 << 33, 0..20),
        c in prop::collection::vec(0u64..1 << 33, 0..20),
    ) {
        let [a, b, c] = [a, b, c].map(|durations| frame(0, &durations));
        let left = fold(0, &[&fold(0, &[&a, &b]), &c]);
        let right = fold(0, &[&a, &fold(0, &[&b, &c])]);
        let other = fold(0, &[&c, &b, &a]);
        for same in [&right, &other] as [&Frame; 2] {
            prop_assert_eq!(left.requests.iter().collect::<Vec<_>>(), same.requests.iter().collect::<Vec<_>>());
            prop_assert_eq!(whole([&left].into_iter()), whole([same].into_iter()));
            prop_assert_eq!(left.errors(), same.errors());
        }
    }
}
