//! The state of all instances together: the worst of them, and what is wrong with each.

use watchboard_wire::{
    DatabaseFailure, DatabaseHealth, DatabaseState, FailureKind, Finding, FindingSubject, Health, InstanceRow,
    InstanceState, Memory, Severity, Snapshot, Status, Unknown, format,
};

use super::instances::NEWS_FOR_MS;

/// Instances that are named one by one.
const MAX_FINDINGS: usize = 20;

/// The snapshot of all instances. Figures that one machine has alone are unknown.
pub(super) fn snapshot_of_all(
    rows: &[InstanceRow],
    outliers: Vec<Finding>,
    own: &Snapshot,
    now_unix_ms: u64,
) -> Snapshot {
    let findings = findings(rows, outliers, now_unix_ms);
    let worst = findings.iter().map(|finding| finding.severity.status()).max().unwrap_or(Status::Healthy);
    let of_one = || Unknown::because("it is of one instance: choose one");
    let (process, system, container) = (Err(of_one()), Err(of_one()), Err(of_one()));
    let mut memory = Memory { process, system, container, ..Memory::default() };
    memory.forget_costly(&of_one());
    Snapshot {
        service: own.service.clone(),
        version: own.version.clone(),
        // One run of the fleet, whoever is in it.
        started_at_unix_ms: 0,
        taken_at_unix_ms: now_unix_ms,
        health: Health { status: worst, since_unix_ms: since(&findings, rows), findings },
        memory,
        database: database(rows),
        listens: own.listens,
        trace_url: own.trace_url.clone(),
        ..Snapshot::default()
    }
}

fn running(rows: &[InstanceRow]) -> impl Iterator<Item = &InstanceRow> {
    rows.iter().filter(|row| row.state == InstanceState::Running)
}

fn since(findings: &[Finding], rows: &[InstanceRow]) -> u64 {
    let first = findings.iter().map(|finding| finding.since_unix_ms).min();
    first.or_else(|| rows.iter().map(|row| row.started_at_unix_ms).max()).unwrap_or_default()
}

fn finding(severity: Severity, sentence: String, row: &InstanceRow, since_unix_ms: u64) -> Finding {
    let about = FindingSubject::Instance(row.name.clone());
    Finding { severity, sentence, about, since_unix_ms, over_since_unix_ms: None }
}

/// What is wrong with each instance, in a sentence. It is an incident of all if no instance is better.
fn findings(rows: &[InstanceRow], outliers: Vec<Finding>, now_unix_ms: u64) -> Vec<Finding> {
    let one_serves = running(rows).any(|row| row.figures.health != Status::Unhealthy);
    let loss = if one_serves { Severity::Warning } else { Severity::Incident };
    let of_row = |row: &InstanceRow| match (row.state, row.figures.health) {
        (InstanceState::Gone, _) if row.age_ms < NEWS_FOR_MS => {
            let ago = format::span(row.age_ms / 1000);
            let sentence = format!("{} is gone: it was last seen {ago} ago, and has not said that it ends", row.name);
            Some(finding(loss, sentence, row, row.last_seen_unix_ms))
        }
        (InstanceState::Running, health @ (Status::Degraded | Status::Unhealthy)) => {
            let what = row.figures.finding.as_deref().unwrap_or(health.word());
            let severity = if health == Status::Unhealthy { loss } else { Severity::Warning };
            Some(finding(severity, format!("{}: {what}", row.name), row, now_unix_ms))
        }
        _ => None,
    };
    let mut findings: Vec<Finding> = rows.iter().filter_map(of_row).chain(outliers).collect();
    if let (None, Some(last)) = (running(rows).next(), rows.iter().max_by_key(|row| row.last_seen_unix_ms)) {
        let sentence = format!("No instance runs: {} was the last", last.name);
        findings.push(finding(Severity::Incident, sentence, last, last.last_seen_unix_ms));
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings.truncate(MAX_FINDINGS);
    findings
}

/// The state of the database as the instances see it: that of the worst.
fn database(rows: &[InstanceRow]) -> DatabaseHealth {
    let failed = running(rows).find_map(|row| Some((row, row.figures.database.strip_prefix("error: ")?)));
    let state = match failed {
        Some((row, why)) => {
            DatabaseState::Failed(DatabaseFailure::new(FailureKind::Other, format!("{}: {why}", row.name)))
        }
        None if running(rows).any(|row| row.figures.database == "healthy") => DatabaseState::Healthy,
        None => DatabaseState::NotConfigured,
    };
    DatabaseHealth { state, ..DatabaseHealth::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, state: InstanceState, health: Status) -> InstanceRow {
        let figures = watchboard_wire::InstanceFigures { health, ..Default::default() };
        InstanceRow { name: name.to_owned(), state, figures, ..InstanceRow::default() }
    }

    fn status(rows: &[InstanceRow]) -> Status {
        snapshot_of_all(rows, vec![], &Snapshot::default(), 1_000).health.status
    }

    #[test]
    fn all_are_unhealthy_only_if_nobody_serves() {
        use {
            InstanceState::{Gone, Running, Stopped},
            Status::{Degraded, Healthy, Unhealthy},
        };
        for (rows, verdict) in [
            (vec![(Running, Healthy), (Stopped, Healthy)], Healthy),
            (vec![(Running, Healthy), (Running, Unhealthy)], Degraded),
            (vec![(Running, Healthy), (Gone, Healthy)], Degraded),
            (vec![(Running, Degraded)], Degraded),
            (vec![(Running, Unhealthy), (Running, Unhealthy), (Stopped, Healthy)], Unhealthy),
            (vec![(Running, Unhealthy), (Gone, Healthy)], Unhealthy),
            (vec![(Stopped, Healthy)], Unhealthy),
            (vec![(Gone, Healthy)], Unhealthy),
        ] {
            let rows: Vec<_> = rows.into_iter().map(|(state, health)| row("web-1", state, health)).collect();
            assert_eq!(status(&rows), verdict, "{rows:?}");
        }
    }

    #[test]
    fn an_old_loss_is_no_news() {
        let gone = InstanceRow { age_ms: NEWS_FOR_MS, ..row("web-2", InstanceState::Gone, Status::Healthy) };
        assert_eq!(status(&[row("web-1", InstanceState::Running, Status::Healthy), gone]), Status::Healthy);
    }
}
