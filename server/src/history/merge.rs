//! Merges stored steps without knowing their names: those of several instances at one time, or the shorter ones of a longer step. Sums and
//! histograms add up, so that percentiles are those of all requests.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::{Deserialize, Serialize};
use watchboard_wire::{CommandName, RecentRequests};

use super::{
    compact::{self, Sign},
    frame::{Frame, FrameBuilder, Host, fold_as, fold_host},
    store::{NameKey, StoredStep},
    stored,
    stored_name::{RunNumber, StoredName},
    stored_reports::StoredReports,
};
use crate::requests::{Class, Tally};

/// What the steps are that are merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Merged {
    /// Of several instances, at the same time.
    Instances,
    /// Of one, one after the other.
    ShorterSteps,
}

/// The step that begins at `start` and has what all of these have. What cannot be read is left out; `None` if that is all.
pub(crate) fn merge_steps(start: u64, steps: &[StoredStep], merged: Merged) -> Option<Vec<u8>> {
    // A key takes the place of one run's number.
    let number = &mut |key: NameKey| usize::try_from(key.0).ok();
    let (mut frames, mut reports) = (vec![], vec![]);
    for step in steps {
        let command = &mut |key: NameKey| usize::try_from(key.0).ok();
        if let Some((frame, of_frame)) = stored::decode(&step.bytes, step.start, number, command) {
            frames.push(frame);
            reports.push(of_frame);
        }
    }
    let frames: Vec<&Frame> = frames.iter().collect();
    let seconds = frames.iter().map(|frame| frame.seconds);
    let (seconds, host) = match merged {
        Merged::Instances => (seconds.max()?, host_of_all(&frames)),
        Merged::ShorterSteps => (seconds.reduce(u64::saturating_add)?, fold_host(&frames)),
    };
    let frame = fold_as(FrameBuilder::with_waits(start, seconds, *WAITS_KEY), &frames, host);
    let key = &mut |numbered: RunNumber| match numbered {
        RunNumber::Endpoint(number) | RunNumber::Command(number) => NameKey(number as u64),
        RunNumber::Cause(number) => NameKey(number.into()),
    };
    Some(stored::encode(&frame, &StoredReports::merge(reports), key))
}

/// All requests of some steps, which have so many seconds.
pub(crate) fn recent_requests(steps: &[StoredStep], seconds: u64) -> RecentRequests {
    let mut whole = Tally::default();
    for step in steps {
        if let Some((frame, _)) = stored::decode(&step.bytes, step.start, &mut |_| None, &mut |_| None) {
            frame.requests.apply_whole(Sign::Add, &mut whole);
        }
    }
    whole.recent(seconds)
}

/// The requests of each endpoint in some steps, by the key of its name.
pub(crate) fn requests_by_endpoint(steps: &[StoredStep]) -> BTreeMap<NameKey, Tally> {
    let mut sums = BTreeMap::<NameKey, Tally>::new();
    for step in steps {
        let number = &mut |key: NameKey| usize::try_from(key.0).ok();
        let Some((frame, _)) = stored::decode(&step.bytes, step.start, number, &mut |_| None) else { continue };
        for (number, tally) in frame.requests.iter() {
            compact::apply(Sign::Add, tally, sums.entry(NameKey(number as u64)).or_default());
        }
    }
    sums
}

/// The name of an endpoint as the page shows it; `None` if these bytes are the name of something else.
pub(crate) fn endpoint_text(name: &[u8]) -> Option<String> {
    match StoredName::decode(name)? {
        StoredName::Endpoint { method: Some(method), route } => Some(format!("{method} {route}")),
        StoredName::Endpoint { method: None, route } => Some(route),
        StoredName::Command(_) | StoredName::Cause { .. } => None,
    }
}

/// What one instance did in a step, in short.
pub(crate) fn step_in_short(step: &StoredStep) -> Option<StepInShort> {
    let (frame, _) = stored::decode(&step.bytes, step.start, &mut |_| None, &mut |_| None)?;
    let mut whole = Tally::default();
    frame.requests.apply_whole(Sign::Add, &mut whole);
    Some(StepInShort {
        requests: whole.requests(),
        server_errors: whole.count(Class::ServerError),
        p99_us: whole.latencies.latency().map(|latency| latency.p99_us),
        memory_percent: frame.host.memory_percent.map(|percent| percent as f32),
        cpu_percent: frame.host.process_cpu_percent.map(|percent| percent as f32),
    })
}

/// The figures of a step that a heat map shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct StepInShort {
    pub(crate) requests: u64,
    pub(crate) server_errors: u64,
    /// Of a longer step the highest of its shorter ones.
    pub(crate) p99_us: Option<u64>,
    pub(crate) memory_percent: Option<f32>,
    pub(crate) cpu_percent: Option<f32>,
}

impl StepInShort {
    /// Adds another step: sums of requests, the highest of the other figures.
    pub(crate) fn add(&mut self, other: &Self) {
        let most = |one: Option<f32>, other: Option<f32>| {
            [one, other].into_iter().flatten().filter(|value| value.is_finite()).reduce(f32::max)
        };
        self.requests = self.requests.saturating_add(other.requests);
        self.server_errors = self.server_errors.saturating_add(other.server_errors);
        self.p99_us = self.p99_us.max(other.p99_us);
        self.memory_percent = most(self.memory_percent, other.memory_percent);
        self.cpu_percent = most(self.cpu_percent, other.cpu_percent);
    }
}

/// The key of waiting for a connection, which the sum of all commands leaves out.
static WAITS_KEY: LazyLock<usize> = LazyLock::new(|| {
    let name = CommandName { command: "checkOut".to_owned(), ..CommandName::default() };
    NameKey::of(&StoredName::Command(name).encode()).0 as usize
});

/// The figures of all hosts at one time: sums of bytes, rates and connections; means of shares, and of the shares that have a limit the
/// largest.
fn host_of_all(frames: &[&Frame]) -> Host {
    let sum = |read: fn(&Host) -> Option<u64>| {
        frames.iter().filter_map(|frame| read(&frame.host)).reduce(u64::saturating_add)
    };
    let rate =
        |read: fn(&Host) -> Option<f64>| frames.iter().filter_map(|frame| read(&frame.host)).reduce(|a, b| a + b);
    let most = |read: fn(&Host) -> Option<f64>| frames.iter().filter_map(|frame| read(&frame.host)).reduce(f64::max);
    let mean = |read: fn(&Host) -> Option<f64>| {
        let known = frames.iter().filter(|frame| read(&frame.host).is_some()).count();
        rate(read).map(|sum| sum / known.max(1) as f64)
    };
    Host {
        rss_bytes: sum(|host| host.rss_bytes),
        anonymous_bytes: sum(|host| host.anonymous_bytes),
        file_bytes: sum(|host| host.file_bytes),
        shmem_bytes: sum(|host| host.shmem_bytes),
        live_heap_bytes: sum(|host| host.live_heap_bytes),
        memory_percent: most(|host| host.memory_percent),
        process_cpu_percent: mean(|host| host.process_cpu_percent),
        system_cpu_percent: mean(|host| host.system_cpu_percent),
        memory_pressure_percent: most(|host| host.memory_pressure_percent),
        requests_allocate: rate(|host| host.requests_allocate),
        others_allocate: rate(|host| host.others_allocate),
        frees: rate(|host| host.frees),
        database_failed_percent: mean(|host| host.database_failed_percent),
        database_latency_us: frames.iter().filter_map(|frame| frame.host.database_latency_us).max(),
        commands_reading: rate(|host| host.commands_reading),
        commands_writing: rate(|host| host.commands_writing),
        connections_in_use: sum(|host| host.connections_in_use),
        connections_waiting: sum(|host| host.connections_waiting),
    }
}

#[cfg(test)]
pub(super) mod tests;
