//! The state of all instances together: the worst of them, and what is wrong with each.

use watchboard_wire::{
    DatabaseFailure, DatabaseHealth, DatabaseState, FailureKind, Finding, FindingSubject, Health, InstanceRow,
    InstanceState, Memory, Severity, Snapshot, Status, Unknown, format,
};

use super::instances::NEWS_FOR_MS;

/// Instances that are named one by one.
const MAX_FINDINGS: usize = 20;
/// The figures of all are ten seconds old, and their merging takes a moment. Another process takes over within fifteen seconds.
const UNMERGED_MS: u64 = 60_000;

/// The snapshot of all instances. Figures that one machine has alone are unknown. `merged_until` is the end of the newest step, in Unix
/// milliseconds.
pub(super) fn snapshot_of_all(
    rows: &[InstanceRow],
    outliers: Vec<Finding>,
    own: &Snapshot,
    (merged_until, now_unix_ms): (u64, u64),
) -> Snapshot {
    let outliers = outliers.into_iter().filter(|outlier| running(rows).any(|row| outlier.about == subject(row)));
    let unmerged = unmerged(rows, merged_until, now_unix_ms);
    let findings = findings(rows, outliers.chain(unmerged), now_unix_ms);
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
    Finding { severity, sentence, about: subject(row), since_unix_ms, over_since_unix_ms: None }
}

fn subject(row: &InstanceRow) -> FindingSubject {
    FindingSubject::Instance(row.name.clone())
}

/// Instances run, and nobody merges what they write.
fn unmerged(rows: &[InstanceRow], merged_until: u64, now_unix_ms: u64) -> Option<Finding> {
    let first_start = running(rows).map(|row| row.started_at_unix_ms).filter(|started| *started > 0).min()?;
    let since_unix_ms = merged_until.max(first_start);
    let behind_ms = now_unix_ms.saturating_sub(since_unix_ms);
    (behind_ms > UNMERGED_MS).then(|| {
        let behind = format::span(behind_ms / 1000);
        let sentence =
            format!("Nobody has merged the figures of all instances for {behind}: see the logs of those that run");
        of_all(Severity::Warning, sentence, since_unix_ms)
    })
}

fn of_all(severity: Severity, sentence: String, since_unix_ms: u64) -> Finding {
    Finding { severity, sentence, about: FindingSubject::Requests, since_unix_ms, over_since_unix_ms: None }
}

/// What is wrong with each instance, in a sentence. It is an incident of all if no instance is better.
fn findings(rows: &[InstanceRow], others: impl Iterator<Item = Finding>, now_unix_ms: u64) -> Vec<Finding> {
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
    let mut findings: Vec<Finding> = rows.iter().filter_map(of_row).chain(others).collect();
    if running(rows).next().is_none() {
        let last = rows.iter().max_by_key(|row| row.last_seen_unix_ms);
        findings.push(match last {
            Some(last) => {
                let sentence = format!("No instance runs: {} was the last", last.name);
                finding(Severity::Incident, sentence, last, last.last_seen_unix_ms)
            }
            None => of_all(
                Severity::Incident,
                "No instance runs, nor has one in the last seven days".to_owned(),
                now_unix_ms,
            ),
        });
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let rest = findings.len().saturating_sub(MAX_FINDINGS);
    if rest > 0 {
        findings.truncate(MAX_FINDINGS);
        let rest = format::exact(rest as u64);
        let sentence = format!("{rest} more such findings: the view of the instances has the worst of each");
        findings.push(of_all(Severity::Advice, sentence, now_unix_ms));
    }
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
        snapshot_of_all(rows, vec![], &Snapshot::default(), (1_000, 1_000)).health.status
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
            (vec![], Unhealthy),
        ] {
            let rows: Vec<_> = rows.into_iter().map(|(state, health)| row("web-1", state, health)).collect();
            assert_eq!(status(&rows), verdict, "{rows:?}");
        }
    }

    #[test]
    fn figures_that_nobody_merges_are_told_and_old_ones_of_none_that_runs_are_not() {
        let of = |state, merged_until| {
            let row = InstanceRow { started_at_unix_ms: 1_000, ..row("web-1", state, Status::Healthy) };
            let health = snapshot_of_all(&[row], vec![], &Snapshot::default(), (merged_until, 200_000)).health;
            health.findings.iter().any(|finding| finding.sentence.starts_with("Nobody has merged"))
        };
        assert_eq!([0, 139_000, 140_000].map(|until| of(InstanceState::Running, until)), [true, true, false]);
        assert!(!of(InstanceState::Stopped, 0));
    }

    #[test]
    fn only_instances_that_run_are_the_odd_ones() {
        let rows = [("web-1", InstanceState::Running), ("web-2", InstanceState::Stopped)]
            .map(|(name, state)| row(name, state, Status::Healthy));
        let outliers = rows.iter().map(|row| finding(Severity::Warning, row.name.clone(), row, 0)).collect();
        let health = snapshot_of_all(&rows, outliers, &Snapshot::default(), (1_000, 1_000)).health;
        assert_eq!(health.findings.iter().map(|finding| &*finding.sentence).collect::<Vec<_>>(), ["web-1"]);
    }

    #[test]
    fn findings_that_have_no_place_are_counted() {
        let rows: Vec<_> = (0..25).map(|at| row(&format!("web-{at}"), InstanceState::Gone, Status::Healthy)).collect();
        let health = snapshot_of_all(&rows, vec![], &Snapshot::default(), (1_000, 1_000)).health;
        let last = health.findings.last().map(|finding| &*finding.sentence);
        assert_eq!(health.findings.len(), MAX_FINDINGS + 1);
        assert!(last.is_some_and(|sentence| sentence.starts_with("6 more such findings")), "{last:?}");
    }

    #[test]
    fn an_old_loss_is_no_news() {
        let gone = InstanceRow { age_ms: NEWS_FOR_MS, ..row("web-2", InstanceState::Gone, Status::Healthy) };
        assert_eq!(status(&[row("web-1", InstanceState::Running, Status::Healthy), gone]), Status::Healthy);
    }
}
