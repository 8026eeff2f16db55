//! Server errors of a proxy, counted by its reasons.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::upstream::UpstreamFailure;
use crate::sync::{OnceBox, slots::find_or_insert};

/// Reasons with a counter. Each is a constant of a proxy's code; ours has fewer. Further ones are not counted here.
const REASONS: usize = 32;

pub(super) struct UpstreamFailures([OnceBox<FailureCounter>; REASONS]);

struct FailureCounter {
    failure: UpstreamFailure,
    count: AtomicU64,
}

impl UpstreamFailures {
    pub(super) fn new() -> Self {
        Self(std::array::from_fn(|_| OnceBox::new()))
    }

    pub(super) fn count(&self, failure: UpstreamFailure) {
        let new = || Some(FailureCounter { failure, count: AtomicU64::new(0) });
        if let Some((_, counter)) = find_or_insert(&self.0, 0, |counter| counter.failure == failure, new, |_| ()) {
            counter.count.fetch_add(1, Relaxed);
        }
    }

    pub(super) fn to_vec(&self) -> Vec<(UpstreamFailure, u64)> {
        self.0.iter().filter_map(OnceBox::get).map(|counter| (counter.failure, counter.count.load(Relaxed))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_a_counter_and_too_many_do_no_harm() {
        let failures = UpstreamFailures::new();
        let failure = |reason| UpstreamFailure { reason, is_refusal: false };
        for reason in ["late", "refused", "late"] {
            failures.count(failure(reason));
        }
        assert_eq!(failures.to_vec(), [(failure("late"), 2), (failure("refused"), 1)]);
        for number in 0..100 {
            failures.count(failure(Box::leak(number.to_string().into_boxed_str())));
        }
        assert_eq!(failures.to_vec().len(), REASONS);
    }
}
