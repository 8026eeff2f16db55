//! Findings in `/health`.

use serde_json::{Value, json};
use watchboard_wire::{Finding, FindingSubject, Snapshot};

/// The sentence of a finding, and for how long it has been over.
pub(super) fn reason(finding: &Finding, snapshot: &Snapshot) -> String {
    match finding.over_since_unix_ms {
        None => finding.sentence.clone(),
        Some(_) => format!("{} ({})", finding.sentence, finding.age(snapshot.taken_at_unix_ms)),
    }
}

/// A finding with its severity and its times.
pub(super) fn finding(finding: &Finding) -> Value {
    json!({
        "severity": finding.severity,
        "sentence": finding.sentence,
        "endpoint": match &finding.about {
            FindingSubject::Endpoint(name) => Some(name),
            _ => None,
        },
        "since_unix_ms": finding.since_unix_ms,
        "over_since_unix_ms": finding.over_since_unix_ms,
    })
}
