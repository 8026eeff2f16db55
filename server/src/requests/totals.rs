//! Adds up what is kept of endpoints since the start.

use watchboard_wire::{EndpointTotals, StatusTotals};

use crate::commands::CommandUseDelta;

/// Adds commands by their shape.
pub(super) fn add_uses(sums: &mut Vec<CommandUseDelta>, more: &[CommandUseDelta]) {
    for used in more {
        match sums.iter_mut().find(|sum| sum.shape == used.shape) {
            Some(sum) => sum.add(used),
            None => sums.push(*used),
        }
    }
}

/// Adds the totals of an endpoint to those of its row.
pub(super) fn add_totals(sums: &mut EndpointTotals, more: &EndpointTotals) {
    sums.in_flight += more.in_flight;
    sums.response_bytes += more.response_bytes;
    sums.allocated_bytes += more.allocated_bytes;
    sums.freed_bytes += more.freed_bytes;
    sums.commands += more.commands;
    sums.database_us += more.database_us;
    for StatusTotals { status, error, requests, duration_sum_us, bounded } in &more.statuses {
        let total = totals_of_status(&mut sums.statuses, *status, error.clone());
        total.requests += requests;
        total.duration_sum_us += duration_sum_us;
        total.bounded.iter_mut().zip(bounded).for_each(|(sum, count)| *sum += count);
    }
}

/// The total of an ending's status and error. There are few, so the search is linear.
pub(super) fn totals_of_status(
    statuses: &mut Vec<StatusTotals>,
    status: u16,
    error: Option<String>,
) -> &mut StatusTotals {
    let index = statuses.iter().position(|total| total.status == status && total.error == error);
    let at = index.unwrap_or_else(|| {
        statuses.reserve_exact(1);
        statuses.push(StatusTotals { status, error, ..StatusTotals::default() });
        statuses.len() - 1
    });
    &mut statuses[at]
}
