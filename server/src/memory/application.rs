//! The application, if that is not the monitor's own process: a master with its workers, or a single process. It is found by its
//! address or its id, found again after a restart, and read as one.

mod command;
mod find;
mod listeners;
mod member;
mod members;
mod owners;
mod table;

use std::{collections::HashSet, time::Duration};

use watchboard_wire::{Application, Memory, Unknown};

pub(super) use self::members::{OpenFiles, PageSharingProbe, ProcessGroup, no_process, read_open_files, read_threads};
use self::{
    find::{Finder, ProcessTree},
    member::ProcessMember,
    table::ProcessKey,
};
use super::{container::ContainerProbe, process, watch::Watch};
use crate::{
    clock::now_unix_ms,
    sync::supervision::{Lookout, Supervision},
};

/// So many processes are read; further ones are counted.
const MOST_PROCESSES: usize = 64;
/// One reading in so many searches the processes, and each reading that finds one ended.
const LOOK_EVERY: u64 = 5;
/// Restarts that are remembered.
const MOST_RESTARTS: usize = 50;
/// The kernel takes microseconds for a command line. It waits for a process whose memory is locked, which may be for ever.
const COMMAND_WITHIN: Duration = Duration::from_millis(100);

pub(super) struct ApplicationProbe {
    finder: Finder,
    /// Reads command lines, with the id of their process.
    commands: Lookout<u32, (u32, Vec<String>)>,
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
    gone_since: Option<u64>,
    /// Of the main process.
    container: Option<(ProcessKey, ContainerProbe)>,
}

impl ApplicationProbe {
    pub(super) fn new(watch: Watch, supervision: &Supervision) -> Self {
        Self {
            finder: Finder::new(watch),
            commands: Lookout::new("command lines", supervision, || |pid| (pid, command::read(pid))),
            members: vec![],
            unread: 0,
            unseen: Unknown::because("not looked for yet"),
            readings: 0,
            known: HashSet::new(),
            name: String::new(),
            restarts: vec![],
            gone_since: None,
            container: None,
        }
    }

    /// The reading of each second: each process, and their sums.
    pub(super) fn read(&mut self, system_total_bytes: Option<u64>, memory: &mut Memory) {
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
        memory.process = sum.ok_or_else(|| self.unseen.clone());
        memory.descriptors = self.fullest().ok_or_else(no_process).and_then(|member| member.descriptors.clone());
        memory.container = match self.members.first() {
            Some(main) => {
                let same = self.container.take().filter(|(key, _)| *key == main.key);
                let of_main = || (main.key, ContainerProbe::for_process(&main.key.pid.to_string()));
                self.container.insert(same.unwrap_or_else(of_main)).1.read()
            }
            None => Err(no_process()),
        };
        memory.application = Some(self.application());
    }

    /// The processes of the last reading, for the costly readings.
    pub(super) fn members(&self) -> ProcessGroup {
        let keys = self.members.iter().map(|member| member.key).collect();
        ProcessGroup { keys, sockets: self.finder.sockets().clone() }
    }

    /// The name of the application with this main process.
    fn main_name(&mut self, pid: u32) -> String {
        match &*self.command_line(pid) {
            [] => table::name(pid),
            words => command::application_name(words),
        }
    }

    /// The command line of a process; empty if it cannot be read.
    fn command_line(&mut self, pid: u32) -> Vec<String> {
        if self.commands.begin(pid) {
            self.commands.wait(COMMAND_WITHIN);
        }
        let words = self.commands.reading().ok().filter(|(of, _)| *of == pid);
        words.map(|(_, words)| words.clone()).unwrap_or_default()
    }

    /// Reads each process and drops those that have ended; whether there were any.
    fn refresh_members(&mut self, system_total_bytes: Option<u64>) -> bool {
        let before = self.members.len();
        self.members.retain_mut(|member| member.read(system_total_bytes));
        self.members.len() < before
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
            gone_since_unix_ms: self.gone_since,
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
                (self.unread, self.unseen) = (0, why);
            }
        }
    }

    /// Makes these the members. Members that are among them keep their state.
    fn take(&mut self, found: &ProcessTree) {
        let keys: HashSet<ProcessKey> = found.processes.iter().copied().collect();
        if self.known.is_disjoint(&keys) {
            if !self.known.is_empty() {
                self.restarts.push(now_unix_ms());
                let excess = self.restarts.len().saturating_sub(MOST_RESTARTS);
                self.restarts.drain(..excess);
            }
            // Workers that go on without their master are still the application.
            self.name = found.processes.first().map(|main| self.main_name(main.pid)).unwrap_or_default();
        }
        self.known = keys;
        self.unread = found.processes.len().saturating_sub(MOST_PROCESSES);
        let mut before = std::mem::take(&mut self.members);
        for key in found.processes.iter().take(MOST_PROCESSES) {
            let known = before.iter().position(|member| member.key == *key).map(|place| before.swap_remove(place));
            let member = known.unwrap_or_else(|| {
                let command = command::masked_command_line(&self.command_line(key.pid));
                ProcessMember::new(*key, found.owners.contains(&key.pid), command)
            });
            self.members.push(member);
        }
    }
}
