//! The health of requests, memory and database together: one status, with a finding for each problem. Each kind of finding is a
//! file. A finding has a sentence with a figure, and a view with the details.

mod allocation;
mod application;
mod capacity;
mod commands;
mod database;
mod finding;
mod growth;
mod last_minute;
mod limits;
mod monitor;
mod requests;
mod unanswered;

use watchboard_wire::{CapacityUse, DatabaseHealth, DatabaseServer, Finding, Health, Memory, RecentRequests, Status};

pub(crate) use self::monitor::MonitorState;
use self::{
    finding::{FindingKey, HeldFindings},
    growth::GrowthDetector,
    limits::Limits,
};
use crate::{
    commands::CommandReader,
    history::History,
    requests::{Reader, UpstreamFailure},
};

/// Judges once a second, and holds the state that shows changes.
#[derive(Default)]
pub(crate) struct Judge {
    limits: Limits,
    growth: GrowthDetector,
    application: application::ReachabilityState,
    churn: commands::Churn,
    capacity: capacity::CapacityJudge,
    slow: requests::SlowJudge,
    unanswered: unanswered::UnansweredJudge,
    failures: last_minute::LastMinute<UpstreamFailure>,
    held: HeldFindings,
}

/// The figures of a tick.
pub(crate) struct HealthInput<'a> {
    pub(crate) tick: u64,
    pub(crate) unix_ms: u64,
    pub(crate) recent: &'a RecentRequests,
    pub(crate) capacities: &'a [CapacityUse],
    pub(crate) memory: &'a Memory,
    pub(crate) database: &'a DatabaseHealth,
    pub(crate) server: Option<&'a DatabaseServer>,
    pub(crate) history: &'a mut History,
    pub(crate) reader: &'a Reader,
    pub(crate) commands: &'a CommandReader,
    pub(crate) monitor: MonitorState<'a>,
}

impl Judge {
    /// The health at this tick, after the last one.
    pub(crate) fn judge(&mut self, before: &Health, input: HealthInput<'_>) -> Health {
        self.growth.add(input.tick, input.memory);
        let failures = self.failures.add(input.tick, input.reader.upstream_failures());
        let slow = self.slow.slow(input.tick, input.history, input.reader);
        let most_failing = requests::most_failing(input.history, input.reader);
        let mut by_threshold = requests::request_findings(input.recent, &failures, most_failing.as_ref(), slow);
        by_threshold.extend(self.unanswered.unanswered_findings(input.tick, input.history, input.reader));
        by_threshold.extend(self.capacity.capacity_findings(input.tick, input.capacities));
        by_threshold.extend(commands::command_findings(
            &mut self.churn,
            input.tick,
            input.commands,
            input.history,
            input.reader,
        ));
        by_threshold.extend(self.limits.limit_findings(input.tick, input.memory));
        by_threshold.extend(self.growth.growth_finding(input.memory));
        // If the application is another process, the requests here allocate for the proxy.
        if input.memory.application.is_none() {
            by_threshold.extend(allocation::allocation_findings(
                self.growth.recent_heap_growth(),
                input.history,
                input.reader,
            ));
        }
        let mut findings = self.held.hold(by_threshold, input.unix_ms);
        // What does not answer is told at once, and so is its return.
        findings.extend(self.application.application_finding(input.memory, input.recent, input.unix_ms));
        findings.extend(application::unresolved_finding(input.memory));
        findings.extend(database::database_findings(input.database, input.server));
        findings.extend(input.monitor.findings());
        settle(before, findings, input.unix_ms)
    }
}

/// The health if nothing else could be judged.
pub(crate) fn with_monitor(before: &Health, monitor: MonitorState<'_>, now_unix_ms: u64) -> Health {
    settle(before, monitor.findings().collect(), now_unix_ms)
}

/// The health with a new state of the database, between two ticks.
pub(crate) fn with_database(before: &Health, was: &DatabaseHealth, now: &DatabaseHealth, now_unix_ms: u64) -> Health {
    let old = database::failure_finding(was).map(|finding| FindingKey::from(&finding));
    let others = before.findings.iter().filter(|finding| Some(FindingKey::from(*finding)) != old);
    settle(before, others.cloned().chain(database::failure_finding(now)).collect(), now_unix_ms)
}

/// The gravest comes first and decides; what is over comes behind. Status and findings keep their times while they stay the same.
fn settle(before: &Health, mut findings: Vec<Finding>, now_unix_ms: u64) -> Health {
    for finding in &mut findings {
        let key = FindingKey::from(&*finding);
        let known = before.findings.iter().find(|known| FindingKey::from(*known) == key);
        finding.since_unix_ms = known.map_or(now_unix_ms, |known| known.since_unix_ms);
    }
    findings.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.over_since_unix_ms.is_some()));
    let status = findings.first().map_or(Status::Healthy, |finding| finding.severity.status());
    let since_unix_ms = if status == before.status { before.since_unix_ms } else { now_unix_ms };
    Health { status, since_unix_ms, findings }
}

#[cfg(test)]
mod tests {
    use super::{
        finding::{advice, incident, warning},
        *,
    };
    use watchboard_wire::FindingSubject;

    #[test]
    fn the_gravest_comes_first_and_decides() {
        let [a, b] =
            [warning("a".to_owned(), FindingSubject::Requests), incident("b".to_owned(), FindingSubject::Requests)];
        let health = settle(&Health::default(), vec![a, b], 7);
        assert_eq!((health.status, health.since_unix_ms), (Status::Unhealthy, 7));
        assert_eq!(health.sentences().collect::<Vec<_>>(), ["b", "a"]);
    }

    #[test]
    fn advice_leaves_the_status_healthy() {
        let health = settle(&Health::default(), vec![advice("a".to_owned(), FindingSubject::Database)], 7);
        assert_eq!((health.status, health.findings.len()), (Status::Healthy, 1));
    }

    #[test]
    fn a_status_and_each_finding_keep_their_own_time() {
        let slow = |p99: &str| warning(format!("GET / p99 {p99}"), FindingSubject::Endpoint("GET /".to_owned()));
        let failed = || warning("the database fails".to_owned(), FindingSubject::Database);
        let first = settle(&Health::default(), vec![slow("2\u{a0}s")], 10);
        let second = settle(&first, vec![slow("3\u{a0}s"), failed()], 20);
        let since: Vec<u64> = second.findings.iter().map(|finding| finding.since_unix_ms).collect();
        assert_eq!((second.since_unix_ms, since), (10, vec![10, 20]));
        assert_eq!(settle(&second, vec![], 30).since_unix_ms, 30);
    }
}
