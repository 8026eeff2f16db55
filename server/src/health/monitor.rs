//! The monitor itself and the program around it: readings that hang, and parts that failed and were started again.

use watchboard_wire::{Fault, Finding, FindingSubject, FleetDelivery, format};

use super::finding::{advice, warning};

/// A failure is reported for ten minutes.
const REPORTED_SECONDS: u64 = 600;

/// Figures are on their way to the fleet for ten seconds and the time to store them.
const UNDELIVERED_SECONDS: u64 = 30;
/// The name of an instance that was killed is free after ten seconds. For longer it is another's.
const NAME_TAKEN_SECONDS: u64 = 15;

/// The state of the monitor's own parts, and of the program's.
#[derive(Clone, Copy)]
pub(crate) struct MonitorState<'a> {
    pub(crate) faults: &'a [Fault],
    /// Readings that hang, in words.
    pub(crate) overdue: &'a [String],
    /// The other process that writes the history on disk, in words.
    pub(crate) history_writer: Option<&'a str>,
    /// How the figures reach the fleet; `None` if there is none.
    pub(crate) delivery: Option<&'a FleetDelivery>,
}

impl MonitorState<'_> {
    pub(super) fn findings(self) -> impl Iterator<Item = Finding> {
        let recent = self.faults.iter().filter(|fault| fault.seconds_ago < REPORTED_SECONDS);
        let sentences = self.overdue.iter().cloned().chain(recent.map(sentence));
        let warnings = sentences.map(|sentence| warning(sentence, FindingSubject::Memory));
        let other = self.history_writer.map(|writer| {
            let sentence = format!(
                "{writer} writes the history on disk: that of this process is in memory alone, unless it has a folder of its own"
            );
            advice(sentence, FindingSubject::Memory)
        });
        let undelivered = self.delivery.and_then(undelivered);
        warnings.chain(other).chain(undelivered).collect::<Vec<_>>().into_iter()
    }
}

/// The figures do not reach the fleet.
fn undelivered(delivery: &FleetDelivery) -> Option<Finding> {
    let why = delivery.failure.as_ref()?;
    if delivery.instance.is_empty() {
        let sentence = format!("the figures of the fleet cannot be read: {why}");
        return Some(warning(sentence, FindingSubject::Memory));
    }
    let told_after = if delivery.is_name_taken { NAME_TAKEN_SECONDS } else { UNDELIVERED_SECONDS };
    if delivery.waiting_seconds < told_after {
        return None;
    }
    let waiting = format::span(delivery.waiting_seconds);
    let sentence = format!("the fleet has had no figures of this instance for {waiting}; they wait here: {why}");
    Some(warning(sentence, FindingSubject::Memory))
}

fn sentence(fault: &Fault) -> String {
    let times = if fault.count == 1 { "once".to_owned() } else { format!("{} times", format::exact(fault.count)) };
    let ago = format::span(fault.seconds_ago);
    format!("the {} failed {times}, {ago} ago: {}", fault.part, fault.reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use watchboard_wire::Severity;

    #[test]
    fn what_hangs_and_what_failed_lately_is_named() {
        let fault = |count, seconds_ago| Fault {
            part: "database probe".into(),
            count,
            seconds_ago,
            reason: "it panicked at a.rs:1:2".into(),
        };
        let faults = [fault(1, 3), fault(2, 599), fault(9, 600)];
        let overdue = ["disks: no answer for 20 s".to_owned()];
        let findings =
            MonitorState { faults: &faults, overdue: &overdue, history_writer: None, delivery: None }.findings();
        let sentences: Vec<_> = findings.map(|finding| finding.sentence.replace('\u{a0}', " ")).collect();
        let expected = [
            "disks: no answer for 20 s",
            "the database probe failed once, 3 s ago: it panicked at a.rs:1:2",
            "the database probe failed 2 times, 9 m 59 s ago: it panicked at a.rs:1:2",
        ];
        assert_eq!(sentences, expected);
    }

    #[test]
    fn a_history_that_another_process_writes_is_advice() {
        let state = MonitorState { faults: &[], overdue: &[], history_writer: Some("process 7"), delivery: None };
        let found: Vec<_> = state.findings().map(|finding| (finding.severity, finding.sentence)).collect();
        assert!(
            matches!(&found[..], [(Severity::Advice, sentence)] if sentence.starts_with("process 7 writes")),
            "{found:?}"
        );
    }
}
