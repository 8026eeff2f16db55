//! One endpoint since the start, as the monitor has read it so far.

use std::sync::Arc;

use watchboard_wire::{Closes, EndpointTotals, LongLivedKind, LongLivedTotals, StatusTotals};

use super::endpoint::{AwaitedCounts, Endpoint, EndpointDelta};
use crate::commands::CommandUseDelta;

/// An endpoint since the start.
pub(super) struct EndpointState {
    pub(super) number: usize,
    pub(super) started: u64,
    pub(super) ended: u64,
    pub(super) awaited: AwaitedCounts,
    /// The database commands of its requests, by shape.
    pub(super) uses: Vec<CommandUseDelta>,
    /// The command that its requests repeated last, within a second.
    pub(super) last_repetition: Option<Box<CommandUseDelta>>,
    /// Whether the last reading took nothing.
    pub(super) is_quiet: bool,
    pub(super) totals: Arc<EndpointTotals>,
}

impl EndpointState {
    pub(super) fn new(id: usize, number: usize, endpoint: &Endpoint) -> Self {
        let totals = EndpointTotals {
            id,
            method: endpoint.method.map(ToOwned::to_owned),
            route: endpoint.route.to_string(),
            ..EndpointTotals::default()
        };
        let totals = Arc::new(totals);
        Self {
            number,
            started: 0,
            ended: 0,
            awaited: AwaitedCounts::default(),
            uses: vec![],
            last_repetition: None,
            is_quiet: false,
            totals,
        }
    }

    /// Requests that have not ended, without open streams.
    pub(super) fn in_flight(&self) -> u64 {
        let streams = self.long_lived(LongLivedKind::Stream).map_or(0, |streams| streams.open);
        self.started.saturating_sub(self.ended + streams)
    }

    pub(super) fn long_lived(&self, kind: LongLivedKind) -> Option<&LongLivedTotals> {
        self.totals.long_lived.iter().find(|totals| totals.kind == kind)
    }

    pub(super) fn is_busy(&self) -> bool {
        self.in_flight() > 0 || self.totals.long_lived.iter().any(|totals| totals.open > 0)
    }

    pub(super) fn read_long_lived(&mut self, endpoint: &Endpoint) {
        let mut read = endpoint.read_long_lived();
        for totals in &mut read {
            // In the order of their first appearance: a new way to close takes no series of the metrics from another.
            let before = self.long_lived(totals.kind).map_or(&[][..], |known| &known.closes);
            let place = |closes: &Closes| before.iter().position(|it| (it.code, it.by) == (closes.code, closes.by));
            totals.closes.sort_by_key(|closes| place(closes).unwrap_or(usize::MAX));
        }
        if read != self.totals.long_lived {
            Arc::make_mut(&mut self.totals).long_lived = read;
        }
    }

    /// The memory that it holds beside itself, in bytes.
    pub(super) fn held_bytes(&self) -> usize {
        let EndpointTotals { method, route, statuses, long_lived, .. } = &*self.totals;
        let errors = statuses.iter().filter_map(|total| total.error.as_ref()).map(String::capacity).sum::<usize>();
        let texts = route.capacity() + method.as_ref().map_or(0, String::capacity) + errors;
        let repetition = self.last_repetition.as_ref().map_or(0, |_| size_of::<CommandUseDelta>());
        size_of::<EndpointTotals>()
            + statuses.capacity() * size_of::<StatusTotals>()
            + texts
            + long_lived.capacity() * size_of::<LongLivedTotals>()
            + long_lived.iter().map(|totals| totals.closes.capacity() * size_of::<Closes>()).sum::<usize>()
            + self.uses.capacity() * size_of::<CommandUseDelta>()
            + repetition
    }

    pub(super) fn add_uses(&mut self, taken: &[CommandUseDelta]) {
        add_uses(&mut self.uses, taken);
        let most = taken.iter().filter(|used| used.repeated > 0).max_by_key(|used| used.most);
        self.last_repetition = most.map(|used| Box::new(*used)).or_else(|| self.last_repetition.take());
    }

    pub(super) fn add(&mut self, taken: &EndpointDelta, endpoint: &Endpoint) {
        self.add_uses(&taken.usage.uses);
        // Snapshots of earlier ticks keep their totals.
        let totals = Arc::make_mut(&mut self.totals);
        for taken in &taken.endings {
            let total = totals.status_mut(taken.ending.status, taken.ending.error());
            total.requests += taken.requests();
            total.duration_sum_us += taken.duration_sum_us;
            for (bounded, count) in total.bounded.iter_mut().zip(taken.bounded) {
                *bounded += u64::from(count);
            }
            self.ended += taken.requests();
        }
        totals.response_bytes += taken.response_bytes;
        totals.allocated_bytes += taken.allocated.bytes;
        totals.freed_bytes += taken.allocated.freed_bytes;
        totals.commands += taken.usage.commands;
        totals.database_us += taken.usage.elapsed_us;
        // Read after the ends, so that no more requests end than began.
        self.started = endpoint.started_count();
        let in_flight = self.in_flight();
        Arc::make_mut(&mut self.totals).in_flight = in_flight;
    }
}

/// Adds commands by their shape.
pub(super) fn add_uses(sums: &mut Vec<CommandUseDelta>, more: &[CommandUseDelta]) {
    for used in more {
        match sums.iter_mut().find(|sum| sum.shape == used.shape) {
            Some(sum) => sum.add(used),
            None => sums.push(*used),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requests::long_lived::OpenExchange;

    #[test]
    fn a_new_way_to_close_stands_behind_those_that_were_there() {
        let endpoint: &'static Endpoint = Box::leak(Box::new(Endpoint::new(Some("GET"), "/chat", 1)));
        let mut state = EndpointState::new(0, 0, endpoint);
        let mut closed = |code| {
            let recorder = endpoint.long_lived(LongLivedKind::WebSocket);
            OpenExchange::new(recorder).close(Some(code), None);
            state.read_long_lived(endpoint);
            let totals = state.long_lived(LongLivedKind::WebSocket).expect("one was opened");
            totals.closes.iter().filter_map(|closes| closes.code).collect::<Vec<_>>()
        };
        assert_eq!(closed(4001), [4001]);
        assert_eq!(closed(1001), [4001, 1001]);
        assert_eq!(closed(1000), [4001, 1001, 1000]);
        assert_eq!(closed(4001), [4001, 1001, 1000]);
    }
}
