//! Counts of faults that the program around the monitor survived. They are live cells, not part of the snapshot: they tell the truth even if the monitor is stuck.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A fault that the program around the monitor survived. `/health`, `/metrics` and the memory view show how often.
/// The program `watchboard` counts its own; a host may count those of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProgramFault {
    /// A line of the program's log was dropped: it could not be written, or not in time.
    LogLineDropped,
    /// A thread or a task panicked.
    Panic,
    /// A part of the program ended early, and was started again.
    Restart,
}

const COUNT: usize = 3;

static COUNTS: [AtomicU64; COUNT] = [const { AtomicU64::new(0) }; COUNT];

impl ProgramFault {
    /// Counts it.
    ///
    /// ```
    /// watchboard::ProgramFault::Restart.count(1);
    /// ```
    pub fn count(self, times: u64) {
        COUNTS[self as usize].fetch_add(times, Relaxed);
    }

    fn label(self) -> &'static str {
        match self {
            Self::LogLineDropped => "log_lines_dropped",
            Self::Panic => "panics",
            Self::Restart => "restarts",
        }
    }

    pub(crate) fn total(self) -> u64 {
        COUNTS[self as usize].load(Relaxed)
    }

    /// Each fault by its label, with its count since the start of the process.
    pub(crate) fn counts() -> [(&'static str, u64); COUNT] {
        [Self::LogLineDropped, Self::Panic, Self::Restart].map(|fault| (fault.label(), fault.total()))
    }
}
