//! The judgement over requests, memory and database: one status, with a sentence for each thing that is wrong. Each kind of
//! finding is a file; what is found has a figure in its sentence, and a view to look at it.

mod allocation;
mod growth;
mod limits;
mod requests;

use watchboard_app::wire::{About, Database, DatabaseState, Finding, Health, Memory, RecentRequests, Status};

use self::limits::Limits;
use crate::{history::History, requests::Reader};

/// Judges once a second, and remembers what it needs to see change.
#[derive(Default)]
pub(crate) struct Judge {
    limits: Limits,
    growth: growth::Watch,
}

/// What there is to judge at a tick.
pub(crate) struct Now<'a> {
    pub(crate) tick: u64,
    pub(crate) unix_ms: u64,
    pub(crate) recent: &'a RecentRequests,
    pub(crate) memory: &'a Memory,
    pub(crate) database: &'a Database,
    pub(crate) history: &'a mut History,
    pub(crate) reader: &'a Reader,
}

impl Judge {
    /// The health now, after what it was.
    pub(crate) fn judge(&mut self, before: &Health, now: Now<'_>) -> Health {
        self.growth.add(now.tick, now.memory);
        let mut findings = requests::find(now.recent, requests::slow(now.history, now.reader));
        findings.extend(database(now.database));
        findings.extend(self.limits.find(now.tick, now.memory));
        findings.extend(self.growth.find(now.memory));
        findings.extend(allocation::find(self.growth.heap_of_late(), now.history, now.reader));
        settle(before, findings, now.unix_ms)
    }
}

/// The health after what it was, with what the database has become since.
pub(crate) fn with_database(before: &Health, now: &Database, now_unix_ms: u64) -> Health {
    let others = before.findings.iter().filter(|finding| finding.about != About::Database);
    settle(before, others.cloned().chain(database(now)).collect(), now_unix_ms)
}

fn database(database: &Database) -> Option<Finding> {
    let DatabaseState::Failed(failure) = &database.state else { return None };
    Some(degraded(format!("database {}", failure.kind.words()), About::Database))
}

fn degraded(sentence: String, about: About) -> Finding {
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
    use watchboard_app::wire::{DatabaseFailure, FailureKind};

    use super::*;

    fn finding(status: Status, sentence: &str) -> Finding {
        Finding { status, sentence: sentence.to_owned(), about: About::Requests }
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

    #[test]
    fn a_database_that_fails_is_named_and_one_that_is_not_there_is_not() {
        let failure = DatabaseFailure { kind: FailureKind::Refused, detail: String::new() };
        let failed = Database { state: DatabaseState::Failed(failure), ..Database::default() };
        assert_eq!(database(&failed).unwrap().about, About::Database);
        assert_eq!(database(&Database::default()), None);
        let other = Health { findings: vec![finding(Status::Unhealthy, "a")], ..Health::default() };
        let health = with_database(&other, &failed, 5);
        assert_eq!(health.sentences().collect::<Vec<_>>(), ["a", "database connection refused"]);
        assert_eq!(with_database(&health, &Database::default(), 6).sentences().collect::<Vec<_>>(), ["a"]);
    }
}
