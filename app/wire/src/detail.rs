//! The costly figures of the memory view. The monitor reads them on request, and at most every few seconds.

use serde::{Deserialize, Serialize};

use super::{Reading, Thread};

/// The costly figures of memory, and the cost of the monitor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemoryDetail {
    /// Every thread of the process, grouped by name.
    pub threads: Reading<Vec<ThreadGroup>>,
    /// The machine's devices and heaviest processes.
    pub devices: Reading<Devices>,
    /// Mounted file systems; apart, since one of a network drive may hang.
    pub disks: Reading<Vec<Disk>>,
    /// The cost of the monitor itself.
    pub cost: Cost,
}

/// Threads whose names differ only in digits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ThreadGroup {
    /// The sums of the group under its common name, in which `#` stands for digits that differ. A group of several
    /// threads has the id zero.
    pub sum: Thread,
    /// The number of threads.
    pub threads: u32,
    /// Bytes allocated per second since the last reading; `None` at the first, and if the program's allocator does not
    /// count.
    pub allocated_per_second: Option<f64>,
    /// Bytes freed per second since the last reading; `None` as above.
    pub freed_per_second: Option<f64>,
}

/// Processors (`/proc/stat`), networks, and the processes with the most memory (all by sysinfo).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Devices {
    /// Seconds since boot.
    pub uptime_seconds: u64,
    /// The busy share of each core, from `/proc/stat`; empty at the first reading.
    pub cores_percent: Vec<f32>,
    /// Network interfaces.
    pub networks: Vec<Network>,
    /// The processes with the most resident memory, at most ten.
    pub heaviest: Vec<HeavyProcess>,
}

/// A mounted file system.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// Its mount point.
    pub mount: String,
    /// Its size.
    pub total_bytes: u64,
    /// Bytes that can still be written.
    pub available_bytes: u64,
}

/// A network interface, with its counters since boot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// Its name.
    pub name: String,
    /// Bytes received.
    pub received_bytes: u64,
    /// Bytes sent.
    pub sent_bytes: u64,
    /// Received and sent bytes per second since the last reading; `None` at the first.
    pub rates: Option<[f64; 2]>,
}

/// A process of the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeavyProcess {
    /// Its id.
    pub pid: u32,
    /// Its name.
    pub name: String,
    /// Its resident memory.
    pub rss_bytes: u64,
}

/// The cost of the monitor itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Nanoseconds to record one request, measured once on this machine, without the cost of an axum layer.
    pub request_ns: u64,
    /// CPU time of the monitor's threads in the last second, in microseconds (`CLOCK_THREAD_CPUTIME_ID`): sampling,
    /// readings of the system, and answers to pages.
    pub cpu_us_per_second: Option<u64>,
    /// Bytes that its parts hold, by name.
    pub held: Vec<(String, u64)>,
    /// Microseconds that each of its readings took last, by name.
    pub probes: Vec<(String, u64)>,
    /// Lines of the program's log that were lost since the start.
    pub dropped_log_lines: u64,
}
