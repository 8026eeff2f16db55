//! What is stored of a run beside its figures, so that the next run can tell how this one ended.

use std::{fs, sync::LazyLock};

use serde::{Deserialize, Serialize};
use watchboard_wire::{Severity, Snapshot, format};

use crate::memory::OomCounters;

/// Memory past this share of its limit is worth a word beside an end.
const NEAR_LIMIT_PERCENT: f64 = 90.0;

/// A run as it was last seen. Fields that a version does not know are left out, and those that it lacks are empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct RunRecord {
    pub(super) seen_at_unix_ms: u64,
    /// Whether it ended in order.
    pub(super) has_stopped: bool,
    /// The version of the application, in words.
    pub(super) version: Option<String>,
    /// The kernel's name for the time since the machine started.
    boot_id: String,
    oom_counters: OomCounters,
    /// Memory near its limit, in words.
    full_memory: Option<String>,
    /// The gravest finding.
    finding: Option<String>,
}

impl RunRecord {
    pub(super) fn of(snapshot: &Snapshot, version: Option<String>, oom_counters: OomCounters) -> Self {
        let headline = snapshot.memory.headline().ok().filter(|headline| headline.percent() >= NEAR_LIMIT_PERCENT);
        let full_memory = headline.map(|it| {
            let (percent, limit) = (format::percent(it.percent()), format::bytes(it.limit_bytes as f64));
            format!("memory was at {percent} of the {}'s {limit}", it.scope)
        });
        let current = snapshot.health.findings.iter().filter(|finding| finding.over_since_unix_ms.is_none());
        let finding =
            current.filter(|finding| finding.severity > Severity::Advice).map(|it| it.sentence.clone()).next();
        Self {
            seen_at_unix_ms: snapshot.taken_at_unix_ms,
            has_stopped: false,
            version,
            boot_id: boot_id(),
            oom_counters,
            full_memory,
            finding,
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// `None` for what is no record.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// How it ended, if that was not in order. `killed_since` tells whose process the kernel has killed since the
    /// counters were read.
    pub(super) fn explain_kill(&self, killed_since: impl FnOnce(&OomCounters) -> Option<String>) -> Option<String> {
        if self.has_stopped {
            return None;
        }
        let why = if !self.boot_id.is_empty() && self.boot_id != boot_id() {
            "the machine has started anew since".to_owned()
        } else {
            killed_since(&self.oom_counters).unwrap_or_else(|| "it was killed, or it crashed".to_owned())
        };
        let seen = [&self.full_memory, &self.finding].into_iter().flatten().map(|seen| format!("; {seen}"));
        Some(format!("ended without a clean stop: {why}{}", seen.collect::<String>()))
    }
}

/// It is read once: it stays the same while this process lives.
fn boot_id() -> String {
    static BOOT_ID: LazyLock<String> = LazyLock::new(|| {
        let read = fs::read_to_string("/proc/sys/kernel/random/boot_id");
        read.map(|id| id.trim().to_owned()).unwrap_or_default()
    });
    BOOT_ID.clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use watchboard_wire::{Container, Finding, FindingSubject, Health, Memory};

    fn snapshot() -> Snapshot {
        let container = Container { working_set_bytes: 97, limit_bytes: Some(100), ..Container::default() };
        let finding = |severity, sentence: &str| Finding {
            severity,
            sentence: sentence.to_owned(),
            about: FindingSubject::Memory,
            since_unix_ms: 0,
            over_since_unix_ms: None,
        };
        let findings = vec![finding(Severity::Advice, "N+1"), finding(Severity::Warning, "memory grows")];
        Snapshot {
            memory: Memory { container: Ok(Some(container)), ..Memory::default() },
            health: Health { findings, ..Health::default() },
            ..Snapshot::default()
        }
    }

    #[test]
    fn an_end_is_told_with_what_was_last_seen() {
        let record = RunRecord::of(&snapshot(), Some("1.4.2".to_owned()), OomCounters::default());
        let mut record = RunRecord::decode(&record.encode()).expect("a record");
        let told = |record: &RunRecord, killed: Option<&str>| {
            record.explain_kill(|_| killed.map(str::to_owned)).map(|told| told.replace('\u{a0}', " "))
        };
        let seen = "; memory was at 97 % of the container's 100 B; memory grows";
        let end = |why| Some(format!("ended without a clean stop: {why}{seen}"));
        assert_eq!(told(&record, Some("OOM")), end("OOM"));
        assert_eq!(told(&record, None), end("it was killed, or it crashed"));
        record.boot_id = "another".to_owned();
        assert_eq!(told(&record, Some("OOM")), end("the machine has started anew since"));
        record.has_stopped = true;
        assert_eq!(told(&record, Some("OOM")), None);
    }

    #[test]
    fn records_of_other_versions_are_read() {
        let known = RunRecord::decode(br#"{"seen_at_unix_ms":7,"of_a_newer":[1]}"#);
        assert_eq!(known, Some(RunRecord { seen_at_unix_ms: 7, ..RunRecord::default() }));
        assert_eq!(RunRecord::decode(b"\xff"), None);
    }
}
