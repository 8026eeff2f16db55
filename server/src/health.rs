//! The health of requests, memory and database together: one status, with a finding for each problem. Each kind of finding is a
//! file. A finding has a sentence with a figure, and a view with the details.

mod allocation;
mod application;
mod capacity;
mod causes;
mod commands;
mod cpu_shortage;
mod database;
mod finding;
mod growth;
mod last_minute;
mod limits;
mod monitor;
mod pools;
mod requests;
mod retention;
mod slow;
mod unanswered;

use watchboard_wire::{CapacityUse, DatabaseHealth, DatabaseServer, Finding, Health, Memory, RecentRequests, Status};

pub(crate) use self::{finding::FindingKey, monitor::MonitorState};
use self::{
    finding::{FindingRole, HeldFindings, Judged},
    growth::GrowthDetector,
    limits::Limits,
    retention::Keeper,
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
    pools: pools::PoolJudge,
    capacity: capacity::CapacityJudge,
    cpu: cpu_shortage::CpuJudge,
    slow: requests::SlowJudge,
    unanswered: unanswered::UnansweredJudge,
    failures: last_minute::LastMinute<UpstreamFailure>,
    held: HeldFindings,
    combined: causes::CombinedFindings,
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
    pub(crate) fn judge(&mut self, before: &Health, mut input: HealthInput<'_>) -> Health {
        let by_threshold = self.judge_by_threshold(&mut input);
        let mut judged = self.held.hold(by_threshold, input.unix_ms);
        // What does not answer is told at once, and so is its return.
        let application = self.application.application_finding(input.memory, input.recent, input.unix_ms);
        judged.extend(application.into_iter().chain(application::unresolved_finding(input.memory)).map(Judged::cause));
        let failure = database::failure_finding(input.database);
        judged.extend(failure.map(|finding| Judged { finding, role: FindingRole::DatabaseFailure }));
        judged.extend(database::server_findings(input.database, input.server).map(Judged::cause));
        judged.extend(input.monitor.findings().map(Judged::other));
        settle(before, self.combined.combine(judged, input.unix_ms), input.unix_ms)
    }

    fn judge_by_threshold(&mut self, input: &mut HealthInput<'_>) -> Vec<Judged> {
        let HealthInput { tick, memory, reader, commands, .. } = *input;
        let history = &mut *input.history;
        self.growth.add(tick, memory);
        let failures = self.failures.add(tick, reader.upstream_failures());
        let slow = self.slow.slow(tick, history, reader);
        let most_failing = requests::most_failing(tick, history, reader);
        let mut judged = requests::request_findings(input.recent, &failures, most_failing.as_ref(), slow);
        let failed = failures.iter().map(|(_, count)| count).sum();
        judged.extend(self.unanswered.unanswered_findings(tick, history, reader, failed));
        judged.extend(self.cpu.shortage_finding(tick, memory, judged.iter().any(Judged::is_late_by_itself)));
        judged.extend(self.capacity.capacity_findings(tick, input.capacities).into_iter().map(Judged::cause));
        judged.extend(self.pools.pool_finding(tick, commands, history, reader));
        judged.extend(commands::command_findings(&mut self.churn, tick, commands, history, reader));
        // If the application is another process, the requests here allocate for the proxy.
        let is_own = memory.application.is_none();
        let filled_by = |used_bytes| is_own.then(|| retention::filled_by(used_bytes, history, reader)).flatten();
        judged.extend(self.limits.limit_findings(tick, memory, filled_by).into_iter().map(Judged::cause));
        let heap = self.growth.recent_heap_growth().filter(|_| is_own);
        let keeper = retention::keeper(heap, history, reader);
        let growth = self.growth.growth_finding(memory, keeper.as_ref().map(Keeper::text));
        let growth = growth.or_else(|| Some(keeper?.finding(memory)));
        judged.extend(growth.map(Judged::other));
        if is_own {
            judged.extend(allocation::allocation_findings(history, reader).into_iter().map(Judged::other));
        }
        judged
    }
}

/// The health if nothing else could be judged.
pub(crate) fn with_monitor(before: &Health, monitor: MonitorState<'_>, now_unix_ms: u64) -> Health {
    settle(before, monitor.findings().collect(), now_unix_ms)
}

/// The health with a new state of the database, between two ticks.
pub(crate) fn with_database(before: &Health, was: &DatabaseHealth, now: &DatabaseHealth, now_unix_ms: u64) -> Health {
    let old = database::failure_finding(was).map(|finding| FindingKey::from(&finding));
    let (known, others): (Vec<_>, Vec<_>) =
        before.findings.iter().cloned().partition(|finding| Some(FindingKey::from(finding)) == old);
    // The next tick says whether it is still as grave.
    let failure = database::failure_finding(now).map(|failure| match known.first() {
        Some(known) => Finding { severity: known.severity, ..failure },
        None => failure,
    });
    settle(before, failure.into_iter().chain(others).collect(), now_unix_ms)
}

/// The gravest comes first and decides; what is over comes behind. Else the order is kept. Status and findings keep their times while they
/// stay the same.
fn settle(before: &Health, mut findings: Vec<Finding>, now_unix_ms: u64) -> Health {
    for finding in &mut findings {
        let key = FindingKey::from(&*finding);
        let known = before.findings.iter().find(|known| FindingKey::from(*known) == key);
        if finding.since_unix_ms == 0 {
            finding.since_unix_ms = known.map_or(now_unix_ms, |known| known.since_unix_ms);
        }
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
