//! Memory analytics: the watched process, its threads, its container, and the system. Linux's own figures, by psutil's names.

use serde::{Deserialize, Serialize};

use super::{Application, Reading, Unknown, reading_ref};

/// What the probes read last; each is unknown by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// Whose figures those of the process are; none where they are those of the process that the monitor runs in.
    pub application: Option<Application>,
    /// The process, or the sums of the application's processes; read every second.
    pub process: Reading<Process>,
    /// Its open file descriptors, or those of the application's process that is nearest to its limit; read every second.
    pub descriptors: Reading<Descriptors>,
    /// Its open files and connections; read every five seconds while somebody looks.
    pub handles: Reading<Handles>,
    /// Its busiest threads, five at most; read every five seconds while somebody looks.
    pub threads: Reading<Threads>,
    /// How its pages are shared; read every minute while somebody looks.
    pub mapped: Reading<PageSharing>,
    /// Its container's memory, or none outside one; read every second.
    pub container: Reading<Option<Container>>,
    /// The whole machine; read every second.
    pub system: Reading<System>,
    /// What the program has allocated; none where its allocator does not count. Read every second.
    pub heap: Option<Heap>,
    /// What the allocator itself holds; none where it does not tell. Read every second.
    pub allocator: Reading<Option<Allocator>>,
}

/// jemalloc's own figures, each at least as large as the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocator {
    /// Bytes that the program has asked for and holds.
    pub allocated_bytes: u64,
    /// Bytes in pages that hold some of these.
    pub active_bytes: u64,
    /// Bytes that it keeps resident.
    pub resident_bytes: u64,
    /// Address space that it keeps for later, which costs no memory.
    pub retained_bytes: u64,
}

/// What the program has asked its allocator for since it began, where that is `watchboard::alloc::Tracking`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heap {
    /// Bytes allocated.
    pub allocated_bytes: u64,
    /// Of these, bytes freed again.
    pub freed_bytes: u64,
    /// Calls that brought bytes.
    pub allocations: u64,
    /// Of the bytes allocated, those of requests while they were handled.
    pub requests_allocated_bytes: u64,
}

impl Heap {
    /// Allocated and not freed: what the program holds.
    pub fn live_bytes(&self) -> u64 {
        self.allocated_bytes.saturating_sub(self.freed_bytes)
    }

    /// Bytes allocated outside of any request: by spawned tasks, blocking threads, the runtime, this monitor.
    pub fn unattributed_bytes(&self) -> u64 {
        self.allocated_bytes.saturating_sub(self.requests_allocated_bytes)
    }
}

/// One process, or several added up under the main one's name, from `/proc/PID/{statm,status,stat}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Process {
    /// The process id.
    pub pid: u32,
    /// The name of its executable.
    pub name: String,
    /// Resident memory: what it holds in RAM, its shared pages included.
    pub rss_bytes: u64,
    /// Address space, most of which need not be in RAM.
    pub vms_bytes: u64,
    /// The part of RSS that other processes may share: files and shared memory.
    pub shared_bytes: u64,
    /// Its code.
    pub text_bytes: u64,
    /// Its data and stack address space.
    pub data_bytes: u64,
    /// The part of RSS that is its own: heap and stacks. With the two that follow it adds up to RSS.
    pub anonymous_bytes: u64,
    /// The part of RSS that is files in memory, its own code among them.
    pub file_bytes: u64,
    /// The part of RSS that is memory shared with others.
    pub shmem_bytes: u64,
    /// The largest RSS so far.
    pub peak_rss_bytes: u64,
    /// What of it has been swapped out.
    pub swap_bytes: u64,
    /// RSS as a percentage of the system's memory; none where that is not known.
    pub memory_percent: Option<f64>,
    /// CPU time over the last second, as a percentage of one core; none in the first second.
    pub cpu_percent: Option<f64>,
    /// Threads of the process.
    pub num_threads: u64,
    /// Pages that came without reading from a disk, since it started.
    pub minor_faults: u64,
    /// Pages that had to be read from a disk, since it started.
    pub major_faults: u64,
    /// And of these, per second over the last second; none in the first.
    pub major_faults_per_second: Option<f64>,
}

/// Open file descriptors of every kind, from `/proc/PID/fd`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Descriptors {
    /// How many are open.
    pub open: u64,
    /// How many may be (the soft limit); none where unlimited.
    pub limit: Option<u64>,
    /// Of which of the application's processes.
    pub pid: Option<u32>,
}

/// How the pages of the process are shared, from `/proc/PID/smaps_rollup`, which takes the kernel long to make.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageSharing {
    /// When this was read.
    pub read_at_unix_ms: u64,
    /// What would be free if the process ended: pages that no other has.
    pub uss_bytes: u64,
    /// Each shared page counted as its share: over all processes this adds up to the memory in use.
    pub pss_bytes: u64,
}

/// What the process holds open, from `/proc/PID/fd` and `/proc/net`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handles {
    /// When this was read.
    pub read_at_unix_ms: u64,
    /// Regular files.
    pub open_files: u64,
    /// TCP and UDP sockets, listening ones included.
    pub connections: u64,
}

/// The busiest threads, from `/proc/PID/task`. Threads share one address space: memory is the process's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Threads {
    /// When this was read.
    pub read_at_unix_ms: u64,
    /// The busiest first.
    pub busiest: Vec<Thread>,
}

/// One thread.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Thread {
    /// The kernel's id of it.
    pub thread_id: i32,
    /// Its name, cut to 15 bytes by the kernel.
    pub name: String,
    /// CPU time since the reading before, as a percentage of one core; none at the first reading.
    pub cpu_percent: Option<f64>,
    /// CPU time since the thread started.
    pub cpu_seconds: f64,
    /// Bytes allocated since the thread started; none where the program's allocator does not count.
    pub allocated_bytes: Option<u64>,
    /// Bytes freed since.
    pub freed_bytes: Option<u64>,
}

/// The container (the control group) that the process runs in. What its kernel does not tell is none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Container {
    /// The version of control groups that counts its memory.
    pub version: u8,
    /// The path of the group.
    pub group: String,
    /// Memory in use less what is cheap to reclaim: `memory.current - inactive_file`, as Kubernetes counts.
    pub working_set_bytes: u64,
    /// The smallest limit among the group and its ancestors; none where nothing limits it.
    pub limit_bytes: Option<u64>,
    /// The path of the group that has this limit.
    pub limit_group: Option<String>,
    /// Memory in use, the file cache included.
    pub usage_bytes: u64,
    /// Of this, heaps and stacks.
    pub anonymous_bytes: Option<u64>,
    /// Of this, the file cache.
    pub file_bytes: Option<u64>,
    /// Processes of the group that the kernel has killed for want of memory.
    pub oom_kills: Option<u64>,
    /// Stalls for want of memory.
    pub pressure: Option<Pressure>,
    /// Its share of the processors.
    pub cpu: Option<CpuQuota>,
}

/// How a control group is held to its share of the processors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CpuQuota {
    /// The cores that it may use; none where unlimited.
    pub cores: Option<f64>,
    /// Periods of enforcement so far.
    pub periods: u64,
    /// Of these, periods in which it was stopped.
    pub throttled_periods: u64,
    /// For how long altogether.
    pub throttled_us: u64,
}

/// Stalls for want of memory, by the kernel's PSI: the share of the last ten seconds in which tasks waited for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pressure {
    /// Some tasks waited.
    pub some_percent: f64,
    /// All of them did.
    pub full_percent: f64,
}

impl Container {
    /// The working set as a percentage of the limit; none where nothing limits it.
    pub fn percent(&self) -> Option<f64> {
        self.limit_bytes.filter(|limit| *limit > 0).map(|limit| 100.0 * self.working_set_bytes as f64 / limit as f64)
    }
}

/// The machine, from `/proc/{meminfo,vmstat}` and the kernel's CPU counters.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct System {
    /// All memory.
    pub total_bytes: u64,
    /// What programs can get without swapping.
    pub available_bytes: u64,
    /// Total less available.
    pub used_bytes: u64,
    /// What nothing uses at all.
    pub free_bytes: u64,
    /// Used as a percentage of total.
    pub percent: f64,
    /// Memory used lately.
    pub active_bytes: u64,
    /// Memory not used lately, the first to be reclaimed.
    pub inactive_bytes: u64,
    /// Buffers of block devices.
    pub buffers_bytes: u64,
    /// The page cache and reclaimable kernel memory.
    pub cached_bytes: u64,
    /// Shared memory and tmpfs.
    pub shared_bytes: u64,
    /// Swap space.
    pub swap_total_bytes: u64,
    /// Swap space in use.
    pub swap_used_bytes: u64,
    /// Swap space left.
    pub swap_free_bytes: u64,
    /// Swapped in since boot.
    pub swap_in_bytes: u64,
    /// Swapped out since boot.
    pub swap_out_bytes: u64,
    /// Share of all cores in use over the last second; none in the first.
    pub cpu_percent: Option<f64>,
    /// Cores that the monitor's process may use.
    pub cpus: u64,
    /// Runnable tasks, averaged over 1, 5 and 15 minutes; none where the platform does not tell.
    pub load: Option<[f64; 3]>,
    /// The name of the machine.
    pub host: String,
    /// Swapped in and out per second over the last second; none in the first.
    pub swap_rates: Option<[f64; 2]>,
    /// Stalls for want of memory; none where the kernel does not tell.
    pub pressure: Option<Pressure>,
}

/// The memory that will run out first: what it is of, how much is used, and its limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Headline {
    /// `container` or `system`.
    pub scope: &'static str,
    /// In use.
    pub used_bytes: u64,
    /// The most there is.
    pub limit_bytes: u64,
}

impl Headline {
    /// Used as a percentage of the limit.
    pub fn percent(&self) -> f64 {
        100.0 * self.used_bytes as f64 / self.limit_bytes.max(1) as f64
    }
}

/// Before the first reading.
impl Default for Memory {
    fn default() -> Self {
        let before_first_reading = || Unknown::because("not read yet");
        Self {
            application: None,
            process: Err(before_first_reading()),
            descriptors: Err(before_first_reading()),
            handles: Err(before_first_reading()),
            threads: Err(before_first_reading()),
            mapped: Err(before_first_reading()),
            container: Err(before_first_reading()),
            system: Err(before_first_reading()),
            heap: None,
            allocator: Ok(None),
        }
    }
}

impl Memory {
    /// The container's memory where it has a limit, else the system's.
    ///
    /// # Errors
    /// Why neither is known; of an application that does not run, or cannot be seen, that.
    pub fn headline(&self) -> Reading<Headline> {
        if self.application.is_some() {
            reading_ref(&self.process)?;
        }
        if let Ok(Some(Container { working_set_bytes, limit_bytes: Some(limit), .. })) = self.container {
            return Ok(Headline { scope: "container", used_bytes: working_set_bytes, limit_bytes: limit });
        }
        let system = reading_ref(&self.system)?;
        Ok(Headline { scope: "system", used_bytes: system.used_bytes, limit_bytes: system.total_bytes })
    }

    /// The open file descriptors of the process, or of all the application's processes; none where some cannot be seen.
    pub fn open_descriptors(&self) -> Option<u64> {
        match &self.application {
            Some(application) if !application.processes.is_empty() => {
                application.processes.iter().map(|process| process.descriptors).sum()
            }
            _ => self.descriptors.as_ref().ok().map(|descriptors| descriptors.open),
        }
    }

    /// The system's memory in four parts that add up to it: this process's (or the application's) own, other programs', cache, free.
    ///
    /// # Errors
    /// Why the system's memory is not known.
    pub fn system_parts(&self) -> Reading<[u64; 4]> {
        let system = reading_ref(&self.system)?;
        let own = self.process.as_ref().map_or(0, |process| process.anonymous_bytes).min(system.used_bytes);
        let free = system.free_bytes.min(system.available_bytes);
        Ok([own, system.used_bytes - own, system.total_bytes - system.used_bytes - free, free])
    }
}
