//! Watches for what becomes a mark: starts and ends, the clock, kills by the kernel, findings.

use std::collections::HashMap;

use watchboard_wire::{Finding, Mark, MarkKind, Severity, Snapshot, format};

use super::run_record::RunRecord;
use crate::{clock::LEAST_SET_MS, health::FindingKey, memory::OomCounters};

/// What was so at the last tick.
#[derive(Default)]
pub(super) struct MarkWatch {
    has_started: bool,
    clock_set_ms: i64,
    oom_kills: u64,
    restarts: u64,
    ended_at_unix_ms: Option<u64>,
    /// Findings that a mark says have begun, as they were last seen.
    findings: HashMap<FindingKey, Finding>,
}

impl MarkWatch {
    /// What happened since the last tick.
    pub(super) fn changes(&mut self, snapshot: &Snapshot, version: Option<&str>) -> Vec<Mark> {
        let mut marks = vec![];
        if !std::mem::replace(&mut self.has_started, true) {
            let version = version.map(|version| format!(", {version}")).unwrap_or_default();
            let text = format!("{} started{version}", who(snapshot));
            marks.push(Mark { at_unix_ms: snapshot.started_at_unix_ms, kind: MarkKind::Start, text });
        }
        let now = |kind, text: String| Mark { at_unix_ms: snapshot.taken_at_unix_ms, kind, text };
        let set_ms = snapshot.wall_clock_set_ms - std::mem::replace(&mut self.clock_set_ms, snapshot.wall_clock_set_ms);
        // A clock that is slewed moves by less in a second.
        if set_ms.abs() >= LEAST_SET_MS {
            let by = by(set_ms.unsigned_abs());
            let direction = if set_ms > 0 { "forward" } else { "back" };
            marks.push(now(MarkKind::Clock, format!("the wall clock was set {direction} by {by}")));
        }
        let memory = &snapshot.memory;
        if memory.oom_kills_seen > std::mem::replace(&mut self.oom_kills, memory.oom_kills_seen) {
            let text = "the kernel killed a process of this container for want of memory (OOM kill)";
            marks.push(now(MarkKind::Kill, text.to_owned()));
        }
        marks.extend(self.application_changes(snapshot));
        marks.extend(self.finding_changes(snapshot));
        marks
    }

    /// Starts and ends of an application in another process.
    fn application_changes(&mut self, snapshot: &Snapshot) -> Vec<Mark> {
        let Some(application) = &snapshot.memory.application else { return vec![] };
        let ended = application.last_end.as_ref().filter(|end| self.ended_at_unix_ms != Some(end.at_unix_ms));
        let ended = ended.map(|end| {
            self.ended_at_unix_ms = Some(end.at_unix_ms);
            let is_in_order = end.reason.contains("SIGTERM") || end.reason.contains("SIGINT");
            let kind = if is_in_order { MarkKind::Stop } else { MarkKind::Kill };
            Mark { at_unix_ms: end.at_unix_ms, kind, text: format!("the application ended: {}", end.reason) }
        });
        let has_restarted = application.restarts > std::mem::replace(&mut self.restarts, application.restarts);
        let restarted = application.restarted_at_unix_ms.last().filter(|_| has_restarted).map(|at| Mark {
            at_unix_ms: *at,
            kind: MarkKind::Start,
            text: "the application started anew".to_owned(),
        });
        ended.into_iter().chain(restarted).collect()
    }

    /// Findings that began, and those that are gone: at the time from which they were over.
    fn finding_changes(&mut self, snapshot: &Snapshot) -> Vec<Mark> {
        let told = snapshot.health.findings.iter().filter(|finding| finding.severity > Severity::Advice);
        let now: HashMap<FindingKey, Finding> = told.map(|it| (FindingKey::from(it), it.clone())).collect();
        let began = now.iter().filter(|(key, _)| !self.findings.contains_key(key));
        let began = began.map(|(_, finding)| Mark {
            at_unix_ms: finding.since_unix_ms,
            kind: MarkKind::Finding,
            text: format!("{}: {}", finding.severity.word(), finding.sentence),
        });
        let gone = self.findings.iter().filter(|(key, _)| !now.contains_key(key));
        let gone = gone.map(|(_, finding)| {
            let at_unix_ms = finding.over_since_unix_ms.unwrap_or(snapshot.taken_at_unix_ms);
            let lasted = format::span(at_unix_ms.saturating_sub(finding.since_unix_ms) / 1000);
            Mark { at_unix_ms, kind: MarkKind::Finding, text: format!("over after {lasted}: {}", finding.sentence) }
        });
        let mut marks: Vec<Mark> = began.chain(gone).collect();
        marks.sort_by(|a, b| (a.at_unix_ms, &a.text).cmp(&(b.at_unix_ms, &b.text)));
        self.findings = now;
        marks
    }
}

/// Whose start and end it is: the monitor's, if the application is another process.
fn who(snapshot: &Snapshot) -> &str {
    if snapshot.memory.application.is_some() { "the board" } else { &snapshot.service }
}

/// The end of the run before, and a version that is another than it had.
pub(super) fn changes_between_runs(
    before: &RunRecord,
    snapshot: &Snapshot,
    version: Option<&str>,
    killed_since: impl FnOnce(&OomCounters) -> Option<String>,
) -> Vec<Mark> {
    let text = before.explain_kill(killed_since);
    let ended = text.map(|text| Mark {
        at_unix_ms: before.seen_at_unix_ms,
        kind: MarkKind::Kill,
        text: format!("{} {text}", who(snapshot)),
    });
    let changed = version.zip(before.version.as_deref()).filter(|(now, before)| now != before);
    let changed = changed.map(|(now, before)| Mark {
        at_unix_ms: snapshot.started_at_unix_ms,
        kind: MarkKind::Version,
        text: format!("{now}, before it {before}"),
    });
    // A run that was seen later than now saw another clock.
    let ahead_ms = before.seen_at_unix_ms.saturating_sub(snapshot.taken_at_unix_ms);
    let clock = (ahead_ms >= LEAST_SET_MS.unsigned_abs()).then(|| Mark {
        at_unix_ms: snapshot.started_at_unix_ms,
        kind: MarkKind::Clock,
        text: format!("the wall clock is at least {} behind that of the run before", by(ahead_ms)),
    });
    ended.into_iter().chain(changed).chain(clock).collect()
}

/// How far a clock was set, in words.
fn by(milliseconds: u64) -> String {
    match milliseconds {
        less @ ..1_000 => format::duration_us(less as f64 * 1_000.0),
        more => format::span(more / 1_000),
    }
}

/// The mark of a clean stop.
pub(super) fn stopped(snapshot: &Snapshot, at_unix_ms: u64) -> Mark {
    Mark { at_unix_ms, kind: MarkKind::Stop, text: format!("{} stopped", who(snapshot)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use watchboard_wire::{Application, FindingSubject, Health, Memory, ProcessEnd};

    fn texts(marks: &[Mark]) -> Vec<(MarkKind, u64, String)> {
        marks.iter().map(|mark| (mark.kind, mark.at_unix_ms, mark.text.replace('\u{a0}', " "))).collect()
    }

    fn at(taken_at_unix_ms: u64) -> Snapshot {
        Snapshot { service: "shop".into(), started_at_unix_ms: 1_000, taken_at_unix_ms, ..Snapshot::default() }
    }

    #[test]
    fn a_start_is_told_once_and_each_change_of_the_clock() {
        let mut watch = MarkWatch::default();
        let started = vec![(MarkKind::Start, 1_000, "shop started, version 1.4.2".to_owned())];
        assert_eq!(texts(&watch.changes(&at(1_000), Some("version 1.4.2"))), started);
        assert_eq!(watch.changes(&at(2_000), None), []);
        let mut set = |at_ms, set_ms| texts(&watch.changes(&Snapshot { wall_clock_set_ms: set_ms, ..at(at_ms) }, None));
        let told = |at, text: &str| vec![(MarkKind::Clock, at, text.to_owned())];
        assert_eq!(set(3_000, 3_600_000), told(3_000, "the wall clock was set forward by 1 h"));
        assert_eq!(set(4_000, 3_600_100), []);
        assert_eq!(set(5_000, 0), told(5_000, "the wall clock was set back by 1 h"));
    }

    #[test]
    fn a_finding_is_told_when_it_begins_and_once_it_is_gone_from_when_on() {
        let mut watch = MarkWatch { has_started: true, ..MarkWatch::default() };
        let finding = |sentence: &str, over_since_unix_ms| Finding {
            severity: Severity::Warning,
            sentence: sentence.to_owned(),
            since_unix_ms: 5_000,
            about: FindingSubject::Requests,
            over_since_unix_ms,
        };
        let mut told = |at_ms, findings| {
            texts(&watch.changes(&Snapshot { health: Health { findings, ..Health::default() }, ..at(at_ms) }, None))
        };
        let slow = |p99: &str| format!("GET /a p99 {p99}, objective 500 ms");
        let began = vec![(MarkKind::Finding, 5_000, format!("warning: {}", slow("1 s")))];
        assert_eq!(told(5_000, vec![finding(&slow("1\u{a0}s"), None)]), began);
        assert_eq!(told(6_000, vec![finding(&slow("2\u{a0}s"), None)]), []);
        assert_eq!(told(9_000, vec![finding(&slow("2\u{a0}s"), Some(8_000))]), [], "it may come back");
        let over = vec![(MarkKind::Finding, 8_000, format!("over after 3 s: {}", slow("2 s")))];
        assert_eq!(told(68_000, vec![]), over);
    }

    #[test]
    fn the_end_and_the_start_of_an_application_are_told() {
        let mut watch = MarkWatch { has_started: true, ..MarkWatch::default() };
        let mut told = |reason: Option<&str>, restarts| {
            let last_end = reason.map(|reason| ProcessEnd { at_unix_ms: 7_000, reason: reason.to_owned() });
            let application =
                Application { last_end, restarts, restarted_at_unix_ms: vec![9_000], ..Application::default() };
            let memory = Memory { application: Some(application), ..Memory::default() };
            texts(&watch.changes(&Snapshot { memory, ..at(9_000) }, None))
        };
        let killed = vec![(MarkKind::Kill, 7_000, "the application ended: signal 9 (SIGKILL)".to_owned())];
        assert_eq!(told(Some("signal 9 (SIGKILL)"), 0), killed);
        let started = vec![(MarkKind::Start, 9_000, "the application started anew".to_owned())];
        assert_eq!(told(Some("signal 9 (SIGKILL)"), 1), started);
        assert_eq!(told(None, 1), []);
    }

    #[test]
    fn the_next_run_tells_the_end_of_the_last_one_and_a_new_version() {
        let mut before = RunRecord::default();
        (before.seen_at_unix_ms, before.version) = (500, Some("version 1.4.1".to_owned()));
        let told =
            texts(&changes_between_runs(&before, &at(2_000), Some("version 1.4.2"), |_| Some("OOM kill".into())));
        let killed = (MarkKind::Kill, 500, "shop ended without a clean stop: OOM kill".to_owned());
        let version = (MarkKind::Version, 1_000, "version 1.4.2, before it version 1.4.1".to_owned());
        assert_eq!(told, [killed, version]);
        before.has_stopped = true;
        assert_eq!(changes_between_runs(&before, &at(2_000), Some("version 1.4.1"), |_| None), []);
        // It was seen by a clock that was an hour ahead.
        before.seen_at_unix_ms = 3_602_500;
        let marks = changes_between_runs(&before, &at(2_500), None, |_| None);
        let behind = "the wall clock is at least 1 h behind that of the run before";
        assert_eq!(texts(&marks), [(MarkKind::Clock, 1_000, behind.to_owned())]);
    }
}
