//! What the findings of all kinds have in common: how they are made, what makes two the same, and how long they are shown.

use std::collections::HashMap;

use watchboard_wire::{Finding, FindingSubject, Severity};

/// What is below its threshold again is shown for so long: a figure that wavers about its threshold changes the status once.
pub(super) const HOLD_MS: u64 = 60_000;

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

/// What stays the same of a finding while its figures change: the subject, and the words of its sentence up to the first comma or colon.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct FindingKey(String);

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
pub(super) struct HeldFindings(HashMap<FindingKey, (Finding, u64)>);

impl HeldFindings {
    /// The findings of now, and those that are over for less than [`HOLD_MS`].
    pub(super) fn hold(&mut self, mut findings: Vec<Finding>, now_unix_ms: u64) -> Vec<Finding> {
        for finding in &findings {
            self.0.insert(FindingKey::from(finding), (finding.clone(), now_unix_ms));
        }
        self.0.retain(|_, (_, last)| now_unix_ms.saturating_sub(*last) < HOLD_MS);
        let over = self.0.values().filter(|(_, last)| *last != now_unix_ms);
        findings.extend(over.map(|(finding, last)| Finding { over_since_unix_ms: Some(*last), ..finding.clone() }));
        findings
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
            held.hold(findings, now).iter().map(|finding| finding.over_since_unix_ms).collect()
        };
        assert_eq!(over(vec![slow("2\u{a0}s")], 1_000), [None]);
        assert_eq!(over(vec![], 2_000), [Some(1_000)]);
        assert_eq!(over(vec![slow("3\u{a0}s")], 59_000), [None], "it came back");
        assert_eq!(over(vec![], 118_999), [Some(59_000)]);
        assert_eq!(over(vec![], 119_000), []);
    }

    #[test]
    fn the_documentation_says_how_long_findings_are_held() {
        assert_documented(&[&format!("{} s below it", HOLD_MS / 1000)]);
    }
}
