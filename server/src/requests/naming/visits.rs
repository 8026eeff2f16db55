//! How often a template was requested of late.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Visits of a template that are counted apart: more make no difference, and cost a write to memory that all cores share.
const MAX_VISITS: u32 = 64;

/// Requests of a template of late.
#[derive(Debug, Default)]
pub(super) struct Visits(AtomicU32);

impl Visits {
    pub(super) fn add(&self) {
        if self.0.load(Relaxed) < MAX_VISITS {
            self.0.fetch_add(1, Relaxed);
        }
    }

    pub(super) fn add_all(&self, other: &Self) {
        self.0.fetch_add(other.count().min(MAX_VISITS), Relaxed);
    }

    pub(super) fn count(&self) -> u32 {
        self.0.load(Relaxed)
    }

    pub(super) fn halve(&self) {
        self.0.store(self.count() / 2, Relaxed);
    }
}
