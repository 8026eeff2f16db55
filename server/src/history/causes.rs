//! Errors by cause. Errors with the same endpoint, status and masked message have one cause.

use std::{
    collections::{HashMap, VecDeque},
    ops::Range,
};

use watchboard_wire::{ErrorCause, ErrorEvent, ErrorKind, ErrorSample};

use crate::requests::{KeptText, ReportedError, Sighting};

/// Causes at once. A further one replaces the cause whose last error is the oldest.
const MAX_CAUSES: usize = 200;
/// Errors that are kept in full: of each cause, and of all.
const SAMPLES: usize = 5;
const RECENT: usize = 100;

/// What errors have in common that are of one cause.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct CauseKey {
    pub(super) endpoint: usize,
    pub(super) status: u16,
    pub(super) kind: ErrorKind,
    pub(super) message: Option<String>,
}

/// A cause, with the tick at which it last changed.
pub(crate) struct Cause {
    pub(crate) tick: u64,
    pub(crate) cause: ErrorCause,
}

/// The causes, and the last errors.
#[derive(Default)]
pub(crate) struct Causes {
    numbers: HashMap<CauseKey, u32>,
    by_number: HashMap<u32, Cause>,
    next: u32,
    recent: VecDeque<ErrorEvent>,
    reported: u64,
    forgotten: u64,
}

impl Causes {
    /// Adds the errors of a tick; returns their count for each cause, by its number.
    pub(crate) fn add(
        &mut self,
        tick: u64,
        errors: Vec<ReportedError>,
        keep_text: bool,
        name: impl Fn(usize) -> String,
    ) -> Vec<(u32, u32)> {
        let mut counts: Vec<(u32, u32)> = vec![];
        self.reported += errors.len() as u64;
        for error in errors {
            let text = error.text.keep(keep_text);
            self.recent.push_front(event(&error, text.sample.clone(), name(error.sighting.endpoint)));
            let number = self.cause(tick, &error, text, name(error.sighting.endpoint));
            match counts.iter_mut().find(|(counted, _)| *counted == number) {
                Some((_, count)) => *count += 1,
                None => counts.push((number, 1)),
            }
        }
        self.recent.truncate(RECENT);
        counts.sort_unstable_by_key(|(number, _)| *number);
        counts
    }

    fn cause(&mut self, tick: u64, error: &ReportedError, text: KeptText, endpoint: String) -> u32 {
        let ReportedError { sighting, kind, location, .. } = error;
        let at = location.as_deref().map(|location| format!(" at {location}"));
        let message = match (text.cause, at) {
            (None, at) => at.map(|at| at.trim_start().to_owned()),
            (Some(text), at) => Some(text + at.as_deref().unwrap_or_default()),
        };
        let status = sighting.ending.status;
        let key = CauseKey { endpoint: sighting.endpoint, status, kind: *kind, message };
        let number = self.numbers.get(&key).copied().unwrap_or_else(|| {
            self.make_room();
            self.insert(key, endpoint, (tick, sighting.at_unix_ms))
        });
        if let Some(Cause { tick: changed, cause }) = self.by_number.get_mut(&number) {
            *changed = tick;
            cause.total += 1;
            cause.last_at_unix_ms = sighting.at_unix_ms;
            cause.samples.insert(0, sample(sighting, text.sample));
            cause.samples.truncate(SAMPLES);
        }
        number
    }

    fn insert(&mut self, key: CauseKey, endpoint: String, (tick, at_unix_ms): (u64, u64)) -> u32 {
        self.next += 1;
        let cause = ErrorCause {
            number: self.next,
            endpoint_id: key.endpoint as u32,
            endpoint,
            status: key.status,
            kind: key.kind,
            message: key.message.clone(),
            first_at_unix_ms: at_unix_ms,
            last_at_unix_ms: at_unix_ms,
            ..ErrorCause::default()
        };
        self.numbers.insert(key, self.next);
        self.by_number.insert(self.next, Cause { tick, cause });
        self.next
    }

    /// Adds what an earlier step has of a cause: its last errors, and the seconds that the step has. Returns its number, or `None` if newer
    /// causes fill the list.
    pub(super) fn add_earlier(
        &mut self,
        key: CauseKey,
        endpoint: impl FnOnce() -> String,
        step: Range<u64>,
        samples: Vec<ErrorSample>,
    ) -> Option<u32> {
        let times = samples.iter().map(|sample| sample.at_unix_ms);
        let first_at = times.clone().min().unwrap_or(step.start * 1000);
        let last_at = times.max().unwrap_or((step.end - 1) * 1000);
        let last_tick = last_at / 1000;
        let known = self.numbers.get(&key).copied();
        if known.is_none() && self.quietest().is_some_and(|quietest| quietest.last_at_unix_ms >= last_at) {
            return None;
        }
        let number = known.unwrap_or_else(|| {
            self.make_room();
            self.insert(key, endpoint(), (last_tick, last_at))
        });
        let Cause { tick, cause } = self.by_number.get_mut(&number)?;
        *tick = last_tick.max(*tick);
        cause.first_at_unix_ms = cause.first_at_unix_ms.min(first_at);
        cause.last_at_unix_ms = cause.last_at_unix_ms.max(last_at);
        cause.samples.extend(samples);
        cause.samples.sort_by_key(|sample| std::cmp::Reverse(sample.at_unix_ms));
        // Several steps have the same ones.
        cause.samples.dedup();
        cause.samples.truncate(SAMPLES);
        Some(number)
    }

    /// The cause that goes first, if there is no room for one more.
    fn quietest(&self) -> Option<&ErrorCause> {
        let causes = self.by_number.values().map(|cause| &cause.cause);
        causes.min_by_key(|cause| cause.last_at_unix_ms).filter(|_| self.by_number.len() >= MAX_CAUSES)
    }

    fn make_room(&mut self) {
        if let Some(number) = self.quietest().map(|cause| cause.number) {
            self.forgotten += self.by_number.remove(&number).map_or(0, |cause| cause.cause.total);
            self.numbers.retain(|_, kept| *kept != number);
        }
    }

    pub(super) fn only_message(&self, endpoint: usize, since: u64) -> Option<&str> {
        let is_wanted =
            |it: &&Cause| it.cause.endpoint_id as usize == endpoint && it.cause.status >= 500 && it.tick >= since;
        let mut of_endpoint = self.iter().filter(is_wanted);
        let only = of_endpoint.next().filter(|_| of_endpoint.next().is_none())?;
        only.cause.message.as_deref()
    }

    /// The cause with a number, if it is still kept.
    pub(super) fn by_number(&self, number: u32) -> Option<&ErrorCause> {
        self.by_number.get(&number).map(|cause| &cause.cause)
    }

    /// The causes, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Cause> {
        self.by_number.values()
    }

    /// The last errors, newest first.
    pub(crate) fn recent(&self) -> Vec<ErrorEvent> {
        self.recent.iter().cloned().collect()
    }

    /// The number of `seen` errors that no cause counts: those that did not fit into the queue, and those of causes that were replaced.
    pub(crate) fn uncounted_errors(&self, seen: u64) -> u64 {
        seen.saturating_sub(self.reported) + self.forgotten
    }
}

fn event(error: &ReportedError, message: Option<String>, endpoint: String) -> ErrorEvent {
    ErrorEvent {
        at_unix_ms: error.sighting.at_unix_ms,
        endpoint,
        status: error.sighting.ending.status,
        kind: error.kind,
        message,
        location: error.location.clone(),
        duration_us: error.sighting.duration_us,
    }
}

fn sample(sighting: &Sighting, message: Option<String>) -> ErrorSample {
    ErrorSample {
        at_unix_ms: sighting.at_unix_ms,
        duration_us: sighting.duration_us,
        request_id: sighting.id.text().map(ToOwned::to_owned),
        message,
    }
}

#[cfg(test)]
mod tests;
