//! Failures of the monitor's own parts.

/// The failures of one thread, task or reading of the monitor. It is started again after each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// The part: `sampler`, `database probe`, `disks`.
    pub part: String,
    /// Its failures since the start.
    pub count: u64,
    /// Seconds since the last one.
    pub seconds_ago: u64,
    /// The reason of the last one.
    pub reason: String,
}
