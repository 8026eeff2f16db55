//! What the findings of all kinds have in common.

use watchboard_wire::{Finding, FindingSubject, Status};

/// A finding that makes the status degraded.
pub(super) fn degraded_finding(sentence: String, about: FindingSubject) -> Finding {
    Finding { status: Status::Degraded, sentence, about }
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
