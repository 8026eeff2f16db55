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
    /// There is too little CPU time: endpoints may be slow for it.
    CpuShortage,
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

    /// Its role if it stands for all findings of that: those of before are not over, but told in other words.
    fn tells_of_all(&self) -> Option<FindingRole> {
        let is_of_all = match self.role {
            FindingRole::Errors => true,
            FindingRole::Unanswered => self.finding.severity == Severity::Incident,
            _ => false,
        };
        is_of_all.then(|| self.role.clone())
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
            FindingSubject::Endpoint(name) | FindingSubject::Instance(name) => name,
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
            // What has become graver is as old as that.
            let known = known.filter(|(held, _)| finding.severity <= held.finding.severity);
            finding.since_unix_ms = known.map_or(since, |(held, _)| held.finding.since_unix_ms);
            self.0.insert(key, (Judged { finding: finding.clone(), role: role.clone() }, now_unix_ms));
        }
        let told_anew: Vec<FindingRole> = judged.iter().filter_map(Judged::tells_of_all).collect();
        self.0.retain(|_, (held, last)| {
            let is_told_anew = *last < now_unix_ms && told_anew.contains(&held.role);
            now_unix_ms.saturating_sub(*last) < HOLD_MS && !is_told_anew
        });
        let mut over: Vec<Judged> = self.0.values().filter_map(|(held, last)| held.over(*last, now_unix_ms)).collect();
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
mod tests;
