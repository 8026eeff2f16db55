//! What a stored step has of single requests: its errors by cause, and its slowest requests. Stable keys are in the place of one run's
//! numbers.

use std::{cmp::Reverse, collections::BTreeMap, num::NonZeroU32, sync::Arc};

use serde::{Deserialize, Serialize};
use watchboard_wire::ErrorSample;

use super::{
    frame::Frame,
    reported::Reported,
    store::NameKey,
    stored_name::{NumberOf, RunNumber},
};
use crate::{
    commands::attribution::Step,
    requests::{Ending, Outcome, RequestUsage, SlowSighting},
};

/// Slow requests that a step keeps: of all endpoints, and of one.
const MAX_SLOW: usize = 24;
const MAX_SLOW_OF_ONE: usize = 2;
/// Errors of each cause that it keeps in full.
const MAX_SAMPLES: usize = 2;
/// A sighting is told at the tick after it, so its time can be before the step.
const REPORTED_WITHIN_MS: u64 = 2_000;

/// As it is encoded.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct StoredReports {
    pub(super) errors: Vec<StoredErrors>,
    pub(super) slow: Vec<StoredSlow>,
}

/// The errors of one cause.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct StoredErrors {
    /// The key of the cause's name.
    pub(super) cause: u64,
    pub(super) count: u32,
    /// The newest first.
    pub(super) samples: Vec<ErrorSample>,
}

/// One slow request.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct StoredSlow {
    /// The key of its endpoint's name.
    endpoint: u64,
    at_unix_ms: u64,
    duration_us: u64,
    first_byte_us: Option<NonZeroU32>,
    connect_us: Option<NonZeroU32>,
    response_bytes: u64,
    status: u16,
    outcome: Outcome,
    id: Option<String>,
    usage: Option<StoredUsage>,
}

/// Its database commands.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct StoredUsage {
    commands: u32,
    elapsed_us: u64,
    waited_us: u64,
    began_us: u64,
    /// The key of the command's name, whether it failed, when it began, and how long it took.
    steps: Vec<(u64, bool, u32, u32)>,
}

impl StoredReports {
    /// What there is for a frame that ends before a tick.
    pub(super) fn of_frame(
        frame: &Frame,
        to: u64,
        reported: &Reported,
        key: &mut dyn FnMut(RunNumber) -> NameKey,
    ) -> Self {
        let is_within =
            |at_unix_ms: u64| at_unix_ms + REPORTED_WITHIN_MS >= frame.start * 1000 && at_unix_ms < to * 1000;
        let errors = |(number, count): &(u32, u32)| {
            let cause = reported.causes.by_number(*number)?;
            let samples = cause.samples.iter().filter(|sample| is_within(sample.at_unix_ms));
            let samples = samples.take(MAX_SAMPLES).cloned().collect();
            Some(StoredErrors { cause: key(RunNumber::Cause(*number)).0, count: *count, samples })
        };
        let errors = frame.errors().iter().filter_map(errors).collect();
        let slow = reported.slowest_of_all(&(frame.start..to), MAX_SLOW, MAX_SLOW_OF_ONE);
        Self { errors, slow: slow.into_iter().map(|one| StoredSlow::of(one, key)).collect() }
    }

    /// Those of several steps of the same names: all errors, and the slowest requests of all.
    pub(super) fn merge(all: impl IntoIterator<Item = Self>) -> Self {
        let (mut errors, mut slow) = (BTreeMap::<u64, StoredErrors>::new(), vec![]);
        for reports in all {
            for fresh in reports.errors {
                let empty = || StoredErrors { cause: fresh.cause, count: 0, samples: vec![] };
                let merged = errors.entry(fresh.cause).or_insert_with(empty);
                merged.count = merged.count.saturating_add(fresh.count);
                merged.samples.extend(fresh.samples);
                merged.samples.sort_by_key(|sample| Reverse(sample.at_unix_ms));
                merged.samples.truncate(MAX_SAMPLES);
            }
            slow.extend(reports.slow);
        }
        slow.sort_by_key(|one: &StoredSlow| Reverse(one.duration_us));
        let mut listed = BTreeMap::<u64, usize>::new();
        slow.retain(|one| {
            let of_endpoint = listed.entry(one.endpoint).or_default();
            *of_endpoint += 1;
            *of_endpoint <= MAX_SLOW_OF_ONE
        });
        slow.truncate(MAX_SLOW);
        Self { errors: errors.into_values().collect(), slow }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        // It can fail for types alone whose length is not known.
        postcard::to_allocvec(self).unwrap_or_default()
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        postcard::from_bytes(bytes).ok()
    }
}

fn stored_step(step: &Step, command: NameKey) -> (u64, bool, u32, u32) {
    (command.0, step.failed, step.at_us, step.elapsed_us)
}

impl StoredSlow {
    fn of(sighting: &SlowSighting, key: &mut dyn FnMut(RunNumber) -> NameKey) -> Self {
        let usage = sighting.usage.as_deref().map(|usage| StoredUsage {
            commands: usage.commands,
            elapsed_us: usage.elapsed_us,
            waited_us: usage.waited_us,
            began_us: usage.began_us,
            steps: usage
                .steps
                .iter()
                .map(|step| stored_step(step, key(RunNumber::Command(step.shape.into()))))
                .collect(),
        });
        Self {
            endpoint: key(RunNumber::Endpoint(sighting.endpoint as usize)).0,
            at_unix_ms: sighting.at_unix_ms,
            duration_us: sighting.duration_us,
            first_byte_us: sighting.first_byte_us,
            connect_us: sighting.connect_us,
            response_bytes: sighting.response_bytes,
            status: sighting.ending.status,
            outcome: sighting.ending.outcome,
            id: sighting.id.as_deref().map(str::to_owned),
            usage,
        }
    }

    /// With the numbers of this run; `None` if its endpoint has none.
    pub(super) fn sighting(self, endpoint: NumberOf<'_>, command: NumberOf<'_>) -> Option<SlowSighting> {
        let usage = self.usage.map(|usage| {
            let step = |(key, failed, at_us, elapsed_us)| {
                let shape = command(NameKey(key))? as u16;
                Some(Step { shape, failed, at_us, elapsed_us })
            };
            Arc::new(RequestUsage {
                commands: usage.commands,
                elapsed_us: usage.elapsed_us,
                waited_us: usage.waited_us,
                began_us: usage.began_us,
                steps: usage.steps.into_iter().filter_map(step).collect(),
            })
        });
        Some(SlowSighting {
            at_unix_ms: self.at_unix_ms,
            duration_us: self.duration_us,
            response_bytes: self.response_bytes,
            id: self.id.map(Arc::from),
            usage,
            endpoint: endpoint(NameKey(self.endpoint))? as u32,
            first_byte_us: self.first_byte_us,
            connect_us: self.connect_us,
            ending: Ending { status: self.status, outcome: self.outcome },
        })
    }
}

#[cfg(test)]
mod tests;
