//! Failures of the monitor's own parts.

/// The failures of one thread, task or reading of the monitor. It is started again after each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// The part of the monitor or of the program around it: `sampler`, `database probe`, `disks`, `listener`.
    pub part: String,
    /// Its failures since the start.
    pub count: u64,
    /// Seconds since the last one.
    pub seconds_ago: u64,
    /// The reason of the last one.
    pub reason: String,
}
