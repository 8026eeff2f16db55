//! The laws of merging, and its figures against the raw durations.

use super::*;
use crate::{
    commands::CommandTally,
    history::{compact, store::StoreTier, tests::tally},
};

fn key(number: usize) -> NameKey {
    NameKey(u64::MAX - number as u64)
}

/// Steps of ten seconds of one instance: at each the durations of two endpoints, which it has under numbers of its own.
fn steps_of(instance: usize, durations: &[Vec<u64>]) -> Vec<StoredStep> {
    let step = |(at, durations): (usize, &Vec<u64>)| {
        let start = at as u64 * 10;
        let mut builder = FrameBuilder::new(start, 10);
        let (one, other) = durations.split_at(durations.len() / 2);
        builder.endpoint(instance, &tally(one));
        builder.endpoint(instance + 1, &tally(other));
        let waits = CommandTally { fine: 3, ..CommandTally::default() };
        builder.command(0, &waits);
        builder.command(instance + 7, &CommandTally { fine: 5, ..CommandTally::default() });
        let host = Host { rss_bytes: Some(100), process_cpu_percent: Some(instance as f64), ..Host::default() };
        let frame = builder.finish(host, vec![]);
        let bytes = stored::encode(&frame, &StoredReports::default(), &mut |numbered| match numbered {
            RunNumber::Endpoint(number) => key(number - instance),
            RunNumber::Command(0) => NameKey(*WAITS_KEY as u64),
            RunNumber::Command(number) => key(100 + number - instance),
            RunNumber::Cause(number) => NameKey(number.into()),
        });
        StoredStep { tier: StoreTier::TenSeconds, start, bytes }
    };
    durations.iter().enumerate().map(step).collect()
}

fn merged(start: u64, steps: &[StoredStep], how: Merged) -> StoredStep {
    let bytes = merge_steps(start, steps, how).expect("they can be read");
    StoredStep { tier: StoreTier::TenSeconds, start, bytes }
}

/// The sums of all, those of each endpoint, and the calls of all commands.
fn sums(step: &StoredStep) -> (Frame, Tally, Vec<Tally>, u64) {
    let mut number = |key: NameKey| Some(key.0 as usize);
    let (frame, _) = stored::decode(&step.bytes, step.start, &mut number, &mut |key| Some(key.0 as usize)).unwrap();
    let (mut whole, mut commands) = (Tally::default(), CommandTally::default());
    frame.requests.apply_whole(Sign::Add, &mut whole);
    frame.commands.apply_whole(Sign::Add, &mut commands);
    let each = frame.requests.iter().map(|(_, encoded)| {
        let mut tally = Tally::default();
        compact::apply(Sign::Add, encoded, &mut tally);
        tally
    });
    let each = each.collect();
    (frame, whole, each, commands.calls())
}

fn durations(random: &mut fastrand::Rng) -> Vec<Vec<u64>> {
    (0..6).map(|_| (0..random.usize(2..400)).map(|_| random.u64(1..9) << random.u32(5..20)).collect()).collect()
}

#[test]
fn the_order_of_merging_makes_no_difference_and_nothing_is_lost() {
    let mut random = fastrand::Rng::with_seed(7);
    let raw: Vec<Vec<Vec<u64>>> = (0..12).map(|_| durations(&mut random)).collect();
    let instances: Vec<_> = (0..12).map(|number| steps_of(number, &raw[number])).collect();
    // All instances at each time, then all times.
    let at_once: Vec<_> = (0..6)
        .map(|at| {
            let of_all: Vec<_> = instances.iter().map(|steps| steps[at].clone()).collect();
            merged(at as u64 * 10, &of_all, Merged::Instances)
        })
        .collect();
    let first = merged(0, &at_once, Merged::ShorterSteps);
    // All times of each instance, then all instances, the last one first.
    let minutes = instances.iter().rev().map(|steps| merged(0, steps, Merged::ShorterSteps));
    let other = merged(0, &minutes.collect::<Vec<_>>(), Merged::Instances);
    let ((frame, whole, each, calls), (other_frame, other_whole, other_each, other_calls)) =
        (sums(&first), sums(&other));
    assert_eq!((whole.clone(), each.clone(), calls), (other_whole, other_each, other_calls));
    assert_eq!((frame.seconds, other_frame.seconds, each.len()), (60, 60, 2));
    // The waits for a connection are no command.
    assert_eq!((frame.commands.iter().count(), calls), (2, 12 * 6 * 5));
    assert_eq!((frame.host.rss_bytes, frame.host.process_cpu_percent), (Some(1_200), Some(5.5)));
    let mut all: Vec<u64> = raw.into_iter().flatten().flatten().collect();
    all.sort_unstable();
    assert_eq!((whole.requests(), whole.duration_sum_us), (all.len() as u64, all.iter().sum()));
    let latency = whole.latency().succeeded.unwrap();
    for (percent, found) in [(50, latency.p50_us), (95, latency.p95_us), (99, latency.p99_us)] {
        let exact = all[(all.len() * percent).div_ceil(100) - 1] as f64;
        assert!((found as f64 - exact).abs() <= 0.01 * exact, "p{percent}: {found} instead of {exact}");
    }
}

#[test]
fn what_cannot_be_read_is_left_out() {
    let steps = steps_of(0, &[vec![5, 9]]);
    let torn = StoredStep { bytes: steps[0].bytes[..9].to_vec(), ..steps[0].clone() };
    assert_eq!(merge_steps(0, std::slice::from_ref(&torn), Merged::Instances), None);
    let (_, whole, ..) = sums(&merged(0, &[torn, steps[0].clone()], Merged::Instances));
    assert_eq!(whole.requests(), 2);
}

/// An encoded step with a request of each duration.
pub(crate) fn measured_step(durations_us: &[u64]) -> Vec<u8> {
    steps_of(0, &[durations_us.to_vec()]).remove(0).bytes
}
