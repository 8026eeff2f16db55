//! What the findings of all kinds have in common.

use watchboard_wire::{Finding, FindingSubject, Status};

/// A finding that makes the status degraded.
pub(super) fn degraded_finding(sentence: String, about: FindingSubject) -> Finding {
    Finding { status: Status::Degraded, sentence, about }
}
