//! What the findings of all kinds have in common: how they are made, what makes two the same, and how long they are shown.

use std::{cmp::Reverse, collections::HashMap};

use watchboard_wire::{Finding, FindingSubject, Severity};

use super::slow::Slow;

/// What is below its threshold again is shown for so long: a figure that wavers about its threshold changes the status once.
pub(super) const HOLD_MS: u64 = 60_000;

/// Two ticks, of which one may be late.
const MOMENT_MS: u64 = 3_000;

/// What the application could do better.
pub(super) fn advice(sentence: String, about: FindingSubject) -> Finding {
    finding(Severity::Advice, sentence, about)
}

/// Something is wrong: the status is degraded.
pub(super) fn warning(sentence: String, about: FindingSubject) -> Finding {
    finding(Severity::Warning, sentence, about)
}

/// Most of it does not work: the status is unhealthy.
pub(super) fn incident(sentence: String, about: FindingSubject) -> Finding {
    finding(Severity::Incident, sentence, about)
}

/// The time at which it was found is filled in by whoever knows the findings before.
fn finding(severity: Severity, sentence: String, about: FindingSubject) -> Finding {
    Finding { severity, sentence, about, since_unix_ms: 0, over_since_unix_ms: None }
}

/// A finding, and what it is to the others.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Judged {
    pub(super) finding: Finding,
    pub(super) role: FindingRole,
}

/// What a finding is to the others: causes stand in front of what follows from them.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum FindingRole {
    /// Something is exhausted, or gone: requests fail or wait for it.
    Cause,
    /// The database fails: requests that ask it fail.
    DatabaseFailure,
    /// The connections of a client of the database are exhausted.
    Pool,
    /// Many requests fail.
    Errors,
    /// An endpoint is slow, maybe because of another finding.
    Slow(Slow),
    /// Several are slow.
    ManySlow,
    /// An endpoint does not answer.
    Unanswered,
    /// A command is slow, maybe as all others.
    SlowCommand,
    /// An endpoint sends one command again and again.
    Repetition,
    /// Nothing is known to follow from it.
    Other,
}

impl Judged {
    pub(super) fn cause(finding: Finding) -> Self {
        Self { finding, role: FindingRole::Cause }
    }

    pub(super) fn other(finding: Finding) -> Self {
        Self { finding, role: FindingRole::Other }
    }

    /// Whether it is so now.
    pub(super) fn is_current(&self) -> bool {
        self.finding.over_since_unix_ms.is_none()
    }

    /// Whether an endpoint is late, and not for the database.
    pub(super) fn is_late_by_itself(&self) -> bool {
        match &self.role {
            FindingRole::Slow(slow) => !slow.is_by_database(),
            role => *role == FindingRole::Unanswered,
        }
    }

    /// The same as what is over, if it was last found before now.
    fn over(&self, last_unix_ms: u64, now_unix_ms: u64) -> Option<Self> {
        let finding = Finding { over_since_unix_ms: Some(last_unix_ms), ..self.finding.clone() };
        (last_unix_ms != now_unix_ms).then(|| Self { finding, role: self.role.clone() })
    }
}

/// What stays the same of a finding while its figures change: the subject, and the words of its sentence up to the first comma or colon.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FindingKey(String);

impl From<&Finding> for FindingKey {
    fn from(finding: &Finding) -> Self {
        let beginning = finding.sentence.split([',', ':']).next().unwrap_or_default();
        // A figure stands before its unit, with a no-break space between.
        let is_word = |word: &&str| !word.contains(|char: char| char.is_ascii_digit());
        let words: Vec<&str> = beginning.split(' ').filter(is_word).collect();
        let about = match &finding.about {
            FindingSubject::Requests => "requests",
            FindingSubject::Endpoint(name) => name,
            FindingSubject::Memory => "memory",
            FindingSubject::Database => "database",
        };
        Self([&[about], &words[..]].concat().join(" "))
    }
}

/// Findings of thresholds, which are shown for a while when they are over.
#[derive(Default)]
pub(super) struct HeldFindings(HashMap<FindingKey, (Judged, u64)>);

impl HeldFindings {
    /// The findings of now, and those that are over for less than [`HOLD_MS`], the last first.
    pub(super) fn hold(&mut self, mut judged: Vec<Judged>, now_unix_ms: u64) -> Vec<Judged> {
        for Judged { finding, role } in &mut judged {
            let key = FindingKey::from(&*finding);
            let since = if finding.since_unix_ms == 0 { now_unix_ms } else { finding.since_unix_ms };
            let known = self.0.get(&key).or_else(|| self.same_errors(role, now_unix_ms));
            finding.since_unix_ms = known.map_or(since, |(held, _)| held.finding.since_unix_ms);
            self.0.insert(key, (Judged { finding: finding.clone(), role: role.clone() }, now_unix_ms));
        }
        self.0.retain(|_, (_, last)| now_unix_ms.saturating_sub(*last) < HOLD_MS);
        let fails = judged.iter().any(|it| it.role == FindingRole::Errors);
        let held = self.0.values().filter(|(held, _)| !(fails && held.role == FindingRole::Errors));
        let mut over: Vec<Judged> = held.filter_map(|(held, last)| held.over(*last, now_unix_ms)).collect();
        over.sort_by(|a, b| {
            let order = |it: &Judged| (Reverse(it.finding.over_since_unix_ms), it.finding.since_unix_ms);
            order(a).cmp(&order(b)).then_with(|| a.finding.sentence.cmp(&b.finding.sentence))
        });
        judged.extend(over);
        judged
    }

    /// Errors that were found a moment ago in other words: of one endpoint, of several, of all requests.
    fn same_errors(&self, role: &FindingRole, now_unix_ms: u64) -> Option<&(Judged, u64)> {
        if *role != FindingRole::Errors {
            return None;
        }
        let is_same = |(held, last): &&(Judged, u64)| {
            held.role == FindingRole::Errors && now_unix_ms.saturating_sub(*last) <= MOMENT_MS
        };
        self.0.values().filter(is_same).min_by_key(|(held, _)| held.finding.since_unix_ms)
    }
}

/// Fails unless `docs/status.md` has these words: the constants and the documentation say the same.
#[cfg(test)]
pub(super) fn assert_documented(words: &[&str]) {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/status.md");
    let page = std::fs::read_to_string(page).expect("the page of findings");
    for words in words {
        assert!(page.contains(words), "docs/status.md does not say: {words}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_that_are_told_in_other_words_go_on() {
        let mut held = HeldFindings::default();
        let errors =
            |sentence: &str, about| Judged { finding: warning(sentence.to_owned(), about), role: FindingRole::Errors };
        let one = || errors("GET /a fails", FindingSubject::Endpoint("GET /a".to_owned()));
        held.hold(vec![one()], 1_000);
        let now = held.hold(vec![errors("2 endpoints fail: GET /a and GET /b", FindingSubject::Requests)], 2_000);
        assert_eq!(
            now.iter().map(|it| (it.finding.since_unix_ms, it.is_current())).collect::<Vec<_>>(),
            [(1_000, true)]
        );
        let later = held.hold(vec![], 3_000);
        assert!(!later.is_empty() && later.iter().all(|it| !it.is_current()), "then it is over");
    }

    fn slow(p99: &str) -> Finding {
        let sentence = format!("GET /v1/search p99 {p99}, objective 500\u{a0}ms");
        warning(sentence, FindingSubject::Endpoint("GET /v1/search".to_owned()))
    }

    #[test]
    fn a_finding_is_the_same_whatever_its_figures_and_units() {
        let key = |finding: &Finding| FindingKey::from(finding);
        assert_eq!(key(&slow("980\u{a0}ms")), key(&slow("2.11\u{a0}s")));
        let errors = |percent: &str, reason: &str| {
            let sentence = format!("{percent}\u{a0}% of the last minute's requests failed with a server error{reason}");
            warning(sentence, FindingSubject::Requests)
        };
        assert_eq!(key(&errors("7", "")), key(&errors("60", ", most of them because it is late")));
        let taken = |count: &str, name: &str| {
            warning(format!("{count} of 8\u{202f}192 {name} are taken"), FindingSubject::Requests)
        };
        assert_eq!(key(&taken("7\u{202f}400", "tunnels")), key(&taken("8\u{202f}192", "tunnels")));
        assert_ne!(key(&taken("7", "tunnels")), key(&taken("7", "connections")));
    }

    #[test]
    fn what_wavers_about_its_threshold_is_held_for_a_minute() {
        let mut held = HeldFindings::default();
        let mut over = |findings: Vec<Finding>, now| -> Vec<Option<u64>> {
            let judged = findings.into_iter().map(Judged::other).collect();
            held.hold(judged, now).iter().map(|held| held.finding.over_since_unix_ms).collect()
        };
        assert_eq!(over(vec![slow("2\u{a0}s")], 1_000), [None]);
        assert_eq!(over(vec![], 2_000), [Some(1_000)]);
        assert_eq!(over(vec![slow("3\u{a0}s")], 59_000), [None], "it came back");
        assert_eq!(over(vec![], 118_999), [Some(59_000)]);
        assert_eq!(over(vec![], 119_000), []);
    }

    #[test]
    fn a_finding_keeps_its_beginning_and_the_last_that_ended_comes_first() {
        let mut held = HeldFindings::default();
        let named = |name: &str| Judged::other(advice(name.to_owned(), FindingSubject::Memory));
        held.hold(vec![named("a"), named("b")], 1_000);
        held.hold(vec![named("b")], 2_000);
        let held = held.hold(vec![named("c")], 3_000);
        let told: Vec<_> =
            held.iter().map(|it| (&*it.finding.sentence, it.finding.since_unix_ms, it.is_current())).collect();
        assert_eq!(told, [("c", 3_000, true), ("b", 1_000, false), ("a", 1_000, false)]);
    }

    #[test]
    fn the_documentation_says_how_long_findings_are_held() {
        assert_documented(&[&format!("{} s below it", HOLD_MS / 1000)]);
    }
}
