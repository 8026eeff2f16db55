//! One process of the application, with its state between readings.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rustix::param::clock_ticks_per_second;
use watchboard_wire::{ApplicationProcess, Descriptors, PageSharing, Process, Reading, Role};

use super::{command::CommandLine, table::ProcessKey};
use crate::memory::{
    descriptors,
    handles::{self, OpenHandles},
    process::ProcessProbe,
    smaps, text,
};

pub(super) struct ProcessMember {
    pub(super) key: ProcessKey,
    /// Whether it has the application's socket open.
    pub(super) listens: bool,
    folder: PathBuf,
    probe: ProcessProbe,
    command: String,
    started_at_unix_ms: u64,
    /// Of the last [reading](Self::read).
    pub(super) process: Process,
    pub(super) descriptors: Reading<Descriptors>,
    pub(super) open: Option<Reading<OpenHandles>>,
    pub(super) mapped: Option<(Instant, Reading<PageSharing>)>,
}

impl ProcessMember {
    pub(super) fn new(key: ProcessKey, listens: bool) -> Self {
        let folder = PathBuf::from(format!("/proc/{}", key.pid));
        let since_boot_ms = key.started_ticks * 1_000 / clock_ticks_per_second();
        Self {
            key,
            listens,
            probe: ProcessProbe::for_process(&folder, key.pid),
            command: CommandLine::of_process(key.pid).shown,
            started_at_unix_ms: boot_time_seconds().map_or(0, |seconds| seconds * 1_000 + since_boot_ms),
            process: Process::default(),
            descriptors: Ok(Descriptors::default()),
            open: None,
            mapped: None,
            folder,
        }
    }

    /// The reading of each second. False once the process has ended, also if its id is another's by now.
    pub(super) fn read(&mut self, system_total_bytes: Option<u64>) -> bool {
        let Ok(process) = self.probe.read(system_total_bytes) else { return false };
        let is_same = |started_ticks| started_ticks == self.key.started_ticks;
        if !self.probe.started_ticks().is_some_and(is_same) {
            return false;
        }
        self.process = process;
        self.descriptors = descriptors::read_of(&self.folder, self.key.pid);
        true
    }

    /// What `read` finds in its folder; `None` once it has ended, since its id may then be another's.
    pub(super) fn in_folder<T>(&self, read: impl FnOnce(&Path) -> T) -> Option<T> {
        let value = read(&self.folder);
        // After the reading: a process that still runs was there all the time.
        (ProcessKey::from_pid(self.key.pid) == Some(self.key)).then_some(value)
    }

    /// Reads its open files and sockets. `sockets` are the application's.
    pub(super) fn read_open(&mut self, sockets: &std::collections::BTreeSet<u64>) {
        let Some(open) = self.in_folder(handles::read_of) else { return };
        if let Ok(open) = &open {
            self.listens = open.sockets.iter().any(|socket| sockets.contains(socket));
        }
        self.open = Some(open);
    }

    /// Reads how its pages are shared if the last reading is older than `every`; whether it was.
    pub(super) fn read_mapped(&mut self, every: Duration) -> bool {
        let due = self.mapped.as_ref().is_none_or(|(read_at, _)| read_at.elapsed() >= every);
        if due && let Some(sharing) = self.in_folder(smaps::read_of) {
            self.mapped = Some((Instant::now(), sharing));
        }
        due
    }

    pub(super) fn row(&self, is_main: bool) -> ApplicationProcess {
        let role = match (is_main, self.listens) {
            (true, _) => Role::Main,
            (false, true) => Role::Worker,
            (false, false) => Role::Child,
        };
        ApplicationProcess {
            pid: self.key.pid,
            command: if self.command.is_empty() { self.process.name.clone() } else { self.command.clone() },
            role,
            started_at_unix_ms: self.started_at_unix_ms,
            rss_bytes: self.process.rss_bytes,
            num_threads: self.process.num_threads,
            cpu_percent: self.process.cpu_percent,
            descriptors: self.descriptors.as_ref().ok().map(|descriptors| descriptors.open),
            open_files: self.open.as_ref().and_then(|open| open.as_ref().ok()).map(|open| open.open_files),
        }
    }
}

/// When the machine was started.
fn boot_time_seconds() -> Option<u64> {
    text::field(&text::read("/proc/stat").ok()?, "btime ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_whose_id_is_used_again_has_ended() {
        let key = ProcessKey::from_pid(std::process::id()).unwrap();
        assert!(ProcessMember::new(key, false).read(None));
        let before = ProcessKey { started_ticks: key.started_ticks - 1, ..key };
        let mut member = ProcessMember::new(before, false);
        assert!(!member.read(None) && member.in_folder(|_| ()).is_none());
    }

    #[test]
    fn a_process_that_has_ended_and_was_not_asked_how_has_ended() {
        let mut child = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
        let key = ProcessKey::from_pid(child.id()).unwrap();
        let mut member = ProcessMember::new(key, false);
        assert!(member.read(None));
        child.kill().unwrap();
        // Until it has ended; it stays in the table of processes until it is waited for.
        let deadline = Instant::now() + Duration::from_secs(10);
        while member.read(None) {
            assert!(Instant::now() < deadline);
            std::thread::yield_now();
        }
        assert!(std::fs::exists(format!("/proc/{}", child.id())).unwrap());
        assert_eq!(ProcessKey::from_pid(child.id()), None);
        child.wait().unwrap();
    }
}
