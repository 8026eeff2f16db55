//! One process of the application, with what is remembered of it between readings.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use procfs::process::Process as Folder;
use watchboard_wire::{ApplicationProcess, Descriptors, PageSharing, Process, Reading, Role};

use super::{command, table::Key};
use crate::memory::{
    descriptors,
    handles::{self, Open},
    mapped,
    process::ProcessProbe,
};

pub(super) struct Member {
    pub(super) key: Key,
    /// Whether it has the application's socket open.
    pub(super) listens: bool,
    folder: PathBuf,
    probe: ProcessProbe,
    command: String,
    started_at_unix_ms: u64,
    /// As of the last reading, of which there is at least one once it has been [read](Self::read).
    pub(super) process: Process,
    pub(super) descriptors: Reading<Descriptors>,
    pub(super) open: Option<Reading<Open>>,
    pub(super) mapped: Option<(Instant, Reading<PageSharing>)>,
}

impl Member {
    pub(super) fn new(key: Key, listens: bool) -> Self {
        let folder = PathBuf::from(format!("/proc/{}", key.pid));
        let since_boot_ms = key.started_ticks * 1_000 / procfs::ticks_per_second();
        Self {
            key,
            listens,
            probe: ProcessProbe::of(&folder, key.pid),
            command: command::shown(&command::read(key.pid)),
            started_at_unix_ms: procfs::boot_time_secs().map_or(0, |seconds| seconds * 1_000 + since_boot_ms),
            process: Process::default(),
            descriptors: Ok(Descriptors::default()),
            open: None,
            mapped: None,
            folder,
        }
    }

    /// Reads what is read every second. False once the process has ended, also where its id is another's by now.
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

    /// Its folder, pinned to this very process; none once it has ended.
    pub(super) fn folder(&self) -> Option<Folder> {
        let folder = Folder::new(self.key.pid.cast_signed()).ok()?;
        (folder.stat().ok()?.starttime == self.key.started_ticks).then_some(folder)
    }

    /// Looks at all that it has open. `sockets` are the application's.
    pub(super) fn read_open(&mut self, sockets: &std::collections::BTreeSet<u64>) {
        let Some(folder) = self.folder() else { return };
        let open = handles::open(&folder);
        if let Ok(open) = &open {
            self.listens = open.sockets.iter().any(|socket| sockets.contains(socket));
        }
        self.open = Some(open);
    }

    /// Reads how its pages are shared, where that is older than `every`. Whether it was.
    pub(super) fn read_mapped(&mut self, every: Duration) -> bool {
        let due = self.mapped.as_ref().is_none_or(|(read_at, _)| read_at.elapsed() >= every);
        if due && self.folder().is_some() {
            self.mapped = Some((Instant::now(), mapped::read_of(&self.folder)));
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
        let key = Key::of(std::process::id()).unwrap();
        assert!(Member::new(key, false).read(None));
        let before = Key { started_ticks: key.started_ticks - 1, ..key };
        let mut member = Member::new(before, false);
        assert!(!member.read(None) && member.folder().is_none());
    }

    #[test]
    fn a_process_that_has_ended_and_was_not_asked_how_has_ended() {
        let mut child = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
        let key = Key::of(child.id()).unwrap();
        let mut member = Member::new(key, false);
        assert!(member.read(None));
        child.kill().unwrap();
        // Until it has ended; it stays in the table of processes until it is waited for.
        let deadline = Instant::now() + Duration::from_secs(10);
        while member.read(None) {
            assert!(Instant::now() < deadline);
            std::thread::yield_now();
        }
        assert!(std::fs::exists(format!("/proc/{}", child.id())).unwrap());
        assert_eq!(Key::of(child.id()), None);
        child.wait().unwrap();
    }
}
