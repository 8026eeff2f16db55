//! The instances over the window, for the heat map of their view.

use std::collections::HashMap;

use watchboard_wire::{InstanceRow, InstanceStrip, Window};

use super::points::{POINTS, decode_points};
use crate::history::{
    PastSpan, StepInShort,
    store::{MongoSteps, StoreError, StoreTier, StoredStep},
};

/// Instances that have one, the worst.
const MAX_STRIPS: usize = 100;
/// The bytes of all points of a window: those of a thousand instances have half of it.
const MAX_POINT_BYTES: usize = 32 << 20;

/// The strips of the first instances, in their order.
pub(super) async fn read_strips(
    steps: &MongoSteps,
    window: Window,
    until: u64,
    rows: &[InstanceRow],
) -> Result<Vec<InstanceStrip>, StoreError> {
    let span = PastSpan::latest(window, until);
    let tier = span.stored.unwrap_or(StoreTier::TenSeconds);
    let read = steps.of(POINTS).newest_steps(tier, span.ticks.0..span.ticks.1, MAX_POINT_BYTES).await?;
    Ok(strips(&read, span.window, until, rows))
}

fn strips(steps: &[StoredStep], window: Window, until: u64, rows: &[InstanceRow]) -> Vec<InstanceStrip> {
    let (points, step) = (window.line_points(), window.line_step_seconds());
    let first = (until.saturating_sub(1) / step + 1).saturating_sub(points as u64);
    let shown: HashMap<&str, usize> = rows.iter().take(MAX_STRIPS).map(|row| &*row.name).zip(0..).collect();
    let mut sums: Vec<Vec<Option<StepInShort>>> = vec![vec![None; points]; shown.len()];
    for (number, of_step) in steps.iter().filter_map(|one| Some((one.start / step, decode_points(&one.bytes)?))) {
        let Some(at) = number.checked_sub(first).map(|at| at as usize).filter(|at| *at < points) else { continue };
        for (name, point) in of_step {
            let Some(row) = shown.get(&*name) else { continue };
            sums[*row][at].get_or_insert_default().add(&point);
        }
    }
    sums.into_iter().map(|sums| strip(&sums)).collect()
}

fn strip(sums: &[Option<StepInShort>]) -> InstanceStrip {
    let of = |read: fn(&StepInShort) -> Option<f32>| sums.iter().map(|sum| read(sum.as_ref()?)).collect();
    InstanceStrip {
        p99_us: sums.iter().map(|sum| sum.as_ref()?.p99_us?.try_into().ok()).collect(),
        error_percent: of(|sum| (sum.requests > 0).then(|| 100.0 * sum.server_errors as f32 / sum.requests as f32)),
        memory_percent: of(|sum| sum.memory_percent),
        cpu_percent: of(|sum| sum.cpu_percent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::points::{InstancePoints, encode_points};

    #[test]
    fn a_strip_has_the_worst_of_each_point_and_gaps_where_there_is_nothing() {
        let step = |start, p99_us, server_errors| {
            let point = StepInShort { requests: 10, server_errors, p99_us: Some(p99_us), ..StepInShort::default() };
            let points = InstancePoints::from([("web-1".to_owned(), point)]);
            StoredStep { tier: StoreTier::TenSeconds, start, bytes: encode_points(&points) }
        };
        let until = 9_000;
        let row = |name: &str| InstanceRow { name: name.to_owned(), ..InstanceRow::default() };
        let steps = [step(until - 10, 7, 1), step(until - 20, 9, 0), step(until - 900, 5, 0), step(0, 99, 0)];
        let strips = strips(&steps, Window::FifteenMinutes, until, &[row("web-2"), row("web-1")]);
        assert_eq!(strips[0].p99_us, vec![None; 30]);
        let p99_us = &strips[1].p99_us;
        assert_eq!((p99_us[29], p99_us[0], p99_us.iter().flatten().count()), (Some(9), Some(5), 2));
        assert_eq!(strips[1].error_percent[29], Some(5.0));
    }
}
