//! Requests: too many errors, and endpoints beyond their objective.

use watchboard_wire::{EndpointName, Finding, FindingSubject, RecentRequests, Status, format};

use super::finding::degraded_finding;
use crate::{
    history::History,
    requests::{Reader, Tally, UpstreamFailure},
};

/// An error rate needs so many requests in the last minute.
pub(super) const ENOUGH_REQUESTS: u64 = 20;
/// Unless all of so many failed.
const ENOUGH_FAILED: u64 = 10;
/// Server errors, as a percentage of the last minute's requests: past the first something is wrong, past the second most is.
const DEGRADED_ERROR_PERCENT: f64 = 5.0;
const UNHEALTHY_ERROR_PERCENT: f64 = 50.0;

/// Endpoints are named, but no more of a kind than these.
pub(super) const MAX_NAMED: usize = 3;
/// So many requests beyond a limit are more than an accident.
pub(super) const ENOUGH_BEYOND: u64 = 3;

/// An endpoint whose last minute was slower than its objective.
pub(super) struct Slow {
    name: EndpointName,
    p99_us: u64,
}

impl Slow {
    /// `None` if it kept its objective, or had too few requests.
    fn from_sums(sums: &Tally, name: impl FnOnce() -> EndpointName) -> Option<Self> {
        let requests = sums.requests();
        if requests < ENOUGH_REQUESTS {
            return None;
        }
        let (name, p99_us) = (name(), sums.latency()?.p99_us);
        let beyond = sums.count_beyond(name.objective_us);
        (p99_us > name.objective_us && beyond >= ENOUGH_BEYOND).then_some(Self { name, p99_us })
    }

    fn finding(&self) -> Finding {
        let time = |us: u64| format::duration_us(us as f64);
        let name = self.name.text();
        let sentence = format!("{name} p99 {}, objective {}", time(self.p99_us), time(self.name.objective_us));
        degraded_finding(sentence, FindingSubject::Endpoint(name))
    }
}

/// The endpoints that were slower than their objective.
pub(super) fn slow(history: &mut History, reader: &Reader) -> Vec<Slow> {
    history.last_minute_of_each().filter_map(|(id, sums)| Slow::from_sums(sums, || reader.name(id))).collect()
}

/// `failures` are those of a proxy's upstream in the last minute, by their reasons.
pub(super) fn request_findings(
    recent: &RecentRequests,
    failures: &[(UpstreamFailure, u64)],
    mut slow: Vec<Slow>,
) -> Vec<Finding> {
    let mut findings: Vec<Finding> = errors(recent, failures).into_iter().collect();
    slow.sort_by_key(|slow| std::cmp::Reverse(slow.p99_us));
    findings.extend(slow.iter().take(MAX_NAMED).map(Slow::finding));
    if let Some(more @ 1..) = slow.len().checked_sub(MAX_NAMED) {
        findings
            .push(degraded_finding(format!("{more} more endpoints beyond their objective"), FindingSubject::Requests));
    }
    findings
}

/// Requests for which a proxy had no place say nothing of the application: the places that are full have a finding of their own.
fn errors(recent: &RecentRequests, failures: &[(UpstreamFailure, u64)]) -> Option<Finding> {
    let (refusals, failures): (Vec<_>, Vec<_>) = failures.iter().partition(|(failure, _)| failure.is_refusal);
    let refused: u64 = refusals.iter().map(|(_, count)| count).sum();
    let recent = RecentRequests {
        requests: recent.requests.saturating_sub(refused),
        server_errors: recent.server_errors.saturating_sub(refused),
        ..*recent
    };
    let all_failed = recent.server_errors == recent.requests && recent.requests >= ENOUGH_FAILED;
    let percent = recent.error_percent().filter(|_| recent.requests >= ENOUGH_REQUESTS || all_failed)?;
    let status = match percent {
        percent if percent >= UNHEALTHY_ERROR_PERCENT => Status::Unhealthy,
        percent if percent >= DEGRADED_ERROR_PERCENT => Status::Degraded,
        _ => return None,
    };
    let most = failures.iter().max_by_key(|(_, count)| *count);
    let reason = match most.filter(|(_, count)| *count > 0) {
        Some((UpstreamFailure { reason, .. }, count)) if *count >= recent.server_errors => format!(": {reason}"),
        Some((UpstreamFailure { reason, .. }, count)) if 2 * count >= recent.server_errors => {
            format!(", most of them because {reason}")
        }
        _ => String::new(),
    };
    let percent = format::percent(percent);
    let sentence = format!("{percent} of the last minute's requests failed with a server error{reason}");
    Some(Finding { status, sentence, about: FindingSubject::Requests })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recent(requests: u64, server_errors: u64) -> RecentRequests {
        RecentRequests { seconds: 60, requests, server_errors, ..RecentRequests::default() }
    }

    #[test]
    fn errors_count_by_their_share_once_there_are_enough_requests() {
        let status = |requests, errors| {
            request_findings(&recent(requests, errors), &[], vec![]).first().map(|finding| finding.status)
        };
        assert_eq!([status(0, 0), status(5, 5), status(10, 9), status(100, 4)], [None; 4]);
        assert_eq!([status(100, 6), status(100, 60)], [Some(Status::Degraded), Some(Status::Unhealthy)]);
        assert_eq!(status(10, 10), Some(Status::Unhealthy));
        let sentence = &request_findings(&recent(100, 60), &[], vec![])[0].sentence;
        assert!(sentence.starts_with("60\u{a0}% of the last minute's requests"), "{sentence}");
        let failure = |reason| UpstreamFailure { reason, is_refusal: false };
        let failures = [(failure("it refuses connections"), 50), (failure("it is late"), 10)];
        let sentence = &request_findings(&recent(100, 60), &failures, vec![])[0].sentence;
        assert!(sentence.ends_with("a server error, most of them because it refuses connections"), "{sentence}");
        let sentence = &request_findings(&recent(100, 60), &failures[1..], vec![])[0].sentence;
        assert!(sentence.ends_with("a server error"), "{sentence}");
        let refusals = [(UpstreamFailure { reason: "there was no place", is_refusal: true }, 58)];
        assert_eq!(request_findings(&recent(100, 60), &refusals, vec![]), vec![]);
    }

    #[test]
    fn an_endpoint_beyond_its_objective_is_named_with_its_figures() {
        let name = || EndpointName {
            method: Some("GET".into()),
            route: "/search".into(),
            objective_us: 500_000,
            ..EndpointName::default()
        };
        let tally = |fast: usize, slow: usize| {
            let durations = [vec![1_000; fast], vec![2_100_000; slow]].concat();
            crate::history::tally(&durations)
        };
        assert!(Slow::from_sums(&tally(200, 2), name).is_none(), "an accident");
        assert!(Slow::from_sums(&tally(0, 10), name).is_none(), "too few requests");
        let found =
            request_findings(&recent(230, 0), &[], Slow::from_sums(&tally(200, 30), name).into_iter().collect());
        assert_eq!(found[0].sentence.replace('\u{a0}', " "), "GET /search p99 2.11 s, objective 500 ms");
        assert_eq!(found[0].about, FindingSubject::Endpoint("GET /search".into()));
    }
}
