//! The application, where that is not the monitor's own process: a master with its workers, or a single one. Found by its address or its
//! id, found again after it was started anew, and read as one.

mod command;
mod find;
mod listeners;
mod member;
mod owners;
mod table;

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use watchboard_wire::{Application, Handles, Memory, PageSharing, Reading, ThreadGroup, Unknown};

use self::{
    find::{Finder, Found},
    member::Member,
    table::Key,
};
use super::{Watch, container::ContainerProbe, handles, process, threads::ThreadsProbe};
use crate::clock::now_unix_ms;

/// Processes that are read; those beyond are counted.
const MOST_PROCESSES: usize = 64;
/// Which processes there are is looked up at one in so many readings, and when one has ended.
const LOOK_EVERY: u64 = 5;
/// Restarts that are remembered.
const MOST_RESTARTS: usize = 50;
/// To see how pages are shared the kernel walks them all: after so long the other processes wait for the next look.
const MAPPED_WITHIN: Duration = Duration::from_millis(50);

pub(super) struct ApplicationProbe {
    finder: Finder,
    /// Those that are read, the main process first; none while it does not run, or cannot be seen.
    members: Vec<Member>,
    unread: usize,
    /// Why there are none.
    why: Unknown,
    readings: u64,
    /// The last that there were.
    known: HashSet<Key>,
    name: String,
    restarts: Vec<u64>,
    gone_since: Option<u64>,
    /// Of the main process.
    container: Option<(Key, ContainerProbe)>,
}

impl ApplicationProbe {
    pub(super) fn new(watch: Watch) -> Self {
        Self {
            finder: Finder::new(watch),
            members: vec![],
            unread: 0,
            why: Unknown::because("not looked for yet"),
            readings: 0,
            known: HashSet::new(),
            name: String::new(),
            restarts: vec![],
            gone_since: None,
            container: None,
        }
    }

    /// Reads what is read every second: the sums of all its processes, and each.
    pub(super) fn read(&mut self, system_total_bytes: Option<u64>, memory: &mut Memory) {
        if self.members.is_empty() || self.readings.is_multiple_of(LOOK_EVERY) {
            self.look();
        }
        self.readings += 1;
        if self.has_ended(system_total_bytes) {
            self.look();
            // Those that have come since; one that ends between the two is noticed with the next reading.
            self.has_ended(system_total_bytes);
        }
        let sum = process::sum(self.members.iter().map(|member| &member.process));
        memory.process = sum.ok_or_else(|| self.why.clone());
        memory.descriptors = self.fullest().ok_or_else(none).and_then(|member| member.descriptors.clone());
        memory.container = match self.members.first() {
            Some(main) => {
                let same = self.container.take().filter(|(key, _)| *key == main.key);
                let of_main = || (main.key, ContainerProbe::of(&main.key.pid.to_string()));
                self.container.insert(same.unwrap_or_else(of_main)).1.read()
            }
            None => Err(none()),
        };
        if self.members.is_empty() {
            memory.handles = Err(none());
            memory.threads = Err(none());
            memory.mapped = Err(none());
        }
        memory.application = Some(self.application());
    }

    /// Reads each process, and drops those that have ended. Whether there were any.
    fn has_ended(&mut self, system_total_bytes: Option<u64>) -> bool {
        let before = self.members.len();
        self.members.retain_mut(|member| member.read(system_total_bytes));
        self.members.len() < before
    }

    /// The process that is nearest to its limit of open files.
    fn fullest(&self) -> Option<&Member> {
        let share = |member: &&Member| {
            let descriptors = member.descriptors.as_ref().ok()?;
            Some(descriptors.open as f64 / descriptors.limit? as f64)
        };
        self.members.iter().max_by(|a, b| share(a).partial_cmp(&share(b)).unwrap_or(std::cmp::Ordering::Equal))
    }

    fn application(&self) -> Application {
        Application {
            found_by: self.finder.watch.to_string(),
            name: self.name.clone(),
            processes: self.members.iter().enumerate().map(|(place, member)| member.row(place == 0)).collect(),
            unread_processes: self.unread as u32,
            restarted_at_unix_ms: self.restarts.clone(),
            gone_since_unix_ms: self.gone_since,
        }
    }

    /// Looks which processes there are.
    fn look(&mut self) {
        match self.finder.find() {
            Ok(found) => {
                self.take(&found);
                if self.gone_since.take().is_some() {
                    tracing::info!("the application runs: {}, {}", self.name, self.finder.watch);
                }
            }
            Err(why) => {
                match (self.finder.is_gone, self.gone_since) {
                    (true, None) => {
                        self.gone_since = Some(now_unix_ms());
                        tracing::warn!("the application does not run: {why}");
                    }
                    (false, Some(_)) => {
                        self.gone_since = None;
                        tracing::info!("the application cannot be seen: {why}");
                    }
                    _ => {}
                }
                self.members.clear();
                (self.unread, self.why) = (0, why);
            }
        }
    }

    /// Makes these the processes that are read; those that were among them stay as they were.
    fn take(&mut self, found: &Found) {
        let keys: HashSet<Key> = found.processes.iter().copied().collect();
        if self.known.is_disjoint(&keys) {
            if !self.known.is_empty() {
                self.restarts.push(now_unix_ms());
                let excess = self.restarts.len().saturating_sub(MOST_RESTARTS);
                self.restarts.drain(..excess);
            }
            // Workers that go on without their master are still what it was.
            self.name = found.processes.first().map(|main| command::called(main.pid)).unwrap_or_default();
        }
        self.known = keys;
        self.unread = found.processes.len().saturating_sub(MOST_PROCESSES);
        let mut before = std::mem::take(&mut self.members);
        for key in found.processes.iter().take(MOST_PROCESSES) {
            let known = before.iter().position(|member| member.key == *key).map(|place| before.swap_remove(place));
            self.members.push(known.unwrap_or_else(|| Member::new(*key, found.owners.contains(&key.pid))));
        }
    }

    /// Looks at all that its processes have open. Files count for each process that has them open, a socket counts once.
    pub(super) fn read_open(&mut self, memory: &mut Memory) {
        let sockets = self.finder.sockets();
        self.members.iter_mut().for_each(|member| member.read_open(sockets));
        memory.handles = self.handles();
        memory.application = Some(self.application());
    }

    fn handles(&self) -> Reading<Handles> {
        let main = self.members.iter().find_map(Member::folder).ok_or_else(none)?;
        let mut handles = Handles { read_at_unix_ms: now_unix_ms(), ..Handles::default() };
        let mut sockets = HashSet::new();
        for open in self.members.iter().filter_map(|member| member.open.as_ref()) {
            let open = open.as_ref().map_err(Unknown::clone)?;
            handles.open_files += open.open_files;
            sockets.extend(&open.sockets);
        }
        handles.connections = handles::connections(&main, &sockets)?;
        Ok(handles)
    }

    /// Every thread of all its processes.
    pub(super) fn read_threads(&self, threads: &mut ThreadsProbe) -> Reading<Vec<ThreadGroup>> {
        let folders: Vec<_> = self.members.iter().filter_map(Member::folder).collect();
        if folders.is_empty() {
            return Err(none());
        }
        threads.read_of(&folders, std::collections::HashMap::new())
    }

    /// How the pages of each process are shared, added up; some of them at a time.
    pub(super) fn read_mapped(&mut self, every: Duration) -> Reading<PageSharing> {
        let started = Instant::now();
        for member in &mut self.members {
            if started.elapsed() >= MAPPED_WITHIN {
                break;
            }
            member.read_mapped(every);
        }
        let mut sum = PageSharing { read_at_unix_ms: u64::MAX, ..PageSharing::default() };
        for member in &self.members {
            let Some((_, mapped)) = &member.mapped else {
                return Err(Unknown::because("not read yet of all processes: some are read at a time"));
            };
            let mapped = mapped.as_ref().map_err(Unknown::clone)?;
            sum.read_at_unix_ms = sum.read_at_unix_ms.min(mapped.read_at_unix_ms);
            sum.uss_bytes += mapped.uss_bytes;
            sum.pss_bytes += mapped.pss_bytes;
        }
        if self.members.is_empty() { Err(none()) } else { Ok(sum) }
    }
}

/// Why nothing else is known where there is no process; why there is none is the process's own reason.
fn none() -> Unknown {
    Unknown::because("there is no process of the application to be seen")
}
