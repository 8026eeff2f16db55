//! The application, if that is not the monitor's own process: a master with its workers, or a single process. It is found by its
//! address or its id, found again after a restart, and read as one.

mod command;
mod end;
mod find;
mod forwarders;
mod interpreter;
mod listeners;
mod member;
mod members;
mod owners;
mod table;
mod unix_listeners;

use std::{collections::HashSet, time::Duration};

use watchboard_wire::{Application, Container, Memory, ProcessEnd, Reading, Unknown};

pub(super) use self::members::{OpenFiles, PageSharingProbe, ProcessGroup, no_process, read_open_files, read_threads};
use self::{
    command::CommandLine,
    end::LastSeen,
    find::{Finder, ProcessTree, SearchFailure},
    member::ProcessMember,
    table::ProcessKey,
};
use super::{
    container::ContainerProbe,
    names,
    oom_kills::OomKillCounter,
    process,
    watch::{Watch, WatchTarget},
};
use crate::{
    clock::now_unix_ms,
    supervision::{ProbeThread, Supervision},
};

/// So many processes are read; further ones are counted.
const MAX_PROCESSES: usize = 64;
/// One reading in so many searches the processes, and each reading that finds one ended.
const LOOK_EVERY: u64 = 5;
/// Restarts that are remembered.
const MAX_RESTARTS: usize = 50;
/// The kernel takes microseconds for a command line. It waits for a process whose memory is locked, which may be for ever.
const COMMAND_WITHIN: Duration = Duration::from_millis(100);

pub(super) struct ApplicationProbe {
    target: WatchTarget,
    finder: Finder,
    /// Reads command lines, with the id of their process.
    commands: ProbeThread<u32, (u32, CommandLine)>,
    /// The processes that are read, the main process first; empty while it does not run or cannot be seen.
    members: Vec<ProcessMember>,
    unread: usize,
    /// Why there are no members.
    unseen: Unknown,
    readings: u64,
    /// The processes of the last search.
    known: HashSet<ProcessKey>,
    name: String,
    restarts: Vec<u64>,
    restart_count: u64,
    gone_since: Option<u64>,
    /// Of the main process.
    container: Option<(ProcessKey, ContainerProbe)>,
    oom_kills: OomKillCounter,
    /// How its main process ended, if that was seen.
    wait_status: Option<i32>,
    last_seen: LastSeen,
    last_end: Option<ProcessEnd>,
}

impl ApplicationProbe {
    pub(super) fn new(target: WatchTarget, supervision: &Supervision) -> Self {
        Self {
            finder: Finder::new(target.watch()),
            target,
            commands: ProbeThread::new("command lines", supervision, || |pid| (pid, CommandLine::from_process(pid))),
            members: vec![],
            unread: 0,
            unseen: Unknown::because("not looked for yet"),
            readings: 0,
            known: HashSet::new(),
            name: String::new(),
            restarts: vec![],
            restart_count: 0,
            gone_since: None,
            container: None,
            oom_kills: OomKillCounter::default(),
            wait_status: None,
            last_seen: LastSeen::default(),
            last_end: None,
        }
    }

    /// The reading of each second: each process, and their sums.
    pub(super) fn read(&mut self, system_total_bytes: Option<u64>, memory: &mut Memory) {
        // First: the kernel counts a kill before its process has ended.
        self.oom_kills.read();
        self.follow_target();
        if self.members.is_empty() || self.readings.is_multiple_of(LOOK_EVERY) {
            self.search_processes();
        }
        self.readings += 1;
        if self.refresh_members(system_total_bytes) {
            self.search_processes();
            // New processes are read too; one that ends between the two is noticed at the next reading.
            self.refresh_members(system_total_bytes);
        }
        let sum = process::sum(self.members.iter().map(|member| &member.process));
        // A sum without one of its parts is no sum.
        let unread = self.members.iter().find_map(|member| member.unread.clone());
        memory.process = sum.ok_or_else(|| self.unseen.clone()).and_then(|sum| unread.map_or(Ok(sum), Err));
        memory.descriptors = self.fullest().ok_or_else(no_process).and_then(|member| member.descriptors.clone());
        memory.container = self.read_container();
        memory.oom_kills_seen = self.oom_kills.count();
        if let Ok(process) = &memory.process {
            let container = memory.container.clone().ok().flatten();
            self.last_seen = LastSeen { at_unix_ms: now_unix_ms(), rss_bytes: process.rss_bytes, container };
        }
        memory.application = Some(self.application());
    }

    /// Watches another process if the target has changed. What is known of the one before is no past of the new one.
    fn follow_target(&mut self) {
        let watch = self.target.watch();
        if watch == self.finder.watch {
            return;
        }
        if !matches!(watch, Watch::Unseen(_)) {
            tracing::info!("the watched application is the one {watch}");
        }
        self.finder = Finder::new(watch);
        self.known.clear();
        self.name.clear();
        (self.gone_since, self.wait_status, self.last_end) = (None, None, None);
        self.clear(Unknown::because("not looked for yet"));
    }

    /// The processes of the last reading, for the costly readings.
    pub(super) fn members(&self) -> ProcessGroup {
        let keys = self.members.iter().map(|member| member.key).collect();
        ProcessGroup { keys, sockets: self.finder.sockets().clone() }
    }

    /// The control group of the main process.
    fn read_container(&mut self) -> Reading<Option<Container>> {
        let Some(main) = self.members.first() else { return Err(no_process()) };
        let same = self.container.take().filter(|(key, _)| *key == main.key);
        let of_main = || (main.key, ContainerProbe::for_process(main.folder()));
        let (_, probe) = self.container.insert(same.unwrap_or_else(of_main));
        let container = probe.read();
        if let Some(place) = probe.place() {
            self.oom_kills.watch(place);
        }
        container
    }

    /// The name of the application with this main process.
    fn main_name(&mut self, pid: u32) -> String {
        let name = self
            .command_line(pid)
            .map_or_else(|| names::masked(&table::name(pid)).unwrap_or_default(), |line| line.name);
        if name.is_empty() { command::NAMELESS.to_owned() } else { name }
    }

    /// The command line of a process; `None` if it gives no answer.
    fn command_line(&mut self, pid: u32) -> Option<CommandLine> {
        if self.commands.begin(pid) {
            self.commands.wait(COMMAND_WITHIN);
        }
        let (_, line) = self.commands.reading().ok().filter(|(of, _)| *of == pid)?;
        Some(line.clone())
    }

    /// Reads each process and drops those that have ended; whether there were any.
    fn refresh_members(&mut self, system_total_bytes: Option<u64>) -> bool {
        let before = self.members.len();
        let mut is_main = true;
        self.members.retain_mut(|member| {
            let runs = member.read(system_total_bytes);
            if std::mem::take(&mut is_main) && !runs {
                self.wait_status = member.wait_status();
            }
            runs
        });
        self.members.len() < before
    }

    /// All its processes have ended, or others have taken their place.
    fn note_end(&mut self) {
        self.oom_kills.read();
        let end = end::explain_end(self.oom_kills.explain_end(), self.wait_status.take(), &self.last_seen);
        tracing::warn!("the application ({}) has ended: {}", self.finder.watch, end.reason);
        self.last_end = Some(end);
    }

    /// The process that is nearest to its limit of open files.
    fn fullest(&self) -> Option<&ProcessMember> {
        let share = |member: &&ProcessMember| {
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
            restarts: self.restart_count,
            gone_since_unix_ms: self.gone_since,
            last_end: self.last_end.clone(),
            unresolved: self.target.unresolved(),
        }
    }

    /// Finds the processes of the application.
    fn search_processes(&mut self) {
        match self.finder.find_processes() {
            Ok(found) => {
                self.take(&found);
                if self.gone_since.take().is_some() {
                    tracing::info!("the application runs: {}, {}", self.name, self.finder.watch);
                }
            }
            Err(SearchFailure::Gone(why)) => {
                if self.gone_since.is_none() {
                    self.gone_since = Some(now_unix_ms());
                    if !self.known.is_empty() {
                        self.note_end();
                    }
                    tracing::warn!("the application does not run: {why}");
                }
                self.clear(why);
            }
            Err(SearchFailure::Unseen(why)) => {
                if self.gone_since.take().is_some() {
                    tracing::info!("the application cannot be seen: {why}");
                }
                self.clear(why);
            }
            // The processes of the last search are read on, if there are any.
            Err(SearchFailure::Failed(why)) => self.unseen = why,
        }
    }

    fn clear(&mut self, why: Unknown) {
        self.members.clear();
        (self.unread, self.unseen) = (0, why);
    }

    /// Makes these the members. Those that are members already keep their state.
    fn take(&mut self, found: &ProcessTree) {
        let keys: HashSet<ProcessKey> = found.processes.iter().copied().collect();
        let goes_on = !self.known.is_disjoint(&keys);
        if goes_on {
            // How a process ended without which the application goes on is not how that ended.
            self.wait_status = None;
        } else {
            if !self.known.is_empty() {
                if self.gone_since.is_none() {
                    self.note_end();
                }
                self.restart_count += 1;
                self.restarts.push(now_unix_ms());
                let excess = self.restarts.len().saturating_sub(MAX_RESTARTS);
                self.restarts.drain(..excess);
            }
            // Workers that go on without their master are still the application.
            self.name = found.processes.first().map(|main| self.main_name(main.pid)).unwrap_or_default();
        }
        self.known = keys;
        self.unread = found.processes.len().saturating_sub(MAX_PROCESSES);
        let mut before = std::mem::take(&mut self.members);
        for key in found.processes.iter().take(MAX_PROCESSES) {
            let known = before.iter().position(|member| member.key == *key).map(|place| before.swap_remove(place));
            let member = known.unwrap_or_else(|| {
                let command = self.command_line(key.pid).map(|line| line.shown);
                ProcessMember::new(*key, found.owners.contains(&key.pid), command)
            });
            self.members.push(member);
        }
    }
}
