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
mod oom_kills;
mod pressure;
mod process;
mod smaps;
mod sockets;
mod stat;
mod system;
mod text;
mod threads;
mod watch;

use std::time::{Duration, Instant};

use watchboard_wire::{Devices, Memory, Reading, ThreadGroup, Threads, Unknown};

pub use self::watch::Watch;
use self::{
    application::ApplicationProbe, container::ContainerProbe, devices::DevicesProbe, oom_kills::OomKillCounter,
    process::ProcessProbe, system::SystemProbe, threads::ThreadsProbe,
};
use crate::clock::now_unix_ms;

/// The costly probes are read for viewers, and no more often than this.
const COSTLY_EVERY: Duration = Duration::from_secs(5);
/// The kernel walks all pages of the process for this probe.
const MAPPED_EVERY: Duration = Duration::from_mins(1);
/// Threads in the snapshot and in `/health`.
const BUSIEST: usize = 5;

/// The probes, with their state between readings.
pub(crate) struct Probes {
    subject: Subject,
    threads: ThreadsProbe,
    system: SystemProbe,
    devices: DevicesProbe,
    last: Memory,
    every_thread: Reading<Vec<ThreadGroup>>,
    costly_at: Option<Instant>,
    mapped_at: Option<Instant>,
    times: ProbeTimes,
}

/// The processes whose memory is watched.
enum Subject {
    ThisProcess(Box<(ProcessProbe, ContainerProbe, OomKillCounter)>),
    Application(Box<ApplicationProbe>),
}

/// The time of each probe's last reading, in microseconds.
#[derive(Default)]
pub(crate) struct ProbeTimes(Vec<(&'static str, u64)>);

impl ProbeTimes {
    pub(crate) fn time<T>(&mut self, name: &'static str, work: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let done = work();
        let us = started.elapsed().as_micros() as u64;
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, last)) => *last = us,
            None => self.0.push((name, us)),
        }
        done
    }

    pub(crate) fn to_vec(&self) -> Vec<(String, u64)> {
        self.0.iter().map(|(name, us)| ((*name).to_owned(), *us)).collect()
    }
}

impl Probes {
    /// Probes of this application, or of the monitor's own process.
    pub(crate) fn new(watch: Option<Watch>) -> Self {
        let this_process = || {
            Subject::ThisProcess(Box::new((
                ProcessProbe::for_this_process(),
                ContainerProbe::for_this_process(),
                OomKillCounter::default(),
            )))
        };
        Self {
            subject: watch
                .map_or_else(this_process, |watch| Subject::Application(Box::new(ApplicationProbe::new(watch)))),
            threads: ThreadsProbe::default(),
            system: SystemProbe::new(),
            devices: DevicesProbe::default(),
            last: Memory::default(),
            every_thread: Err(Unknown::because("not read yet")),
            costly_at: None,
            mapped_at: None,
            times: ProbeTimes::default(),
        }
    }

    /// Reads the cheap probes, and if `watched` the costly ones that are due. The others keep their last figures, with their time.
    /// It blocks: call it off the async threads.
    pub(crate) fn read(&mut self, watched: bool) -> Memory {
        let Self { times, last, .. } = self;
        last.system = times.time("system", || self.system.read());
        let total = last.system.as_ref().ok().map(|system| system.total_bytes);
        match &mut self.subject {
            Subject::ThisProcess(probes) => {
                let (process, container, oom_kills) = &mut **probes;
                last.process = times.time("process", || process.read(total));
                last.descriptors = descriptors::read();
                last.container = times.time("container", || container.read());
                oom_kills.read();
                if let Some(place) = container.place() {
                    oom_kills.watch(place);
                }
                last.oom_kills_seen = oom_kills.count();
                last.heap = heap::read();
                last.allocator = allocator::read();
            }
            // No other process knows the figures of its allocator.
            Subject::Application(application) => times.time("processes", || application.read(total, last)),
        }
        if watched {
            self.read_costly();
        }
        self.last.clone()
    }

    /// Reads the costly probes that are due, for a viewer; whether there were any.
    pub(crate) fn read_costly(&mut self) -> bool {
        if !is_due(&mut self.costly_at, COSTLY_EVERY) {
            return false;
        }
        let Self { times, last, threads, .. } = self;
        self.every_thread = match &mut self.subject {
            Subject::ThisProcess(_) => {
                last.handles = times.time("open files and connections", handles::read);
                times.time("threads", || threads.read())
            }
            Subject::Application(application) => {
                times.time("open files and connections", || application.read_open(last));
                times.time("threads", || application.read_threads(threads))
            }
        };
        let busiest = |threads: &Vec<ThreadGroup>| Threads {
            read_at_unix_ms: now_unix_ms(),
            busiest: threads.iter().take(BUSIEST).map(|thread| thread.sum.clone()).collect(),
        };
        last.threads = self.every_thread.as_ref().map(busiest).map_err(Unknown::clone);
        match &mut self.subject {
            Subject::ThisProcess(_) if is_due(&mut self.mapped_at, MAPPED_EVERY) => {
                last.mapped = times.time("shared pages", smaps::read);
            }
            Subject::ThisProcess(_) => {}
            Subject::Application(application) => {
                last.mapped = times.time("shared pages", || application.read_mapped(MAPPED_EVERY));
            }
        }
        true
    }

    pub(crate) fn last(&self) -> &Memory {
        &self.last
    }

    /// All threads of the last reading, grouped by name.
    pub(crate) fn threads_by_name(&self) -> Reading<Vec<ThreadGroup>> {
        self.every_thread.as_ref().map(|threads| threads::group_by_name(threads)).map_err(Unknown::clone)
    }

    /// Reads the devices of the machine, for the memory view.
    pub(crate) fn devices(&mut self) -> Devices {
        let cores = self.system.cores_percent();
        self.times.time("devices and processes", || self.devices.read(cores))
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
