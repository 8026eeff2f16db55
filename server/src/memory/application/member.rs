//! One process of the application, with its state between readings.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rustix::param::clock_ticks_per_second;
use watchboard_wire::{ApplicationProcess, Descriptors, PageSharing, Process, Reading, Role, Unknown};

use super::{command, table::ProcessKey};
use crate::{
    clock::unix_ms_at_boot_ms,
    memory::{
        descriptors,
        failure::Absence,
        handles::{self, OpenHandles},
        process::ProcessProbe,
        smaps,
        stat::ProcStat,
    },
};

pub(super) struct ProcessMember {
    pub(super) key: ProcessKey,
    /// Whether it has the application's socket open.
    pub(super) listens: bool,
    probe: ProcessProbe,
    command: String,
    started_at_unix_ms: u64,
    /// Why its last reading failed although it may still run.
    pub(super) unread: Option<Unknown>,
    /// Of the last [reading](Self::read).
    pub(super) process: Process,
    pub(super) descriptors: Reading<Descriptors>,
    pub(super) open: Option<Reading<OpenHandles>>,
    pub(super) mapped: Option<(Instant, Reading<PageSharing>)>,
}

impl ProcessMember {
    pub(super) fn new(key: ProcessKey, listens: bool) -> Self {
        let since_boot_ms = key.started_ticks * 1_000 / clock_ticks_per_second();
        Self {
            key,
            listens,
            probe: ProcessProbe::for_process(key.pid),
            command: command::masked_command_line(&command::read(key.pid)),
            started_at_unix_ms: unix_ms_at_boot_ms(since_boot_ms),
            unread: None,
            process: Process::default(),
            descriptors: Ok(Descriptors::default()),
            open: None,
            mapped: None,
        }
    }

    /// The reading of each second. False once the process has ended, also if its id is another's by now. A reading that fails for
    /// another reason keeps the last figures, and the reason.
    pub(super) fn read(&mut self, system_total_bytes: Option<u64>) -> bool {
        match self.probe.read(system_total_bytes) {
            Ok(process) => {
                let is_same = |stat: ProcStat| !stat.ended && stat.started_ticks == self.key.started_ticks;
                if !self.probe.stat().is_some_and(is_same) {
                    return false;
                }
                (self.process, self.unread) = (process, None);
                self.descriptors = descriptors::read_of(self.probe.folder(), self.key.pid);
            }
            Err(why) => match ProcessKey::from_pid(self.key.pid) {
                Err(Absence::Ended) => return false,
                Ok(key) if key != self.key => return false,
                Ok(_) => self.unread = Some(why),
                Err(Absence::Unread(why)) => self.unread = Some(why),
            },
        }
        true
    }

    /// How it ended, as `wait` reports it, if its parent has not collected it yet.
    pub(super) fn wait_status(&self) -> Option<i32> {
        self.probe.stat().filter(|stat| stat.ended).map(|stat| stat.wait_status)
    }

    /// The folder that has its figures.
    pub(super) fn folder(&self) -> &Path {
        self.probe.folder()
    }

    /// What `read` finds in its folder; `None` once it has ended, since its id may then be another's.
    pub(super) fn in_folder<T>(&self, read: impl FnOnce(&Path) -> T) -> Option<T> {
        let value = read(self.probe.folder());
        // After the reading: a process that still runs was there all the time.
        (ProcessKey::from_pid(self.key.pid).as_ref() == Ok(&self.key)).then_some(value)
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
        assert_eq!(ProcessKey::from_pid(child.id()), Err(Absence::Ended));
        assert_eq!(member.wait_status(), Some(9), "SIGKILL");
        child.wait().unwrap();
    }
}
