//! Memory analytics: one probe in each file. Each reads figures of the kernel and returns them, or why it cannot.

mod allocator;
mod application;
mod cgroup;
mod container;
mod cpu;
mod cpu_quota;
mod descriptors;
mod devices;
mod disks;
mod failure;
mod handles;
mod heap;
mod heaviest;
mod names;
mod oom_kills;
mod pressure;
mod probe_threads;
mod process;
mod smaps;
mod sockets;
mod stat;
mod system;
mod text;
mod threads;
mod watch;

use std::time::{Duration, Instant};

use watchboard_wire::{Application, Devices, Disk, Memory, Reading, ThreadGroup, Threads};

pub(crate) use self::oom_kills::OomCounters;
pub use self::watch::{Watch, WatchTarget};
use self::{container::ContainerProbe, probe_threads::ProbeThreads};
use crate::supervision::{PROBE_WITHIN, Supervision};

/// The costly probes are read for viewers, and no more often than this: at every fourth tick.
const COSTLY_EVERY: Duration = Duration::from_millis(3_500);
/// The sampler waits this long at most for the readings of each second. They take a millisecond.
const CHEAP_WITHIN: Duration = Duration::from_secs(1);
/// Threads in the snapshot and in `/health`.
const BUSIEST: usize = 5;

/// The memory that this process may take, in bytes: the smallest limit of its control groups, or the system's memory. `None` if neither
/// can be read.
///
/// ```
/// assert!(watchboard::memory_limit_bytes().is_some_and(|bytes| bytes > 0));
/// ```
#[must_use]
pub fn memory_limit_bytes() -> Option<u64> {
    let container = ContainerProbe::for_this_process().read().ok().flatten().and_then(|group| group.limit_bytes);
    let total = text::read("/proc/meminfo").ok().and_then(|meminfo| Some(text::field(&meminfo, "MemTotal:")? << 10));
    container.into_iter().chain(total).min()
}

/// The probes, with their state between readings. Each reads on a thread of its own, since the kernel or a file system may let it wait.
pub(crate) struct Probes {
    probe_threads: ProbeThreads,
    last: Memory,
    costly_at: Option<Instant>,
    devices_at: Option<Instant>,
    times: ProbeTimes,
}

/// The time of each probe's last reading, in microseconds.
#[derive(Default)]
pub(crate) struct ProbeTimes(Vec<(&'static str, u64)>);

impl ProbeTimes {
    pub(crate) fn time<T>(&mut self, name: &'static str, work: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let done = work();
        self.set(name, started.elapsed());
        done
    }

    fn set(&mut self, name: &'static str, elapsed: Duration) {
        let us = elapsed.as_micros() as u64;
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, last)) => *last = us,
            None => self.0.push((name, us)),
        }
    }

    pub(crate) fn to_vec(&self) -> Vec<(String, u64)> {
        self.0.iter().map(|(name, us)| ((*name).to_owned(), *us)).collect()
    }
}

impl Probes {
    /// Probes of this application, or of the monitor's own process.
    pub(crate) fn new(target: Option<WatchTarget>, supervision: &Supervision) -> Self {
        let found_by = target.as_ref().map(|target| target.watch().to_string());
        let application = found_by.map(|found_by| Application { found_by, ..Application::default() });
        Self {
            probe_threads: ProbeThreads::new(target, supervision),
            last: Memory { application, ..Memory::default() },
            costly_at: None,
            devices_at: None,
            times: ProbeTimes::default(),
        }
    }

    /// Reads the cheap probes, and if `watched` begins to read the costly ones that are due. Takes
    /// [`CHEAP_WITHIN`] at most.
    pub(crate) fn read(&mut self, watched: bool) -> Memory {
        self.probe_threads.read_cheap(self.last.system.as_ref().ok().map(|system| system.total_bytes), CHEAP_WITHIN);
        let before = self.probe_threads.members().clone();
        self.probe_threads.write_cheap(&mut self.last);
        if before != *self.probe_threads.members() {
            // The costly figures are those of other processes.
            self.costly_at = None;
        }
        // No other process knows the figures of its allocator.
        if self.last.application.is_none() {
            self.last.heap = heap::read();
            self.last.allocator = allocator::read();
        }
        if watched {
            self.begin_costly();
        }
        self.probe_threads.poll();
        self.write_costly();
        self.last.clone()
    }

    /// What the kernel has killed for want of memory around this process.
    pub(crate) fn oom_counters(&self) -> OomCounters {
        self.probe_threads.oom_counters()
    }

    /// Begins to read the costly probes that are due.
    pub(crate) fn begin_costly(&mut self) {
        if is_due(&mut self.costly_at, COSTLY_EVERY) {
            self.probe_threads.begin_costly();
        }
    }

    /// Begins to read the devices of the machine, for the memory view.
    pub(crate) fn begin_devices(&mut self) {
        if is_due(&mut self.devices_at, COSTLY_EVERY) {
            self.probe_threads.begin_devices();
        }
    }

    /// Whether readings are under way for which a viewer should wait, [`PROBE_WITHIN`] at most.
    pub(crate) fn are_awaited(&self, with_devices: bool) -> bool {
        let begun = [self.costly_at, self.devices_at.filter(|_| with_devices)];
        // Most of the time this need not be looked up.
        begun.into_iter().flatten().any(|at| at.elapsed() < 2 * PROBE_WITHIN)
            && self.probe_threads.are_awaited(with_devices)
    }

    /// Takes the costly readings that have ended, or that somebody does not wait for any longer; whether the figures are others now. The cheap
    /// ones are the tick's, as its findings are.
    pub(crate) fn update(&mut self, is_requested: bool) -> bool {
        // The time for which one has hung is among the figures.
        let changes = self.probe_threads.poll() || is_requested || self.probe_threads.overdue().next().is_some();
        if changes {
            self.write_costly();
        }
        changes
    }

    fn write_costly(&mut self) {
        self.probe_threads.durations().for_each(|(name, elapsed)| self.times.set(name, elapsed));
        let Self { probe_threads, last, .. } = self;
        probe_threads.write_costly(last);
        last.threads = probe_threads.threads(last).map(|threads| Threads {
            read_at_unix_ms: threads.read_at_unix_ms,
            busiest: threads.each.iter().take(BUSIEST).map(|thread| thread.sum.clone()).collect(),
        });
    }

    pub(crate) fn last(&self) -> &Memory {
        &self.last
    }

    /// Readings that hang, in words.
    pub(crate) fn overdue(&self) -> Vec<String> {
        self.probe_threads.overdue().collect()
    }

    /// All threads of the last reading, grouped by name.
    pub(crate) fn threads_by_name(&self) -> Reading<Vec<ThreadGroup>> {
        self.probe_threads.threads(&self.last).map(|threads| threads::group_by_name(&threads.each))
    }

    /// The devices of the machine, at the last reading.
    pub(crate) fn devices(&self) -> Reading<Devices> {
        self.probe_threads.devices()
    }

    /// The mounted file systems, at the last reading.
    pub(crate) fn disks(&self) -> Reading<Vec<Disk>> {
        self.probe_threads.disks()
    }

    /// The CPU time of the readings since the last call.
    pub(crate) fn take_cpu(&mut self) -> Duration {
        self.probe_threads.take_cpu()
    }

    pub(crate) fn times(&mut self) -> &mut ProbeTimes {
        &mut self.times
    }
}

/// Whether so much time has passed since the last time that it was due.
fn is_due(last: &mut Option<Instant>, every: Duration) -> bool {
    let now = Instant::now();
    let due = last.is_none_or(|last| now.duration_since(last) >= every);
    if due {
        *last = Some(now);
    }
    due
}
