//! The processes of this host with their parents, and which of them are one application.

use std::{collections::BTreeMap, fs, io, path::PathBuf};

use watchboard_wire::{Reading, Unknown};

use crate::memory::{
    failure::{Absence, is_gone, or_unknown},
    stat::ProcStat,
    text, threads,
};

/// One process for good: ids are reused, and the time of the start tells one process from the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct ProcessKey {
    pub(super) pid: u32,
    pub(super) started_ticks: u64,
}

impl ProcessKey {
    /// The process that has this id now.
    pub(super) fn from_pid(pid: u32) -> Result<Self, Absence> {
        let file = format!("/proc/{pid}/stat");
        let line = text::read(&file).map_err(|error| Absence::from_error(pid, &file, error))?;
        let malformed = || Absence::Unread(Unknown::because(format!("{file} has not the fields that it should")));
        let stat = ProcStat::parse(&line).ok_or_else(malformed)?;
        if stat.ended { Err(Absence::Ended) } else { Ok(Self { pid, started_ticks: stat.started_ticks }) }
    }
}

/// The processes of this host, by their ids.
pub(super) struct ProcessTable {
    rows: BTreeMap<u32, ProcessRow>,
    /// Whether `/proc` does not show all of them.
    pub(super) some_hidden: bool,
}

#[derive(Clone, Copy)]
struct ProcessRow {
    parent: u32,
    started_ticks: u64,
    leader_exited: bool,
}

impl ProcessTable {
    pub(super) fn read() -> Reading<Self> {
        let mut rows = BTreeMap::new();
        // With `hidepid`, those of other users have no folder, or one that may not be entered.
        let mut some_hidden = matches!(ProcessKey::from_pid(1), Err(Absence::Unread(_)));
        for entry in or_unknown("/proc", fs::read_dir("/proc"))?.flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            let line = match text::read(entry.path().join("stat")) {
                Ok(line) => line,
                // A process that ends during the reading is left out.
                Err(error) if is_gone(&error) => continue,
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    some_hidden = true;
                    continue;
                }
                error => or_unknown("/proc/PID/stat", error)?,
            };
            let Some(stat) = ProcStat::parse(&line).filter(|stat| !stat.ended) else { continue };
            let ProcStat { parent, started_ticks, leader_exited, .. } = stat;
            rows.insert(pid, ProcessRow { parent, started_ticks, leader_exited });
        }
        Ok(Self { rows, some_hidden })
    }

    /// Each process with the folder that has its figures.
    pub(super) fn folders(&self) -> impl Iterator<Item = (u32, PathBuf)> {
        self.rows.iter().map(|(pid, row)| (*pid, threads::readable_folder(*pid, row.leader_exited)))
    }

    pub(super) fn pids(&self) -> impl Iterator<Item = u32> {
        self.rows.keys().copied()
    }

    pub(super) fn key(&self, pid: u32) -> Option<ProcessKey> {
        self.rows.get(&pid).map(|row| ProcessKey { pid, started_ticks: row.started_ticks })
    }

    pub(super) fn has(&self, key: ProcessKey) -> bool {
        self.key(key.pid) == Some(key)
    }

    /// Its parent, the parent's parent and so on. A loop, as of a table that was read while it changed, ends at the oldest.
    fn ancestors(&self, pid: u32) -> impl Iterator<Item = u32> {
        let parent = |pid: u32| {
            let row = self.rows.get(&pid)?;
            let above = self.rows.get(&row.parent)?;
            (above.started_ticks <= row.started_ticks && row.parent != pid).then_some(row.parent)
        };
        std::iter::successors(parent(pid), move |pid| parent(*pid)).take(self.rows.len())
    }

    /// These processes and their descendants: the first of these first, then the others by age. `apart` and its descendants are
    /// left out, unless it is one of these.
    pub(super) fn family(&self, roots: &[ProcessKey], apart: u32) -> Vec<ProcessKey> {
        let is_root = |pid: u32| roots.iter().any(|root| root.pid == pid);
        let belongs = |pid: u32| {
            let line = || std::iter::once(pid).chain(self.ancestors(pid));
            let near = line().find(|above| is_root(*above) || *above == apart);
            near.is_some_and(is_root)
        };
        let mut family: Vec<ProcessKey> =
            self.pids().filter(|pid| belongs(*pid)).filter_map(|pid| self.key(pid)).collect();
        let first = |key: &ProcessKey| roots.first() != Some(key);
        family.sort_by_key(|key| (first(key), key.started_ticks, key.pid));
        family
    }

    /// The topmost of the processes that have an application's socket open. If several have one parent of the same program, it is
    /// that parent, unless it is above `apart`: workers can each listen by themselves.
    pub(super) fn roots(&self, owners: &[u32], apart: u32) -> Vec<ProcessKey> {
        // systemd keeps the sockets that it passes to services.
        let services: Vec<u32> = owners.iter().copied().filter(|pid| name(*pid) != "systemd").collect();
        let owners = if services.is_empty() { owners } else { &services };
        let is_topmost = |pid: &u32| !self.ancestors(*pid).any(|above| owners.contains(&above));
        let mut roots: Vec<ProcessKey> =
            owners.iter().copied().filter(is_topmost).filter_map(|pid| self.key(pid)).collect();
        roots.sort_by_key(|key| (key.started_ticks, key.pid));
        let parent = |key: &ProcessKey| self.rows.get(&key.pid).map(|row| row.parent);
        let [first, rest @ ..] = &*roots else { return roots };
        let common =
            parent(first).filter(|common| !rest.is_empty() && rest.iter().all(|key| parent(key) == Some(*common)));
        let above_apart = |pid: u32| pid == apart || self.ancestors(apart).any(|above| above == pid);
        let common = common.filter(|common| *common != 1 && !above_apart(*common) && same_program(*common, first.pid));
        match common.and_then(|pid| self.key(pid)) {
            Some(parent) => vec![parent],
            None => roots,
        }
    }
}

/// By their executables; by their names if the executables may not be read.
fn same_program(one: u32, other: u32) -> bool {
    let program = |pid: u32| fs::read_link(format!("/proc/{pid}/exe")).ok();
    match (program(one), program(other)) {
        (Some(one), Some(other)) => one == other,
        _ => !name(one).is_empty() && name(one) == name(other),
    }
}

fn name(pid: u32) -> String {
    text::read(format!("/proc/{pid}/comm")).unwrap_or_default().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ids from a hundred million on are no processes of this machine.
    const NO: u32 = 100_000_000;

    /// `(pid, parent)` in the order of their start.
    fn table(rows: &[(u32, u32)]) -> ProcessTable {
        let row = |((pid, parent), started_ticks): (&(u32, u32), u64)| {
            (*pid, ProcessRow { parent: *parent, started_ticks, leader_exited: false })
        };
        ProcessTable { rows: rows.iter().zip(0..).map(row).collect(), some_hidden: false }
    }

    fn pids(keys: &[ProcessKey]) -> Vec<u32> {
        keys.iter().map(|key| key.pid).collect()
    }

    #[test]
    fn a_master_is_above_its_workers_and_all_that_descends_from_it_belongs() {
        let [shell, master, worker, other, helper, apart] = [1, 2, 3, 4, 5, 6].map(|number| NO + number);
        let table = table(&[
            (1, 0),
            (shell, 1),
            (master, shell),
            (helper, master),
            (worker, master),
            (other, master),
            (apart, shell),
            (NO + 7, worker),
            (NO + 8, apart),
        ]);
        let roots = table.roots(&[other, worker, master], apart);
        assert_eq!(pids(&roots), [master]);
        assert_eq!(pids(&table.family(&roots, apart)), [master, helper, worker, other, NO + 7]);
        // What this monitor's process has started is its own.
        let all = [table.key(shell).unwrap()];
        assert_eq!(pids(&table.family(&all, apart)), [shell, master, helper, worker, other, NO + 7]);
        assert_eq!(pids(&table.family(&[table.key(apart).unwrap()], apart)), [apart, NO + 8]);
    }

    #[test]
    fn workers_whose_parent_has_ended_are_each_for_itself() {
        let table = table(&[(1, 0), (NO + 2, 1), (NO + 1, 1), (NO + 3, 1)]);
        let roots = table.roots(&[NO + 1, NO + 2, NO + 3], NO + 9);
        assert_eq!(pids(&roots), [NO + 2, NO + 1, NO + 3]);
        assert_eq!(pids(&table.family(&roots, NO + 9)), [NO + 2, NO + 1, NO + 3]);
    }

    #[test]
    fn an_id_that_is_used_again_is_another_process() {
        let before = table(&[(1, 0), (NO, 1)]).key(NO).unwrap();
        let after = table(&[(1, 0), (NO + 1, 1), (NO, 1)]);
        assert!(after.key(NO).is_some() && !after.has(before));
    }

    #[test]
    fn a_loop_ends() {
        let table = table(&[(NO, NO + 1), (NO + 1, NO)]);
        assert_eq!(pids(&table.roots(&[NO, NO + 1], 1)), [NO]);
    }
}
