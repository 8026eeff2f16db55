//! The monitor itself and the program around it: readings that hang, and parts that failed and were started again.

use watchboard_wire::{Fault, Finding, FindingSubject, format};

use super::finding::warning;

/// A failure is reported for ten minutes.
const REPORTED_SECONDS: u64 = 600;

/// The state of the monitor's own parts, and of the program's.
#[derive(Clone, Copy)]
pub(crate) struct MonitorState<'a> {
    pub(crate) faults: &'a [Fault],
    /// Readings that hang, in words.
    pub(crate) overdue: &'a [String],
}

impl MonitorState<'_> {
    pub(super) fn findings(self) -> impl Iterator<Item = Finding> {
        let recent = self.faults.iter().filter(|fault| fault.seconds_ago < REPORTED_SECONDS);
        let sentences = self.overdue.iter().cloned().chain(recent.map(sentence));
        sentences.map(|sentence| warning(sentence, FindingSubject::Memory)).collect::<Vec<_>>().into_iter()
    }
}

fn sentence(fault: &Fault) -> String {
    let times = if fault.count == 1 { "once".to_owned() } else { format!("{} times", format::exact(fault.count)) };
    let ago = format::span(fault.seconds_ago);
    format!("the {} failed {times}, {ago} ago: {}", fault.part, fault.reason)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let findings = MonitorState { faults: &faults, overdue: &overdue }.findings();
        let sentences: Vec<_> = findings.map(|finding| finding.sentence.replace('\u{a0}', " ")).collect();
        let expected = [
            "disks: no answer for 20 s",
            "the database probe failed once, 3 s ago: it panicked at a.rs:1:2",
            "the database probe failed 2 times, 9 m 59 s ago: it panicked at a.rs:1:2",
        ];
        assert_eq!(sentences, expected);
    }
}
