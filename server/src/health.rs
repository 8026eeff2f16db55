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

use watchboard_wire::{CapacityUse, DatabaseHealth, DatabaseServer, Finding, Health, Memory, RecentRequests, Status};

pub(crate) use self::monitor::MonitorState;
use self::{growth::GrowthDetector, limits::Limits};
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
    failures: last_minute::LastMinute<UpstreamFailure>,
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
        let mut findings = requests::request_findings(input.recent, &failures, slow);
        findings.extend(self.application.application_finding(input.memory, input.recent, input.unix_ms));
        findings.extend(application::unresolved_finding(input.memory));
        findings.extend(self.capacity.capacity_findings(input.tick, input.capacities));
        findings.extend(database::database_findings(input.database, input.server));
        findings.extend(commands::command_findings(
            &mut self.churn,
            input.tick,
            input.commands,
            input.history,
            input.reader,
        ));
        findings.extend(self.limits.limit_findings(input.tick, input.memory));
        findings.extend(self.growth.growth_finding(input.memory));
        // If the application is another process, the requests here allocate for the proxy.
        if input.memory.application.is_none() {
            findings.extend(allocation::allocation_findings(
                self.growth.recent_heap_growth(),
                input.history,
                input.reader,
            ));
        }
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
    let old = database::failure_finding(was);
    let others = before.findings.iter().filter(|finding| Some(*finding) != old.as_ref());
    settle(before, others.cloned().chain(database::failure_finding(now)).collect(), now_unix_ms)
}

/// The worst comes first and decides; the status keeps its time while it stays the same.
fn settle(before: &Health, mut findings: Vec<Finding>, now_unix_ms: u64) -> Health {
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.status));
    let status = findings.first().map_or(Status::Healthy, |finding| finding.status);
    let since_unix_ms = if status == before.status { before.since_unix_ms } else { now_unix_ms };
    Health { status, since_unix_ms, findings }
}

#[cfg(test)]
mod tests {
    use super::*;
    use watchboard_wire::FindingSubject;

    fn finding(status: Status, sentence: &str) -> Finding {
        Finding { status, sentence: sentence.to_owned(), about: FindingSubject::Requests }
    }

    #[test]
    fn the_worst_comes_first_and_decides() {
        let findings = vec![finding(Status::Degraded, "a"), finding(Status::Unhealthy, "b")];
        let health = settle(&Health::default(), findings, 7);
        assert_eq!((health.status, health.since_unix_ms), (Status::Unhealthy, 7));
        assert_eq!(health.sentences().collect::<Vec<_>>(), ["b", "a"]);
    }

    #[test]
    fn a_status_keeps_its_time_while_it_lasts() {
        let first = settle(&Health::default(), vec![finding(Status::Degraded, "a")], 10);
        let second = settle(&first, vec![finding(Status::Degraded, "b")], 20);
        assert_eq!((second.since_unix_ms, second.sentences().next()), (10, Some("b")));
        assert_eq!(settle(&second, vec![], 30).since_unix_ms, 30);
    }
}
