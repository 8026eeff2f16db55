//! The judgement over requests, memory and database: one status, with a sentence for each thing that is wrong. Each kind of
//! finding is a file; what is found has a figure in its sentence, and a view to look at it.

mod allocation;
mod application;
mod commands;
mod database;
mod growth;
mod limits;
mod requests;

use watchboard_wire::{
    DatabaseHealth, DatabaseServer, Finding, FindingSubject, Health, Memory, RecentRequests, Status,
};

use self::limits::Limits;
use crate::{commands::CommandReader, history::History, requests::Reader};

/// Judges once a second, and remembers what it needs to see change.
#[derive(Default)]
pub(crate) struct Judge {
    limits: Limits,
    growth: growth::Watch,
    application: application::Watch,
    churn: commands::Churn,
}

/// What there is to judge at a tick.
pub(crate) struct Now<'a> {
    pub(crate) tick: u64,
    pub(crate) unix_ms: u64,
    pub(crate) recent: &'a RecentRequests,
    pub(crate) memory: &'a Memory,
    pub(crate) database: &'a DatabaseHealth,
    pub(crate) server: Option<&'a DatabaseServer>,
    pub(crate) history: &'a mut History,
    pub(crate) reader: &'a Reader,
    pub(crate) commands: &'a CommandReader,
}

impl Judge {
    /// The health now, after what it was.
    pub(crate) fn judge(&mut self, before: &Health, now: Now<'_>) -> Health {
        self.growth.add(now.tick, now.memory);
        let mut findings = requests::find(now.recent, requests::slow(now.history, now.reader));
        findings.extend(self.application.find(now.memory, now.recent, now.unix_ms));
        findings.extend(database::find(now.database, now.server));
        findings.extend(commands::find(&mut self.churn, now.tick, now.commands, now.history, now.reader));
        findings.extend(self.limits.find(now.tick, now.memory));
        findings.extend(self.growth.find(now.memory));
        // What requests allocate here is the proxy's, where the application is another process.
        if now.memory.application.is_none() {
            findings.extend(allocation::find(self.growth.heap_of_late(), now.history, now.reader));
        }
        settle(before, findings, now.unix_ms)
    }
}

/// The health after what it was, with what the database, which was as it was, has become since.
pub(crate) fn with_database(before: &Health, was: &DatabaseHealth, now: &DatabaseHealth, now_unix_ms: u64) -> Health {
    let old = database::failed(was);
    let others = before.findings.iter().filter(|finding| Some(*finding) != old.as_ref());
    settle(before, others.cloned().chain(database::failed(now)).collect(), now_unix_ms)
}

fn degraded(sentence: String, about: FindingSubject) -> Finding {
    Finding { status: Status::Degraded, sentence, about }
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
