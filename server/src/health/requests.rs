//! Requests: too many errors, and endpoints beyond their objective.

use std::collections::HashMap;

use watchboard_wire::{EndpointName, Finding, FindingSubject, RecentRequests, format};

use super::{
    finding::{FindingRole, Judged, incident, warning},
    slow::Slow,
};
use crate::{
    history::History,
    requests::{Class, Reader, Tally, UpstreamFailure},
};

/// An error rate needs so many requests in the last minute.
pub(super) const ENOUGH_REQUESTS: u64 = 20;
/// Unless all of so many failed,
const ENOUGH_FAILED: u64 = 10;
/// or half of fewer, and at least so many: something is wrong, but nobody knows how much.
const FEW_FAILED: u64 = 3;
/// Server errors, as a percentage of the last minute's requests: past the first something is wrong, past the second most is.
const DEGRADED_ERROR_PERCENT: f64 = 5.0;
const UNHEALTHY_ERROR_PERCENT: f64 = 50.0;

/// Endpoints are named, but no more of a kind than these.
pub(super) const MAX_NAMED: usize = 3;
/// So many requests beyond a limit are more than an accident.
pub(super) const ENOUGH_BEYOND: u64 = 3;
/// The first and the last of them lie so far apart: a page that loads twenty files at once is no slow endpoint.
const LASTING_SECONDS: u64 = 5;

impl Slow {
    /// `None` if it kept its objective, or too few requests succeeded: those that failed have findings of their own.
    fn from_sums(sums: &Tally, name: impl FnOnce() -> EndpointName) -> Option<Self> {
        if sums.latencies.count() < ENOUGH_REQUESTS {
            return None;
        }
        let (name, p99_us) = (name(), sums.latencies.latency()?.p99_us);
        let beyond = sums.count_beyond(name.objective_us);
        let (elapsed_us, waited_us) = sums.usage.as_ref().map_or((0, 0), |usage| (usage.elapsed_us, usage.waited_us));
        let [database_percent, waited_percent] =
            [elapsed_us, waited_us].map(|us| 100.0 * us as f64 / sums.duration_sum_us.max(1) as f64);
        let slow = Self { name, p99_us, database_percent, waited_percent };
        (p99_us > slow.name.objective_us && beyond >= ENOUGH_BEYOND).then_some(slow)
    }

    pub(super) fn judged(self) -> Judged {
        let objective = format::duration_us(self.name.objective_us as f64);
        let why = if self.is_by_database() {
            let percent = (self.database_percent + self.waited_percent).min(100.0);
            format!(": {} of its time is in the database, or a wait for it", format::percent(percent))
        } else {
            String::new()
        };
        let sentence = format!("{}, objective {objective}{why}", self.text());
        let finding = warning(sentence, FindingSubject::Endpoint(self.name.text()));
        Judged { finding, role: FindingRole::Slow(self) }
    }
}

/// Which endpoints have been slower than their objective, and since when.
#[derive(Default)]
pub(super) struct SlowJudge(HashMap<usize, SlowSpan>);

/// The time in which requests of an endpoint were beyond its objective.
struct SlowSpan {
    first_tick: u64,
    last_tick: u64,
    beyond: u64,
}

impl SlowJudge {
    /// The endpoints that were slower than their objective for a while: what one page loads at once is no trend.
    pub(super) fn slow(&mut self, tick: u64, history: &mut History, reader: &Reader) -> Vec<Slow> {
        let each = history.last_minute_of_each();
        let verdict =
            |(id, sums): (usize, &Tally)| self.verdict(tick, id, (sums, reader.objective_us(id)), || reader.name(id));
        each.filter_map(verdict).collect()
    }

    /// The first requests count before there are enough for a percentile: those of a slow endpoint come late.
    fn verdict(
        &mut self,
        tick: u64,
        id: usize,
        (sums, objective_us): (&Tally, u64),
        name: impl FnOnce() -> EndpointName,
    ) -> Option<Slow> {
        let beyond = sums.count_beyond(objective_us);
        if beyond < ENOUGH_BEYOND {
            self.0.remove(&id);
            return None;
        }
        if self.lasts(tick, id, beyond) { Slow::from_sums(sums, name) } else { None }
    }

    /// Whether requests of the endpoint have been beyond its objective for [`LASTING_SECONDS`].
    fn lasts(&mut self, tick: u64, id: usize, beyond: u64) -> bool {
        let span = self.0.entry(id).or_insert(SlowSpan { first_tick: tick, last_tick: tick, beyond });
        if beyond > span.beyond {
            span.last_tick = tick;
        }
        span.beyond = beyond;
        span.last_tick - span.first_tick >= LASTING_SECONDS
    }
}

/// The endpoint with the most server errors in the last minute, and those of which most requests fail.
pub(super) struct MostFailing {
    name: String,
    errors: u64,
    /// The requests of that endpoint.
    requests: u64,
    /// Endpoints with a server error.
    endpoints: u64,
    broken: Broken,
    /// The message of all its errors, if they have the same.
    message: Option<String>,
}

/// The endpoints of which most requests fail.
#[derive(Default)]
pub(super) struct Broken {
    endpoints: usize,
    errors: u64,
    /// The first of them, by when they came: which are named does not change with their figures.
    names: Vec<String>,
}

impl Broken {
    /// In words, if there are several.
    fn text(&self) -> Option<String> {
        let more = self.endpoints - self.names.len();
        match &self.names[..] {
            [] | [_] => None,
            names if more > 0 => Some(format!("{} and {} more", names.join(", "), format::exact(more as u64))),
            [names @ .., last] => Some(format!("{} and {last}", names.join(", "))),
        }
    }
}

impl MostFailing {
    /// What is told of endpoints that fail while the requests as a whole do not.
    fn finding(&self) -> Option<Finding> {
        if let Some(names) = self.broken.text() {
            let count = format::exact(self.broken.endpoints as u64);
            let sentence = format!("{count} endpoints fail in most of the last minute's requests: {names}");
            return Some(warning(sentence, FindingSubject::Requests));
        }
        if !is_broken(self.errors, self.requests) {
            return None;
        }
        let percent = format::percent(100.0 * self.errors as f64 / self.requests as f64);
        let message = self.message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
        let sentence =
            format!("{percent} of the last minute's requests of {} failed with a server error{message}", self.name);
        Some(warning(sentence, FindingSubject::Endpoint(self.name.clone())))
    }
}

/// Whether most requests of an endpoint fail, and enough of them to be no accident.
fn is_broken(errors: u64, requests: u64) -> bool {
    errors >= ENOUGH_FAILED && errors as f64 * 100.0 >= requests as f64 * UNHEALTHY_ERROR_PERCENT
}

/// Characters of an error's message in a finding.
const MAX_MESSAGE: usize = 80;

/// `None` without a server error.
pub(super) fn most_failing(tick: u64, history: &mut History, reader: &Reader) -> Option<MostFailing> {
    let (mut endpoints, mut broken) = (0, vec![]);
    // One that is broken comes before one that is larger.
    let mut most = (false, 0, 0, 0);
    for (id, sums) in history.last_minute_of_each() {
        let (errors, requests) = (sums.count(Class::ServerError), sums.requests());
        endpoints += u64::from(errors > 0);
        if is_broken(errors, requests) {
            broken.push((id, errors));
        }
        most = most.max((is_broken(errors, requests), errors, requests, id));
    }
    let (_, errors, requests, id) = most;
    (errors > 0).then(|| {
        let message = history.only_error_message(id, tick.saturating_sub(60)).map(shortened);
        broken.sort_unstable();
        let broken = Broken {
            endpoints: broken.len(),
            errors: broken.iter().map(|(_, errors)| errors).sum(),
            names: broken.iter().take(MAX_NAMED).map(|(id, _)| reader.name(*id).text()).collect(),
        };
        MostFailing { name: reader.name(id).text(), errors, requests, endpoints, broken, message }
    })
}

/// So much of a message that the sentence is read at one look.
fn shortened(message: &str) -> String {
    let Some((end, _)) = message.char_indices().nth(MAX_MESSAGE) else { return message.to_owned() };
    format!("{}…", message[..end].trim_end())
}

/// `failures` are those of a proxy's upstream in the last minute, by their reasons. `most_failing` is as of the function.
pub(super) fn request_findings(
    recent: &RecentRequests,
    failures: &[(UpstreamFailure, u64)],
    most_failing: Option<&MostFailing>,
    mut slow: Vec<Slow>,
) -> Vec<Judged> {
    let of_one = || most_failing.filter(|_| failures.iter().all(|(failure, _)| !failure.is_refusal))?.finding();
    let errors = errors(recent, failures, most_failing).or_else(of_one);
    let errors = errors.map(|finding| Judged { finding, role: FindingRole::Errors });
    slow.sort_by_key(|slow| std::cmp::Reverse(slow.p99_us));
    errors.into_iter().chain(slow.into_iter().map(Slow::judged)).collect()
}

/// Requests for which a proxy had no place say nothing of the application: the places that are full have a finding of their own.
fn errors(
    recent: &RecentRequests,
    failures: &[(UpstreamFailure, u64)],
    most_failing: Option<&MostFailing>,
) -> Option<Finding> {
    let (refusals, failures): (Vec<_>, Vec<_>) = failures.iter().partition(|(failure, _)| failure.is_refusal);
    let refused: u64 = refusals.iter().map(|(_, count)| count).sum();
    let recent = RecentRequests {
        requests: recent.requests.saturating_sub(refused),
        server_errors: recent.server_errors.saturating_sub(refused),
        ..*recent
    };
    let all_failed = recent.server_errors == recent.requests && recent.requests >= ENOUGH_FAILED;
    let percent = recent.error_percent()?;
    let is_sample = recent.requests >= ENOUGH_REQUESTS || all_failed;
    let make: fn(String, FindingSubject) -> Finding = match percent {
        percent if percent >= UNHEALTHY_ERROR_PERCENT && is_sample => incident,
        percent if percent >= DEGRADED_ERROR_PERCENT && is_sample => warning,
        percent if percent >= UNHEALTHY_ERROR_PERCENT && recent.server_errors >= FEW_FAILED => warning,
        _ => return None,
    };
    let most = failures.iter().max_by_key(|(_, count)| *count);
    let reason = match most.filter(|(_, count)| *count > 0) {
        Some((UpstreamFailure { reason, .. }, count)) if *count >= recent.server_errors => format!(": {reason}"),
        Some((UpstreamFailure { reason, .. }, count)) if 2 * count >= recent.server_errors => {
            format!(", most of them because {reason}")
        }
        _ => match most_failing {
            Some(MostFailing { broken, .. })
                if broken.text().is_some() && 2 * broken.errors >= recent.server_errors =>
            {
                let share = if broken.errors >= recent.server_errors { "all" } else { "most of them" };
                format!(", {share} of {}", broken.text().unwrap_or_default())
            }
            Some(MostFailing { name, errors, requests, message, .. }) if 2 * errors >= recent.server_errors => {
                let share = if *errors >= recent.server_errors { "all" } else { "most of them" };
                let message = message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
                let own = format::percent(100.0 * *errors as f64 / *requests as f64);
                format!(", {share} of {name}, where {own} fail{message}")
            }
            Some(MostFailing { name, errors, endpoints, .. }) if *endpoints > 1 => {
                let across = format!(", across {} endpoints", format::exact(*endpoints));
                // Where all fail alike, no one is the culprit.
                let is_more = 2 * errors * endpoints >= 3 * recent.server_errors;
                if is_more { format!("{across}: {name} has the most") } else { across }
            }
            _ => String::new(),
        },
    };
    let percent = format::percent(percent);
    let sentence = format!("{percent} of the last minute's requests failed with a server error{reason}");
    Some(make(sentence, FindingSubject::Requests))
}

#[cfg(test)]
mod tests;
