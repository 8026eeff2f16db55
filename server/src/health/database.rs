//! The database: whether it answers, and which of its own resources are near a limit.

use watchboard_wire::{
    DatabaseHealth, DatabaseServer, DatabaseState, DatedReading, Finding, FindingSubject, Replication, ServerStatus,
    format,
};

use super::finding::warning;

/// A secondary that is further behind than this serves old data, and is long in taking over.
const LAG_SECONDS: u64 = 10;
/// The states of members that answer and can serve nobody.
const UNREADY_STATES: [&str; 4] = ["STARTUP2", "RECOVERING", "ROLLBACK", "REMOVED"];
/// From these shares on WiredTiger lets the threads of clients make room in its cache, which then wait for the disk.
const CACHE_USED_PERCENT: f64 = 95.0;
const CACHE_DIRTY_PERCENT: f64 = 20.0;
/// Past this share of its connections the server soon refuses new ones.
const CONNECTIONS_PERCENT: f64 = 80.0;

/// What the server itself lacks.
pub(super) fn server_findings(
    database: &DatabaseHealth,
    server: Option<&DatabaseServer>,
) -> impl Iterator<Item = Finding> {
    // A server that fails has only old figures.
    let server = server.filter(|_| database.state == DatabaseState::Healthy);
    let status = reading_value(server.and_then(|server| server.status.as_ref())).map(status_sentences);
    let replication = reading_value(server.and_then(|server| server.replication.as_ref())).map(replication_sentences);
    let sentences = status.into_iter().chain(replication).flatten();
    sentences.map(|sentence| warning(sentence, FindingSubject::Database)).collect::<Vec<_>>().into_iter()
}

/// The finding that it does not answer as it should.
pub(super) fn failure_finding(database: &DatabaseHealth) -> Option<Finding> {
    let DatabaseState::Failed(failure) = &database.state else { return None };
    Some(warning(format!("database {}", failure.kind.words()), FindingSubject::Database))
}

fn reading_value<T>(dated: Option<&DatedReading<T>>) -> Option<&T> {
    dated.and_then(|dated| dated.reading.as_ref().ok())
}

fn status_sentences(status: &ServerStatus) -> Vec<String> {
    let connections = status.connections;
    let many = (connections.percent() >= CONNECTIONS_PERCENT).then(|| {
        let all = connections.current + connections.available;
        format!("the database has {} of {} connections open", format::exact(connections.current), format::exact(all))
    });
    let full = status.cache.filter(|cache| cache.used_percent() >= CACHE_USED_PERCENT).map(|cache| {
        let (used, max) = (format::percent(cache.used_percent()), format::bytes(cache.max_bytes as f64));
        format!("the database's cache is at {used} of {max}: its clients wait while room is made")
    });
    let dirty = status.cache.filter(|cache| cache.dirty_percent() >= CACHE_DIRTY_PERCENT).map(|cache| {
        let dirty = format::percent(cache.dirty_percent());
        format!("{dirty} of the database's cache is not on disk yet: its clients wait while it is written")
    });
    [many, full, dirty].into_iter().flatten().collect()
}

fn replication_sentences(replication: &Replication) -> Vec<String> {
    let sentences = replication.members.iter().filter_map(|member| match member.lag_seconds {
        _ if !member.healthy || UNREADY_STATES.contains(&&*member.state) => {
            Some(format!("{} of set {} is {}", member.name, replication.set, member.state))
        }
        Some(lag) if lag > LAG_SECONDS => Some(format!("{} is {} behind the primary", member.name, format::span(lag))),
        _ => None,
    });
    sentences.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use watchboard_wire::{Cache, DatabaseFailure, FailureKind, Health, ReplicaMember, ServerConnections};

    fn sentences(state: DatabaseState, status: ServerStatus, replication: Replication) -> Vec<String> {
        let server = DatabaseServer {
            status: Some(DatedReading { at_unix_ms: 1, reading: Ok(status) }),
            replication: Some(DatedReading { at_unix_ms: 1, reading: Ok(replication) }),
            ..DatabaseServer::default()
        };
        let database = DatabaseHealth { state, ..DatabaseHealth::default() };
        let found = failure_finding(&database).into_iter().chain(server_findings(&database, Some(&server)));
        found.map(|finding| finding.sentence.replace(['\u{a0}', '\u{202f}'], " ")).collect()
    }

    fn strained() -> (ServerStatus, Replication) {
        let cache = Cache { used_bytes: 96, max_bytes: 100, dirty_bytes: 25, evicted_by_clients_per_second: None };
        let connections = ServerConnections { current: 90, available: 10, ..ServerConnections::default() };
        let member = |name: &str, healthy, lag_seconds| ReplicaMember {
            name: name.to_owned(),
            state: "DOWN".to_owned(),
            healthy,
            lag_seconds,
            ..ReplicaMember::default()
        };
        let members = vec![member("a:1", true, None), member("b:1", true, Some(42)), member("c:1", false, None)];
        let status = ServerStatus { cache: Some(cache), connections, ..ServerStatus::default() };
        (status, Replication { set: "rs0".to_owned(), members, ..Replication::default() })
    }

    #[test]
    fn what_is_near_its_end_is_named_with_its_figures() {
        let (status, replication) = strained();
        let expected = [
            "the database has 90 of 100 connections open",
            "the database's cache is at 96 % of 100 B: its clients wait while room is made",
            "25 % of the database's cache is not on disk yet: its clients wait while it is written",
            "b:1 is 42 s behind the primary",
            "c:1 of set rs0 is DOWN",
        ];
        assert_eq!(sentences(DatabaseState::Healthy, status, replication), expected);
        let calm = sentences(DatabaseState::Healthy, ServerStatus::default(), Replication::default());
        assert_eq!(calm, Vec::<String>::new());
    }

    #[test]
    fn a_database_that_fails_is_named_alone_and_one_that_is_not_there_is_not() {
        let failure = DatabaseFailure { kind: FailureKind::Refused, detail: String::new() };
        let (status, replication) = strained();
        assert_eq!(sentences(DatabaseState::Failed(failure), status, replication), ["database connection refused"]);
        assert_eq!(server_findings(&DatabaseHealth::default(), None).next(), None);
        let failed = DatabaseHealth {
            state: DatabaseState::Failed(DatabaseFailure::new(FailureKind::Refused, "")),
            ..DatabaseHealth::default()
        };
        let other = Health { findings: vec![warning("a".to_owned(), FindingSubject::Requests)], ..Health::default() };
        let health = super::super::with_database(&other, &DatabaseHealth::default(), &failed, 5);
        assert_eq!(health.sentences().collect::<Vec<_>>(), ["database connection refused", "a"]);
        let health = super::super::with_database(&health, &failed, &DatabaseHealth::default(), 6);
        assert_eq!(health.sentences().collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn the_documentation_has_these_thresholds() {
        crate::health::finding::assert_documented(&[
            &format!("more than {LAG_SECONDS} s behind the primary"),
            &format!("{CACHE_USED_PERCENT} % used, or {CACHE_DIRTY_PERCENT} % not yet on disk"),
            &format!("{CONNECTIONS_PERCENT} % of the server's connections"),
        ]);
    }
}
