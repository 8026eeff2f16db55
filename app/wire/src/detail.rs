//! What the memory view shows beyond the snapshot: read when it is asked for, and at most every few seconds.

use serde::{Deserialize, Serialize};

use super::{Reading, Thread};

/// The costly figures of memory, and what the monitor itself takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemoryDetail {
    /// Every thread of the process, together with those of the same name.
    pub threads: Reading<Vec<ThreadGroup>>,
    /// The machine's devices.
    pub devices: Devices,
    /// What the monitor itself takes.
    pub cost: Cost,
}

/// Threads whose names differ in digits alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ThreadGroup {
    /// The sums of the group under its common name, in which `#` stands for digits that differ. Of a single thread its own figures;
    /// of several the id is zero.
    pub sum: Thread,
    /// How many there are.
    pub threads: u32,
    /// Bytes allocated per second since the reading before; none at the first, and where the allocator does not count.
    pub allocated_per_second: Option<f64>,
    /// Bytes freed per second.
    pub freed_per_second: Option<f64>,
}

/// Processors, disks, networks, and the processes that hold most memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Devices {
    /// Seconds since the machine was started.
    pub uptime_seconds: u64,
    /// The share in use of each core; empty at the first reading.
    pub cores_percent: Vec<f32>,
    /// Mounted file systems.
    pub disks: Vec<Disk>,
    /// Network interfaces.
    pub networks: Vec<Network>,
    /// The processes that hold most memory, at most ten.
    pub heaviest: Vec<HeavyProcess>,
}

/// A mounted file system.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// Where it is mounted.
    pub mount: String,
    /// Its size.
    pub total_bytes: u64,
    /// What can still be written.
    pub available_bytes: u64,
}

/// A network interface, since the machine was started.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// Its name.
    pub name: String,
    /// Bytes that came in.
    pub received_bytes: u64,
    /// Bytes that went out.
    pub sent_bytes: u64,
    /// Both per second since the reading before; none at the first.
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

/// What the monitor itself takes from its host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Nanoseconds to record one request, measured on this machine once; without what axum takes for a layer.
    pub request_ns: u64,
    /// CPU time of the monitor's thread in the last second, in microseconds: sampling, and answers to pages.
    pub cpu_us_per_second: Option<u64>,
    /// Memory that its parts hold, by name.
    pub held: Vec<(String, u64)>,
    /// How long each of its readings took last, by name, in microseconds.
    pub probes: Vec<(String, u64)>,
}
