//! The latency of the endpoints that take the most time, in points of their small lines. A point that is complete is summed once.

use std::collections::{BTreeMap, VecDeque};

use watchboard_wire::{EndpointStrip, Window};

use super::{
    compact::{self, Sign},
    tiers::{Tiers, tier},
};
use crate::requests::{Aliases, Tally};

/// The strips of one window.
#[derive(Default)]
pub(super) struct StripSums {
    /// The points of each endpoint, by its id. All end with the same point.
    by_id: BTreeMap<usize, VecDeque<Option<u32>>>,
    /// One past the last point, which may be incomplete.
    end: u64,
}

impl StripSums {
    /// The strips of these endpoints from point `first` on, up to before the tick `to`.
    pub(super) fn strips(
        &mut self,
        ids: &[usize],
        (tiers, aliases): (&Tiers, &Aliases),
        window: Window,
        (first, to): (u64, u64),
    ) -> Vec<EndpointStrip> {
        let (step, was_end) = (window.line_step_seconds(), self.end);
        let end = to.div_ceil(step);
        let first = first.max(end.saturating_sub(window.line_points() as u64));
        self.by_id.retain(|id, _| ids.contains(id));
        for points in self.by_id.values_mut() {
            // The last point has gone on meanwhile.
            points.pop_back();
        }
        // An endpoint that is new among them needs all points.
        let is_new: Vec<usize> = ids.iter().copied().filter(|id| !self.by_id.contains_key(id)).collect();
        let begin = if is_new.is_empty() { was_end.saturating_sub(1).max(first) } else { first };
        for number in begin..end {
            let known = number + 1 < was_end;
            let mut sums: BTreeMap<usize, Tally> = BTreeMap::new();
            for frame in tiers.cover(tier(window), number * step, ((number + 1) * step).min(to)) {
                for (endpoint, encoded) in frame.requests.iter() {
                    let id = aliases.row(endpoint);
                    if (if known { &is_new[..] } else { ids }).contains(&id) {
                        compact::apply(Sign::Add, encoded, sums.entry(id).or_default());
                    }
                }
            }
            for id in if known { &is_new[..] } else { ids } {
                let latency = sums.get(id).and_then(|sums| sums.latencies.latency());
                let p95 = latency.map(|latency| u32::try_from(latency.p95_us).unwrap_or(u32::MAX));
                self.by_id.entry(*id).or_default().push_back(p95);
            }
        }
        self.end = end;
        let most = end.saturating_sub(first) as usize;
        for points in self.by_id.values_mut() {
            points.drain(..points.len().saturating_sub(most));
        }
        let strip = |id: &usize| EndpointStrip { id: *id as u32, p95_us: self.by_id[id].iter().copied().collect() };
        ids.iter().filter(|id| self.by_id.contains_key(id)).map(strip).collect()
    }
}
