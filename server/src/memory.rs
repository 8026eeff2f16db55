//! Memory analytics: one probe a file. Each reads the kernel's own figures and answers with them, or with why it cannot.

mod allocator;
mod application;
mod container;
mod cpu;
mod descriptors;
mod devices;
mod handles;
mod heap;
mod mapped;
#[cfg(test)]
mod measures;
mod pressure;
mod process;
mod stat;
mod system;
mod text;
mod threads;
mod watch;

use std::time::{Duration, Instant};

use procfs::ProcError;
use watchboard_wire::{Devices, Memory, Reading, ThreadGroup, Threads, Unknown};

pub use self::watch::Watch;
use self::{
    application::ApplicationProbe, container::ContainerProbe, devices::DevicesProbe, process::ProcessProbe,
    system::SystemProbe, threads::ThreadsProbe,
};
use crate::clock::now_unix_ms;

/// The costly probes are read while somebody looks, and no more often than this.
const COSTLY_EVERY: Duration = Duration::from_secs(5);
/// The kernel walks all pages of the process for this one.
const MAPPED_EVERY: Duration = Duration::from_mins(1);
/// Threads in the snapshot, as `/health` has had it from the first.
const BUSIEST: usize = 5;

/// The probes, with what they remember between readings.
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

/// Whose memory is watched.
enum Subject {
    Own(Box<(ProcessProbe, ContainerProbe)>),
    Application(Box<ApplicationProbe>),
}

/// How long each probe took last, in microseconds.
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

    pub(crate) fn all(&self) -> Vec<(String, u64)> {
        self.0.iter().map(|(name, us)| ((*name).to_owned(), *us)).collect()
    }
}

impl Probes {
    /// Of the application that is named, or of the monitor's own process.
    pub(crate) fn new(watch: Option<Watch>) -> Self {
        let own = || Subject::Own(Box::new((ProcessProbe::own(), ContainerProbe::own())));
        Self {
            subject: watch.map_or_else(own, |watch| Subject::Application(Box::new(ApplicationProbe::new(watch)))),
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

    /// Reads everything cheap, and if `watched` the costly ones that are due. What is not read keeps its last figures, with their time.
    /// To be called off the async threads.
    pub(crate) fn read(&mut self, watched: bool) -> Memory {
        let Self { times, last, .. } = self;
        last.system = times.time("system", || self.system.read());
        let total = last.system.as_ref().ok().map(|system| system.total_bytes);
        match &mut self.subject {
            Subject::Own(probes) => {
                let (process, container) = &mut **probes;
                last.process = times.time("process", || process.read(total));
                last.descriptors = descriptors::read();
                last.container = times.time("container", || container.read());
                last.heap = heap::read();
                last.allocator = allocator::read();
            }
            // What its own allocator does is known to no other process.
            Subject::Application(application) => times.time("processes", || application.read(total, last)),
        }
        if watched {
            self.read_costly();
        }
        self.last.clone()
    }

    /// Reads the costly probes that are due, for somebody who looks. Whether there were any.
    pub(crate) fn read_costly(&mut self) -> bool {
        if !is_due(&mut self.costly_at, COSTLY_EVERY) {
            return false;
        }
        let Self { times, last, threads, .. } = self;
        self.every_thread = match &mut self.subject {
            Subject::Own(_) => {
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
            Subject::Own(_) if is_due(&mut self.mapped_at, MAPPED_EVERY) => {
                last.mapped = times.time("shared pages", mapped::read);
            }
            Subject::Own(_) => {}
            Subject::Application(application) => {
                last.mapped = times.time("shared pages", || application.read_mapped(MAPPED_EVERY));
            }
        }
        true
    }

    pub(crate) fn last(&self) -> &Memory {
        &self.last
    }

    /// Every thread, together with those of the same name, as they were read last.
    pub(crate) fn threads_by_name(&self) -> Reading<Vec<ThreadGroup>> {
        self.every_thread.as_ref().map(|threads| threads::grouped(threads)).map_err(Unknown::clone)
    }

    /// Reads the machine's devices, for the memory view alone.
    pub(crate) fn devices(&mut self) -> Devices {
        let cores = self.system.cores_percent();
        self.times.time("devices and processes", || self.devices.read(cores))
    }

    pub(crate) fn times(&mut self) -> &mut ProbeTimes {
        &mut self.times
    }
}

/// Whether so much time has passed since the last time that it was.
fn is_due(last: &mut Option<Instant>, every: Duration) -> bool {
    let now = Instant::now();
    let due = last.is_none_or(|last| now.duration_since(last) >= every);
    if due {
        *last = Some(now);
    }
    due
}

/// Names what could not be read of a process, and what to do where that was refused.
fn readable<T, E: Into<ProcError>>(what: &str, result: Result<T, E>) -> Reading<T> {
    result.map_err(|error| match error.into() {
        ProcError::PermissionDenied(_) => Unknown::because(format!(
            "{what} may not be read: it is another user's process, or has changed its user. Run this one as the same user, or with \
             CAP_SYS_PTRACE."
        )),
        error => Unknown::because(format!("cannot read {what}: {error}")),
    })
}

/// Names what could not be read.
fn unreadable<T, E: std::fmt::Display>(what: &str, result: Result<T, E>) -> Reading<T> {
    result.map_err(|error| Unknown::because(format!("cannot read {what}: {error}")))
}
