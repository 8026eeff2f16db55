//! The figures of each instance over time, for heat maps: a few numbers a step, beside the merged steps of all.

use std::collections::BTreeMap;

use crate::history::{StepInShort, step_in_short, store::StoredStep};

/// The name of all instances together, which no instance has.
pub(super) const ALL_INSTANCES: &str = "";
/// The name under which these figures are.
pub(super) const POINTS: &str = "\u{1}points";
/// Instances of a point.
const MAX_POINTS: usize = 10_000;

/// The figures of one step by the name of the instance.
pub(super) type InstancePoints = BTreeMap<String, StepInShort>;

pub(super) fn points_of_steps(steps: &[(String, StoredStep)]) -> InstancePoints {
    let points = steps.iter().filter_map(|(instance, step)| Some((instance.clone(), step_in_short(step)?)));
    points.take(MAX_POINTS).collect()
}

/// Those of a longer step: sums of requests, the highest of the others.
pub(super) fn fold_points(steps: &[StoredStep]) -> InstancePoints {
    let mut folded = InstancePoints::new();
    for (name, point) in steps.iter().filter_map(|step| decode_points(&step.bytes)).flatten() {
        folded.entry(name).or_default().add(&point);
    }
    folded
}

pub(super) fn encode_points(points: &InstancePoints) -> Vec<u8> {
    // It can fail for types alone whose length is not known.
    postcard::to_allocvec(points).unwrap_or_default()
}

/// `None` for what is no points.
pub(super) fn decode_points(bytes: &[u8]) -> Option<InstancePoints> {
    postcard::from_bytes::<InstancePoints>(bytes).ok().filter(|points| points.len() <= MAX_POINTS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::store::StoreTier;

    #[test]
    fn a_longer_step_has_the_requests_of_all_and_the_worst_of_the_rest() {
        let step = |start, points: &[(&str, u64, u64, f32)]| {
            let points = points.iter().map(|(name, requests, p99_us, cpu)| {
                let point = StepInShort {
                    requests: *requests,
                    p99_us: Some(*p99_us),
                    cpu_percent: Some(*cpu),
                    ..StepInShort::default()
                };
                ((*name).to_owned(), point)
            });
            StoredStep { tier: StoreTier::TenSeconds, start, bytes: encode_points(&points.collect()) }
        };
        let steps = [step(0, &[("a", 5, 900, 7.0), ("b", 1, 5, f32::NAN)]), step(10, &[("a", 7, 100, 9.0)])];
        let torn = StoredStep { bytes: vec![9, 9], ..steps[0].clone() };
        let folded = fold_points(&[&steps[..], &[torn]].concat());
        assert_eq!((folded["a"].requests, folded["a"].p99_us, folded["a"].cpu_percent), (12, Some(900), Some(9.0)));
        assert_eq!((folded["b"].requests, folded["b"].cpu_percent), (1, None));
    }
}
