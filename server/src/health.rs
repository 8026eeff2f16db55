//! The judgement over requests, memory and database: one status, with a sentence for each thing that is wrong.

use watchboard_app::{
    format,
    wire::{Database, DatabaseState, EndpointName, Health, Memory, RecentRequests, Status},
};

use crate::requests::Tally;

/// Fewer requests in the last minute say nothing about an error rate.
const ENOUGH_REQUESTS: u64 = 20;
/// Server errors, as a percentage of the last minute's requests: past the first something is wrong, past the second most is.
const DEGRADED_ERROR_PERCENT: f64 = 5.0;
const UNHEALTHY_ERROR_PERCENT: f64 = 50.0;
/// Memory, as a percentage of the limit that it is held to: what is left goes in one burst.
const DEGRADED_MEMORY_PERCENT: f64 = 95.0;

/// Endpoints that miss their objective are named, but no more than these.
const MOST_NAMED: usize = 3;
/// So many requests beyond the objective are more than an accident.
const ENOUGH_SLOW: u64 = 3;

/// An endpoint whose last minute was slower than it is meant to be.
pub(crate) struct Slow {
    name: EndpointName,
    p99_us: u64,
}

impl Slow {
    /// None where it was as fast as it is meant to be, or had too few requests to tell.
    pub(crate) fn of(sums: &Tally, name: impl FnOnce() -> EndpointName) -> Option<Self> {
        let requests = sums.requests();
        if requests < ENOUGH_REQUESTS {
            return None;
        }
        let (name, p99_us) = (name(), sums.latency()?.p99_us);
        let beyond = requests.saturating_sub(sums.within(name.objective_us));
        (p99_us > name.objective_us && beyond >= ENOUGH_SLOW).then_some(Self { name, p99_us })
    }

    fn sentence(&self) -> String {
        let time = |us: u64| format::duration_us(us as f64);
        format!("{} p99 {}, objective {}", self.name.text(), time(self.p99_us), time(self.name.objective_us))
    }
}

/// What is wrong, the worst first.
pub(crate) fn judge(
    recent: &RecentRequests,
    mut slow: Vec<Slow>,
    memory: &Memory,
    database: &Database,
) -> (Status, Vec<String>) {
    let mut findings = Vec::new();
    if let Some(percent) = recent.error_percent().filter(|_| recent.requests >= ENOUGH_REQUESTS) {
        let status = match percent {
            percent if percent >= UNHEALTHY_ERROR_PERCENT => Status::Unhealthy,
            percent if percent >= DEGRADED_ERROR_PERCENT => Status::Degraded,
            _ => Status::Healthy,
        };
        let sentence = format!("{} of the last minute's requests failed with a server error", format::percent(percent));
        findings.push((status, sentence));
    }
    if let DatabaseState::Failed(failure) = &database.state {
        findings.push((Status::Degraded, format!("database {}", failure.kind.words())));
    }
    if let Ok(headline) = memory.headline()
        && headline.percent() >= DEGRADED_MEMORY_PERCENT
    {
        let limit = format::bytes(headline.limit_bytes as f64);
        let percent = format::percent(headline.percent());
        findings.push((Status::Degraded, format!("memory at {percent} of the {}'s {limit}", headline.scope)));
    }
    slow.sort_by_key(|slow| std::cmp::Reverse(slow.p99_us));
    let named = slow.iter().take(MOST_NAMED).map(|slow| (Status::Degraded, slow.sentence()));
    findings.extend(named);
    if let Some(more @ 1..) = slow.len().checked_sub(MOST_NAMED) {
        findings.push((Status::Degraded, format!("{more} more endpoints beyond their objective")));
    }
    findings.retain(|(status, _)| *status != Status::Healthy);
    findings.sort_by_key(|(status, _)| std::cmp::Reverse(*status));
    let worst = findings.first().map_or(Status::Healthy, |(status, _)| *status);
    (worst, findings.into_iter().map(|(_, sentence)| sentence).collect())
}

/// The health after a judgement: its time is kept while the status stays the same.
pub(crate) fn health(before: &Health, (status, reasons): (Status, Vec<String>), now_unix_ms: u64) -> Health {
    let since_unix_ms = if status == before.status { before.since_unix_ms } else { now_unix_ms };
    Health { status, since_unix_ms, reasons }
}

#[cfg(test)]
mod tests {
    use watchboard_app::wire::{Container, DatabaseFailure, FailureKind, System, Unknown};

    use super::*;

    fn memory(limit_bytes: u64) -> Memory {
        let unread = || Unknown::because("not read");
        Memory {
            process: Err(unread()),
            handles: Err(unread()),
            threads: Err(unread()),
            container: Ok(Some(Container {
                working_set_bytes: 96,
                limit_bytes: Some(limit_bytes),
                ..Container::default()
            })),
            system: Ok(System { total_bytes: 1000, used_bytes: 1000, ..System::default() }),
            mapped: Err(unread()),
            heap: None,
        }
    }

    fn recent(requests: u64, server_errors: u64) -> RecentRequests {
        RecentRequests { seconds: 60, requests, server_errors, ..RecentRequests::default() }
    }

    #[test]
    fn nothing_wrong_is_healthy_and_unknown_is_not_wrong() {
        let unknown = Memory { container: Err(Unknown::default()), system: Err(Unknown::default()), ..memory(1000) };
        assert_eq!(judge(&recent(0, 0), vec![], &unknown, &Database::default()), (Status::Healthy, vec![]));
        assert_eq!(
            judge(&recent(5, 5), vec![], &memory(1000), &Database::default()).0,
            Status::Healthy,
            "too few to judge"
        );
    }

    #[test]
    fn the_worst_comes_first_and_decides() {
        let failure = DatabaseFailure { kind: FailureKind::Refused, detail: String::new() };
        let database = Database { state: DatabaseState::Failed(failure), ..Database::default() };
        let (status, reasons) = judge(&recent(100, 60), vec![], &memory(100), &database);
        assert_eq!(status, Status::Unhealthy);
        assert_eq!(reasons.len(), 3);
        assert!(reasons[0].starts_with("60\u{a0}% of the last minute's requests"), "{reasons:?}");
        assert_eq!(judge(&recent(100, 6), vec![], &memory(1000), &Database::default()).0, Status::Degraded);
    }

    #[test]
    fn an_endpoint_beyond_its_objective_is_named_with_its_figures() {
        let name = || EndpointName { method: Some("GET".into()), route: "/search".into(), objective_us: 500_000 };
        let tally = |fast: usize, slow: usize| {
            let durations = [vec![1_000; fast], vec![2_100_000; slow]].concat();
            crate::history::tally(&durations)
        };
        assert!(Slow::of(&tally(200, 2), name).is_none(), "an accident");
        assert!(Slow::of(&tally(0, 10), name).is_none(), "too few requests");
        let slow = Slow::of(&tally(200, 30), name).into_iter().collect();
        let (status, reasons) = judge(&recent(230, 0), slow, &memory(1000), &Database::default());
        assert_eq!(status, Status::Degraded);
        assert_eq!(reasons[0].replace('\u{a0}', " "), "GET /search p99 2.11 s, objective 500 ms");
    }

    #[test]
    fn a_status_keeps_its_time_while_it_lasts() {
        let first = health(&Health::default(), (Status::Degraded, vec!["a".into()]), 10);
        let second = health(&first, (Status::Degraded, vec!["b".into()]), 20);
        assert_eq!((second.since_unix_ms, second.reasons[0].as_str()), (10, "b"));
        assert_eq!(health(&second, (Status::Healthy, vec![]), 30).since_unix_ms, 30);
    }
}
