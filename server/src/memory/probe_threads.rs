//! The readings of the system, each kind on a thread of its own: any file under `/proc` or `/sys` can hang, for example under LXCFS, and
//! so can every path on a network drive.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use watchboard_wire::{Devices, Disk, Memory, PageSharing, Reading, System, ThreadGroup, Unknown};

use super::{
    application::{self, ApplicationProbe, OpenFiles, PageSharingProbe, ProcessGroup},
    container::ContainerProbe,
    descriptors,
    devices::DevicesProbe,
    disks, handles,
    oom_kills::{OomCounters, OomKillCounter},
    process::ProcessProbe,
    smaps,
    system::SystemProbe,
    threads::ThreadsProbe,
    watch::WatchTarget,
};
use crate::{
    clock::now_unix_ms,
    supervision::{AnyProbeThread, ProbeThread, Supervision},
};

/// The kernel walks all pages of a process to report how they are shared.
const SHARED_PAGES_EVERY: Duration = Duration::from_mins(1);

pub(super) struct ProbeThreads {
    system: ProbeThread<(), (Reading<System>, Vec<f32>)>,
    /// The query has the system's memory in bytes.
    processes: ProbeThread<Option<u64>, ProcessesReading>,
    open_files: ProbeThread<ProcessGroup, OpenFiles>,
    threads: ProbeThread<ProcessGroup, Reading<ThreadsReading>>,
    shared_pages: ProbeThread<ProcessGroup, Reading<PageSharing>>,
    devices: ProbeThread<Vec<f32>, Devices>,
    disks: ProbeThread<(), Reading<Vec<Disk>>>,
    /// The application's processes at the last reading; none if it is the monitor's own process.
    members: ProcessGroup,
}

/// The figures of each second of the processes that are watched.
struct ProcessesReading {
    /// Their fields of it; the others are not read.
    memory: Memory,
    members: ProcessGroup,
    /// Those of the monitor's own process; empty if it watches others.
    oom_counters: OomCounters,
}

#[derive(Clone)]
pub(super) struct ThreadsReading {
    pub(super) read_at_unix_ms: u64,
    /// The busiest first.
    pub(super) each: Vec<ThreadGroup>,
}

impl ProbeThreads {
    /// The probes of this application, or at the monitor's own process.
    pub(super) fn new(target: Option<WatchTarget>, supervision: &Supervision) -> Self {
        let is_own = target.is_none();
        Self {
            system: ProbeThread::new("system", supervision, || {
                let mut probe = SystemProbe::new();
                move |()| (probe.read(), probe.cores_percent())
            }),
            processes: match target {
                None => ProbeThread::new("process", supervision, || {
                    let mut probe = ThisProcessProbe {
                        process: ProcessProbe::for_this_process(),
                        container: ContainerProbe::for_this_process(),
                        oom_kills: OomKillCounter::default(),
                    };
                    move |total| probe.read(total)
                }),
                Some(target) => {
                    let of_command_lines = supervision.clone();
                    ProbeThread::new("processes", supervision, move || {
                        let mut probe = ApplicationProbe::new(target.clone(), &of_command_lines);
                        move |total| {
                            let mut memory = Memory::default();
                            probe.read(total, &mut memory);
                            ProcessesReading { memory, members: probe.members(), oom_counters: OomCounters::default() }
                        }
                    })
                }
            },
            open_files: ProbeThread::new("open files and connections", supervision, move || {
                move |members| if is_own { handles::read().into() } else { application::read_open_files(&members) }
            }),
            threads: ProbeThread::new("threads", supervision, move || {
                let mut probe = ThreadsProbe::default();
                move |members| {
                    let each = if is_own { probe.read() } else { application::read_threads(&members, &mut probe) }?;
                    Ok(ThreadsReading { read_at_unix_ms: now_unix_ms(), each })
                }
            }),
            shared_pages: ProbeThread::new("shared pages", supervision, move || {
                let (mut own, mut probe) = (None, PageSharingProbe::default());
                move |members| {
                    if is_own { read_own_shared_pages(&mut own) } else { probe.read(&members, SHARED_PAGES_EVERY) }
                }
            }),
            devices: ProbeThread::new("devices and processes", supervision, || {
                let mut probe = DevicesProbe::default();
                move |cores_percent| probe.read(cores_percent)
            }),
            disks: ProbeThread::new("disks", supervision, || |()| disks::read()),
            members: ProcessGroup::default(),
        }
    }

    /// Reads what is read every second, and waits so long at most. What hung before is not waited for.
    pub(super) fn read_cheap(&mut self, system_total_bytes: Option<u64>, within: Duration) {
        let begun = Instant::now();
        let system = self.system.begin(());
        if self.processes.begin(system_total_bytes) {
            self.processes.wait(within);
        }
        if system {
            self.system.wait(within.saturating_sub(begun.elapsed()));
        }
    }

    pub(super) fn begin_costly(&mut self) {
        self.open_files.begin(self.members.clone());
        self.threads.begin(self.members.clone());
        self.shared_pages.begin(self.members.clone());
    }

    pub(super) fn begin_devices(&mut self) {
        let cores_percent = self.system.reading().map(|(_, cores)| cores.clone()).unwrap_or_default();
        self.devices.begin(cores_percent);
        self.disks.begin(());
    }

    fn all(&self) -> [&dyn AnyProbeThread; 7] {
        let Self { system, processes, open_files, threads, shared_pages, devices, disks, .. } = self;
        [system, processes, open_files, threads, shared_pages, devices, disks]
    }

    fn all_mut(&mut self) -> [&mut dyn AnyProbeThread; 7] {
        let Self { system, processes, open_files, threads, shared_pages, devices, disks, .. } = self;
        [system, processes, open_files, threads, shared_pages, devices, disks]
    }

    /// Takes what has been read; whether there was anything.
    pub(super) fn poll(&mut self) -> bool {
        // Each of them, also after the first.
        self.all_mut().into_iter().filter_map(|probe| probe.poll().then_some(())).count() > 0
    }

    /// Whether a reading is under way for which a viewer should wait; those of the devices come last.
    pub(super) fn are_awaited(&self, with_devices: bool) -> bool {
        let wanted = if with_devices { 7 } else { 5 };
        self.all().into_iter().take(wanted).any(AnyProbeThread::is_awaited)
    }

    /// Readings that hang, in words.
    pub(super) fn overdue(&self) -> impl Iterator<Item = String> {
        self.all().into_iter().filter_map(AnyProbeThread::overdue)
    }

    /// The time of each last reading.
    pub(super) fn durations(&self) -> impl Iterator<Item = (&'static str, Duration)> {
        self.all().into_iter().filter_map(AnyProbeThread::last_duration)
    }

    /// The CPU time of all readings since the last call.
    pub(super) fn take_cpu(&mut self) -> Duration {
        self.all_mut().into_iter().map(AnyProbeThread::take_cpu).sum()
    }

    pub(super) fn members(&self) -> &ProcessGroup {
        &self.members
    }

    pub(super) fn oom_counters(&self) -> OomCounters {
        self.processes.reading().map(|read| read.oom_counters.clone()).unwrap_or_default()
    }

    /// Writes what is read every second.
    pub(super) fn write_cheap(&mut self, memory: &mut Memory) {
        memory.system = self.system.reading().and_then(|(system, _)| system.clone());
        match self.processes.reading() {
            Ok(ProcessesReading { memory: read, members, .. }) => {
                memory.process.clone_from(&read.process);
                memory.descriptors.clone_from(&read.descriptors);
                memory.container.clone_from(&read.container);
                memory.oom_kills_seen = read.oom_kills_seen;
                memory.application.clone_from(&read.application);
                self.members.clone_from(members);
            }
            Err(why) => {
                memory.process = Err(why.clone());
                memory.descriptors = Err(why.clone());
                memory.container = Err(why);
                memory.application.iter_mut().for_each(|application| application.processes.clear());
            }
        }
    }

    /// Writes what is read for viewers, without the threads.
    pub(super) fn write_costly(&self, memory: &mut Memory) {
        if self.has_no_process(memory) {
            memory.handles = Err(application::no_process());
            memory.mapped = Err(application::no_process());
            return;
        }
        let open_files = self.open_files.reading();
        memory.handles = open_files.as_ref().map_err(Unknown::clone).and_then(|open_files| open_files.handles.clone());
        if let (Some(application), Ok(open_files)) = (&mut memory.application, open_files) {
            open_files.fill_rows(application);
        }
        memory.mapped = self.shared_pages.reading().and_then(Clone::clone);
    }
    /// Every thread of the processes.
    pub(super) fn threads(&self, memory: &Memory) -> Reading<&ThreadsReading> {
        if self.has_no_process(memory) {
            return Err(application::no_process());
        }
        self.threads.reading().and_then(|threads| threads.as_ref().map_err(Unknown::clone))
    }

    fn has_no_process(&self, memory: &Memory) -> bool {
        let no_members = memory.application.is_some() && self.members.keys.is_empty();
        no_members && self.processes.reading().is_ok()
    }

    pub(super) fn devices(&self) -> Reading<Devices> {
        self.devices.reading().cloned()
    }

    pub(super) fn disks(&self) -> Reading<Vec<Disk>> {
        self.disks.reading()?.clone()
    }
}

/// The figures of each second of the monitor's own process.
struct ThisProcessProbe {
    process: ProcessProbe,
    container: ContainerProbe,
    oom_kills: OomKillCounter,
}

impl ThisProcessProbe {
    fn read(&mut self, system_total_bytes: Option<u64>) -> ProcessesReading {
        let container = self.container.read();
        self.oom_kills.read();
        if let Some(place) = self.container.place() {
            self.oom_kills.watch(place);
        }
        let memory = Memory {
            process: self.process.read(system_total_bytes),
            descriptors: descriptors::read(),
            container,
            oom_kills_seen: self.oom_kills.count(),
            ..Memory::default()
        };
        ProcessesReading { memory, members: ProcessGroup::default(), oom_counters: self.oom_kills.counters() }
    }
}

/// `last` is the last reading and its time.
fn read_own_shared_pages(last: &mut Option<(Instant, Reading<PageSharing>)>) -> Reading<PageSharing> {
    let fresh = last.take().filter(|(read_at, _)| read_at.elapsed() < SHARED_PAGES_EVERY);
    let read = || (Instant::now(), smaps::read_of(Path::new("/proc/self")));
    last.insert(fresh.unwrap_or_else(read)).1.clone()
}
