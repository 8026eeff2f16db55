//! One process of the application, with its state between readings.

use std::path::Path;

use watchboard_wire::{ApplicationProcess, Descriptors, Process, Reading, Role, Unknown};

use super::table::ProcessKey;
use crate::memory::{
    descriptors,
    failure::Absence,
    names::ShownName,
    process::{ProcessProbe, started_at_unix_ms},
    stat::ProcStat,
};

pub(super) struct ProcessMember {
    pub(super) key: ProcessKey,
    /// Whether it had the application's socket open when it was found.
    listens: bool,
    probe: ProcessProbe,
    command: String,
    started_at_unix_ms: u64,
    /// Why its last reading failed although it may still run.
    pub(super) unread: Option<Unknown>,
    /// Of the last [reading](Self::read).
    pub(super) process: Process,
    pub(super) descriptors: Reading<Descriptors>,
}

impl ProcessMember {
    /// `command` is its command line as it is shown; `None` if that gave no answer.
    pub(super) fn new(key: ProcessKey, listens: bool, command: Option<String>) -> Self {
        let name = if command.is_some() { ShownName::default() } else { ShownName::without_files() };
        Self {
            key,
            listens,
            probe: ProcessProbe::for_process(key.pid, name),
            command: command.unwrap_or_default(),
            started_at_unix_ms: started_at_unix_ms(key.started_ticks),
            unread: None,
            process: Process::default(),
            descriptors: Ok(Descriptors::default()),
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
            open_files: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_process_whose_id_is_used_again_has_ended() {
        let key = ProcessKey::from_pid(std::process::id()).unwrap();
        assert!(ProcessMember::new(key, false, Some(String::new())).read(None));
        let before = ProcessKey { started_ticks: key.started_ticks - 1, ..key };
        let mut member = ProcessMember::new(before, false, Some(String::new()));
        assert!(!member.read(None) && before.in_folder(|_| ()).is_none());
    }

    #[test]
    fn a_process_that_has_ended_and_was_not_asked_how_has_ended() {
        let mut child = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
        let key = ProcessKey::from_pid(child.id()).unwrap();
        let mut member = ProcessMember::new(key, false, Some(String::new()));
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
