//! Memory analytics: the watched process, its threads, its container, and the system. The figures are Linux's, the
//! names psutil's.

use serde::{Deserialize, Serialize};

use super::{Application, Reading, Unknown, reading_ref};

/// The last reading of each probe. Each can be unknown by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// The watched application; `None` if the monitor watches the process that it runs in.
    pub application: Option<Application>,
    /// The process, or the sums over the application's processes; read every second.
    pub process: Reading<Process>,
    /// Its open file descriptors, or those of the application's process nearest to its limit; read every second.
    pub descriptors: Reading<Descriptors>,
    /// Its open files and connections; read when somebody asks, at most every four seconds.
    pub handles: Reading<Handles>,
    /// Its busiest threads, at most five; read when somebody asks, at most every four seconds.
    pub threads: Reading<Threads>,
    /// How its pages are shared; read when somebody asks, at most once a minute.
    pub mapped: Reading<PageSharing>,
    /// Its container; `Ok(None)` outside of one; read every second.
    pub container: Reading<Option<Container>>,
    /// The whole machine; read every second.
    pub system: Reading<System>,
    /// The program's allocations; `None` if its allocator does not count; read every second.
    pub heap: Option<Heap>,
    /// Processes of the container that the kernel killed for lack of memory since the monitor's start, also in groups that are gone.
    pub oom_kills_seen: u64,
    /// The allocator's own figures; `Ok(None)` if it has none; read every second.
    pub allocator: Reading<Option<Allocator>>,
}

/// jemalloc's own statistics, from `mallctl`. Of the first three, each includes the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocator {
    /// Bytes that the program allocated and has not freed: `stats.allocated`.
    pub allocated_bytes: u64,
    /// Bytes in pages that hold such allocations: `stats.active`.
    pub active_bytes: u64,
    /// Bytes that are resident: `stats.resident`.
    pub resident_bytes: u64,
    /// Address space that it keeps without memory: `stats.retained`.
    pub retained_bytes: u64,
}

/// The allocations of the program since its start, counted by `watchboard::alloc::Tracking`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heap {
    /// Bytes allocated.
    pub allocated_bytes: u64,
    /// Bytes freed.
    pub freed_bytes: u64,
    /// Calls that returned bytes.
    pub allocations: u64,
    /// Bytes allocated by requests while they were handled.
    pub requests_allocated_bytes: u64,
}

impl Heap {
    /// Bytes allocated and not freed.
    pub fn live_bytes(&self) -> u64 {
        self.allocated_bytes.saturating_sub(self.freed_bytes)
    }

    /// Bytes allocated outside of requests: by spawned tasks, blocking threads, the runtime, the monitor.
    pub fn unattributed_bytes(&self) -> u64 {
        self.allocated_bytes.saturating_sub(self.requests_allocated_bytes)
    }
}

/// One process, or the sums of several under the name of the main one, from `/proc/PID/{status,stat}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Process {
    /// The process id.
    pub pid: u32,
    /// The name of its executable: `Name`.
    pub name: String,
    /// Resident memory, with its shared pages: `RssAnon` + `RssFile` + `RssShmem`.
    pub rss_bytes: u64,
    /// Address space, most of which is not in RAM: `VmSize`.
    pub vms_bytes: u64,
    /// The part of RSS that other processes may share: `RssFile` + `RssShmem`.
    pub shared_bytes: u64,
    /// Its code: `VmExe`.
    pub text_bytes: u64,
    /// The address space of its data and stack: `VmData` + `VmStk`.
    pub data_bytes: u64,
    /// The part of RSS that is its own, heap and stacks: `RssAnon`.
    pub anonymous_bytes: u64,
    /// The part of RSS that is mapped files, with its code: `RssFile`.
    pub file_bytes: u64,
    /// The part of RSS that is shared memory: `RssShmem`.
    pub shmem_bytes: u64,
    /// The largest RSS so far: `VmHWM`.
    pub peak_rss_bytes: u64,
    /// The part that is swapped out: `VmSwap`.
    pub swap_bytes: u64,
    /// Its huge pages of hugetlbfs, which are not in RSS: `HugetlbPages`.
    pub hugetlb_bytes: u64,
    /// RSS in percent of the system's memory; `None` if that is unknown.
    pub memory_percent: Option<f64>,
    /// CPU time over the last second, in percent of one core (`utime` + `stime`); `None` in the first second.
    pub cpu_percent: Option<f64>,
    /// CPU time since its start: `utime` + `stime`.
    pub cpu_seconds: f64,
    /// Its start: `starttime`.
    pub started_at_unix_ms: u64,
    /// Its threads: `Threads`.
    pub num_threads: u64,
    /// Page faults without a read from disk, since its start: `minflt`.
    pub minor_faults: u64,
    /// Page faults with a read from disk, since its start: `majflt`.
    pub major_faults: u64,
    /// Major faults per second over the last second; `None` in the first second.
    pub major_faults_per_second: Option<f64>,
}

/// Open file descriptors of every kind, from `/proc/PID/fd` and `/proc/PID/limits`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Descriptors {
    /// Open descriptors.
    pub open: u64,
    /// The soft limit (`Max open files`); `None` without a limit.
    pub limit: Option<u64>,
    /// The application's process that these are of; `None` if the monitor watches its own process.
    pub pid: Option<u32>,
}

/// How the pages of the process are shared, from `/proc/PID/smaps_rollup`. The kernel takes milliseconds for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageSharing {
    /// The time of this reading.
    pub read_at_unix_ms: u64,
    /// The unique set size, the pages of this process alone: `Private_Clean` + `Private_Dirty`.
    pub uss_bytes: u64,
    /// The proportional set size, which divides each shared page among its processes: `Pss`.
    pub pss_bytes: u64,
}

/// Open files and sockets of the process, from `/proc/PID/fd` and `/proc/PID/net/{tcp,udp}{,6}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handles {
    /// The time of this reading.
    pub read_at_unix_ms: u64,
    /// Regular files.
    pub open_files: u64,
    /// TCP and UDP sockets, with the listening ones.
    pub connections: u64,
}

/// The busiest threads, from `/proc/PID/task/*/stat`. Threads share one address space, so memory is the process's
/// alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Threads {
    /// The time of this reading.
    pub read_at_unix_ms: u64,
    /// The threads, the busiest first.
    pub busiest: Vec<Thread>,
}

/// One thread.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Thread {
    /// The kernel's thread id.
    pub thread_id: i32,
    /// Its name, which the kernel cuts to 15 bytes.
    pub name: String,
    /// CPU time since the last reading, in percent of one core; `None` at the first reading.
    pub cpu_percent: Option<f64>,
    /// CPU time since its start, in seconds.
    pub cpu_seconds: f64,
    /// Bytes allocated since its start; `None` if the program's allocator does not count.
    pub allocated_bytes: Option<u64>,
    /// Bytes freed since its start; `None` as above.
    pub freed_bytes: Option<u64>,
}

/// The container (the control group) of the process, from `/sys/fs/cgroup`. A figure is `None` if the kernel does not
/// have it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Container {
    /// The version of control groups that counts its memory: 1 or 2.
    pub version: u8,
    /// The path of the group.
    pub group: String,
    /// Memory in use less what the kernel can take back at once: `memory.current` - `reclaimable_bytes`.
    pub working_set_bytes: u64,
    /// The smallest `memory.max` of the group and its ancestors; `None` without a limit.
    pub limit_bytes: Option<u64>,
    /// The path of the group with this limit.
    pub limit_group: Option<String>,
    /// The smallest `memory.high` of the group and its ancestors: past it the kernel slows the group down; `None` without one.
    pub high_bytes: Option<u64>,
    /// The path of the group with this limit.
    pub high_group: Option<String>,
    /// How often the group was slowed down since it was made: `high` of `memory.events`.
    pub high_events: Option<u64>,
    /// Memory in use, with the file cache: `memory.current`.
    pub usage_bytes: u64,
    /// The part of it that the kernel can take back at once: `active_file` + `inactive_file` + `slab_reclaimable`, less `file_dirty` and
    /// `file_writeback`.
    pub reclaimable_bytes: Option<u64>,
    /// The part of it that is heaps and stacks: `anon` of `memory.stat`.
    pub anonymous_bytes: Option<u64>,
    /// The part of it that is file cache: `file` of `memory.stat`.
    pub file_bytes: Option<u64>,
    /// Memory that is swapped out: `memory.swap.current`.
    pub swap_bytes: Option<u64>,
    /// The smallest `memory.swap.max` of the group and its ancestors; `None` without a limit.
    pub swap_limit_bytes: Option<u64>,
    /// Huge pages of hugetlbfs, which no other figure includes: `hugetlb.SIZE.current`, of all sizes.
    pub hugetlb_bytes: Option<u64>,
    /// Processes of the group that the kernel killed for lack of memory: `oom_kill` of `memory.events`.
    pub oom_kills: Option<u64>,
    /// Stalls for lack of memory: `memory.pressure`.
    pub pressure: Option<Pressure>,
    /// Its limit of CPU time.
    pub cpu: Option<CpuQuota>,
}

/// The limit of a control group's CPU time, from `cpu.max` and `cpu.stat`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CpuQuota {
    /// Cores that it may use; `None` without a limit.
    pub cores: Option<f64>,
    /// Periods of enforcement so far: `nr_periods`.
    pub periods: u64,
    /// Periods in which it was throttled: `nr_throttled`.
    pub throttled_periods: u64,
    /// The time for which it was throttled: `throttled_usec`.
    pub throttled_us: u64,
}

/// Stalls for lack of memory, by the kernel's PSI: the share of the last ten seconds (`avg10`) in which tasks waited
/// for memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pressure {
    /// At least one task waited.
    pub some_percent: f64,
    /// All tasks waited.
    pub full_percent: f64,
}

impl Container {
    /// The smaller of the two limits, `memory.max` and `memory.high`.
    pub fn nearest_limit_bytes(&self) -> Option<u64> {
        self.limit_bytes.into_iter().chain(self.high_bytes).min()
    }

    /// The working set in percent of the nearest limit; `None` without a limit.
    pub fn percent(&self) -> Option<f64> {
        let limit = self.nearest_limit_bytes().filter(|limit| *limit > 0)?;
        Some(100.0 * self.working_set_bytes as f64 / limit as f64)
    }
}

/// The machine, from `/proc/{meminfo,stat,vmstat,pressure/memory}` and, for load and host, sysinfo.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct System {
    /// All memory: `MemTotal`.
    pub total_bytes: u64,
    /// Memory that programs can get without swapping: `MemAvailable`.
    pub available_bytes: u64,
    /// Total less available.
    pub used_bytes: u64,
    /// Memory that is not used at all: `MemFree`.
    pub free_bytes: u64,
    /// Used in percent of total.
    pub percent: f64,
    /// Memory that was used lately: `Active`.
    pub active_bytes: u64,
    /// Memory that was not used lately, which the kernel reclaims first: `Inactive`.
    pub inactive_bytes: u64,
    /// Buffers of block devices: `Buffers`.
    pub buffers_bytes: u64,
    /// The page cache and reclaimable kernel memory: `Cached` + `SReclaimable`.
    pub cached_bytes: u64,
    /// Shared memory and tmpfs: `Shmem`.
    pub shared_bytes: u64,
    /// Huge pages of hugetlbfs, in use or not: `Hugetlb`. They count as used, since nothing else can use them.
    pub hugetlb_bytes: u64,
    /// The part of them that is free: `HugePages_Free` of the default size.
    pub hugetlb_free_bytes: u64,
    /// Swap space: `SwapTotal`.
    pub swap_total_bytes: u64,
    /// Swap space in use.
    pub swap_used_bytes: u64,
    /// Free swap space: `SwapFree`.
    pub swap_free_bytes: u64,
    /// Bytes swapped in since boot: `pswpin`.
    pub swap_in_bytes: u64,
    /// Bytes swapped out since boot: `pswpout`.
    pub swap_out_bytes: u64,
    /// The busy share of all cores over the last second; `None` in the first second.
    pub cpu_percent: Option<f64>,
    /// Cores that the monitor's process may use.
    pub cpus: u64,
    /// Runnable tasks, averaged over 1, 5 and 15 minutes; `None` if the platform has no load average.
    pub load: Option<[f64; 3]>,
    /// The host name.
    pub host: String,
    /// Bytes swapped in and out per second over the last second; `None` in the first second.
    pub swap_rates: Option<[f64; 2]>,
    /// Stalls for lack of memory; `None` if the kernel has no PSI.
    pub pressure: Option<Pressure>,
}

/// The memory that runs out first: the container with a limit, or else the system.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Headline {
    /// `container` or `system`.
    pub scope: &'static str,
    /// Bytes in use.
    pub used_bytes: u64,
    /// Bytes at most.
    pub limit_bytes: u64,
}

impl Headline {
    /// Used in percent of the limit.
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
            oom_kills_seen: 0,
            allocator: Ok(None),
        }
    }
}

impl Memory {
    /// Replaces the figures that are read for viewers by the reason why they were not.
    pub fn forget_costly(&mut self, why: &Unknown) {
        self.handles = Err(why.clone());
        self.threads = Err(why.clone());
        self.mapped = Err(why.clone());
    }

    /// The container's memory if it has a limit, else the system's. Of the container's two limits the smaller counts.
    ///
    /// # Errors
    /// The reason why both are unknown, or why the watched application is unknown.
    pub fn headline(&self) -> Reading<Headline> {
        if self.application.is_some() {
            reading_ref(&self.process)?;
        }
        let container = self.container.as_ref().ok().and_then(Option::as_ref);
        if let Some((container, limit_bytes)) = container.and_then(|it| Some((it, it.nearest_limit_bytes()?))) {
            return Ok(Headline { scope: "container", used_bytes: container.working_set_bytes, limit_bytes });
        }
        let system = reading_ref(&self.system)?;
        Ok(Headline { scope: "system", used_bytes: system.used_bytes, limit_bytes: system.total_bytes })
    }

    /// The stalls of its container for lack of memory, or else those of the system; `None` if the kernel tells neither.
    pub fn pressure(&self) -> Option<Pressure> {
        let container = self.container.as_ref().ok().and_then(Option::as_ref).and_then(|it| it.pressure);
        container.or_else(|| self.system.as_ref().ok().and_then(|system| system.pressure))
    }

    /// The open file descriptors of the process, or of all processes of the application; `None` if some are not
    /// visible.
    pub fn open_descriptors(&self) -> Option<u64> {
        match &self.application {
            Some(application) if !application.processes.is_empty() => {
                application.processes.iter().map(|process| process.descriptors).sum()
            }
            _ => self.descriptors.as_ref().ok().map(|descriptors| descriptors.open),
        }
    }

    /// The system's memory in four parts, in bytes: the process or application, other programs, cache, free.
    ///
    /// # Errors
    /// The reason why the system's memory is unknown.
    pub fn system_parts(&self) -> Reading<[u64; 4]> {
        let system = reading_ref(&self.system)?;
        let own = self.process.as_ref().map_or(0, |process| process.anonymous_bytes + process.hugetlb_bytes);
        let own = own.min(system.used_bytes);
        let free = system.free_bytes.min(system.available_bytes);
        Ok([own, system.used_bytes - own, system.total_bytes - system.used_bytes - free, free])
    }
}
