//! What the program around the monitor survived. Each board in this process shows it: `/health`, `/metrics` and the memory view.
//! The program `watchboard` records its own; a host can record those of its own.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use watchboard_wire::Fault;

use super::{Faults, panics};

static FAULTS: Faults = Faults::new();
static DROPPED_LOG_LINES: AtomicU64 = AtomicU64::new(0);

/// Records that a part of the program failed, and why. The status is degraded for ten minutes. The reason is shown to whoever sees the
/// board; it is not logged.
///
/// ```
/// watchboard::program::record_fault("order queue", "the connection was lost");
/// ```
pub fn record_fault(part: &'static str, reason: &str) {
    FAULTS.add(part, reason);
}

/// Says that the last fault of this part goes on. It is not counted again, and the ten minutes begin anew.
///
/// ```
/// watchboard::program::extend_fault("order queue");
/// ```
pub fn extend_fault(part: &'static str) {
    FAULTS.extend(part);
}

/// The same after a panic. Call it on the thread that panicked. The location is shown, and not the panic's message.
/// Returns the reason that is shown.
///
/// ```
/// if std::panic::catch_unwind(|| "1".parse::<u32>().unwrap()).is_err() {
///     watchboard::program::record_panic("parser");
/// }
/// ```
pub fn record_panic(part: &'static str) -> String {
    let reason = panics::take_reason();
    FAULTS.add(part, &reason);
    reason
}

/// Counts lines of the program's log that were lost. They do not change the status.
///
/// ```
/// watchboard::program::count_dropped_log_lines(1);
/// ```
pub fn count_dropped_log_lines(lines: u64) {
    DROPPED_LOG_LINES.fetch_add(lines, Relaxed);
}

pub(crate) fn dropped_log_lines() -> u64 {
    DROPPED_LOG_LINES.load(Relaxed)
}

/// The faults of a monitor, and those of the program.
pub(crate) fn faults_with(monitor: &Faults) -> Vec<Fault> {
    let mut faults = monitor.all();
    faults.extend(FAULTS.all());
    faults
}
