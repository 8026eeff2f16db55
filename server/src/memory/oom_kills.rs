//! OOM kills: processes that the kernel killed for want of memory, as the control group counts them. A group that is removed, or made anew,
//! takes its counter with it. Then the counter of the nearest group above tells, or that of the machine.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::{cgroup::GroupFolder, failure::is_gone, text};

/// The kernel's counters of processes that it killed for want of memory, for a later run: their files, the nearest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OomCounters(Vec<(PathBuf, u64)>);

/// The machine's own counter is in it.
const MACHINE: &str = "/proc/vmstat";

impl OomCounters {
    /// Whose process has been killed since they were read, in words. A counter that is gone, or began anew, says nothing; then the next one
    /// does.
    pub(crate) fn killed_since(&self) -> Option<String> {
        let more = |(file, before): &(PathBuf, u64)| oom_kills(file).is_some_and(|now| now > *before);
        let (index, (file, _)) = self.0.iter().enumerate().find(|(_, counter)| more(counter))?;
        let whose = match (index, file == Path::new(MACHINE)) {
            (_, true) => "a process of this machine",
            (0, false) => "a process of its control group",
            (_, false) => "a process below the control group above it",
        };
        Some(format!("the kernel killed {whose} for want of memory (OOM kill)"))
    }
}

/// The kernel counts a kill before the process has ended, which takes longer the more memory it has.
const ENDS_WITHIN: Duration = Duration::from_secs(10);

/// Counts the kills among the processes of a control group, also when another group takes its place.
#[derive(Default)]
pub(super) struct OomKillCounter {
    count: u64,
    group: Option<WatchedGroup>,
    /// The machine's own counter.
    machine: Option<u64>,
    last: Option<OomKill>,
    removed: Option<(Instant, String)>,
}

struct WatchedGroup {
    place: GroupFolder,
    inode: u64,
    kills: Option<u64>,
    /// The groups above with their counters, the nearest first. Those of version 1 do not count for the groups below them.
    above: Vec<(PathBuf, u64)>,
}

/// A kill that was counted.
struct OomKill {
    at: Instant,
    whose: String,
}

impl OomKillCounter {
    /// The kills since the monitor's start.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The counters as they were last read.
    pub(super) fn counters(&self) -> OomCounters {
        let own = |group: &WatchedGroup| Some((group.place.folder.join(group.place.names.events), group.kills?));
        let above = |group: &WatchedGroup| {
            let file = |(folder, count): &(PathBuf, u64)| (folder.join(group.place.names.events), *count);
            group.above.iter().map(file).collect::<Vec<_>>()
        };
        let group = self.group.iter().flat_map(|group| own(group).into_iter().chain(above(group)));
        OomCounters(group.chain(self.machine.map(|count| (MACHINE.into(), count))).collect())
    }

    /// Watches this group from now on. What it has counted before was before.
    pub(super) fn watch(&mut self, place: &GroupFolder) {
        if self.group.as_ref().is_some_and(|group| group.place.folder == place.folder) {
            return;
        }
        self.group = inode(&place.folder).ok().map(|inode| WatchedGroup {
            inode,
            kills: place.oom_kills(),
            above: place.hierarchical_above(),
            place: place.clone(),
        });
    }

    /// The reading of each second.
    pub(super) fn read(&mut self) {
        // Without a group above the machine's counter has to do. Reading it takes longer.
        let before = self.machine;
        self.machine = match &self.group {
            Some(group) if !group.above.is_empty() => None,
            _ => oom_kills(Path::new(MACHINE)),
        };
        let of_machine = self.machine.zip(before).map_or(0, |(now, before)| now.saturating_sub(before));
        let Some(group) = &mut self.group else { return self.add_uncertain(of_machine) };
        // Only an absent folder, or another one, is a group that was removed.
        if inode(&group.place.folder).map_or_else(|error| !is_gone(&error), |inode| inode == group.inode) {
            let kills = group.place.oom_kills();
            let more = kills.zip(group.kills).map_or(0, |(now, before)| now.saturating_sub(before));
            group.kills = kills.or(group.kills);
            group.update_above();
            return self.add(more, "a process of its control group".to_owned());
        }
        let name = group.place.name();
        let (more, whose) = match group.update_above() {
            Some((more, above)) => (more, format!("a process below the control group {above}")),
            None => (of_machine, "a process of this machine".to_owned()),
        };
        self.removed = Some((Instant::now(), name.clone()));
        self.group = None;
        self.add(more, format!("{whose} in the second in which the group {name} was removed,"));
    }

    fn add(&mut self, more: u64, whose: String) {
        if more > 0 {
            self.count += more;
            self.last = Some(OomKill { at: Instant::now(), whose });
        }
    }

    /// Kills anywhere on the machine: they count once a process of the application has ended.
    fn add_uncertain(&mut self, of_machine: u64) {
        if of_machine > 0 {
            self.last =
                Some(OomKill { at: Instant::now(), whose: "a process of this machine in the same seconds".to_owned() });
        }
    }

    /// What the control groups tell of the end of a process that was just noticed.
    pub(super) fn explain_end(&self) -> Option<String> {
        let lately = |at: Instant| at.elapsed() < ENDS_WITHIN;
        let killed = self.last.as_ref().filter(|kill| lately(kill.at));
        let killed = killed.map(|kill| format!("the kernel killed {} for want of memory (OOM kill)", kill.whose));
        let removed = self.removed.as_ref().filter(|(at, _)| lately(*at));
        killed.or_else(|| removed.map(|(_, name)| format!("its control group {name} was removed")))
    }
}

impl WatchedGroup {
    /// Reads the counters above. Returns the kills since the last time of the nearest group that is still there, with its name.
    fn update_above(&mut self) -> Option<(u64, String)> {
        let mut nearest = None;
        let place = &self.place;
        self.above.retain_mut(|(folder, before)| {
            let Some(now) = oom_kills(&folder.join(place.names.events)) else { return folder.exists() };
            let more = now.saturating_sub(*before);
            *before = now;
            nearest.get_or_insert_with(|| (more, place.name_of(folder)));
            true
        });
        nearest
    }
}

fn inode(folder: &Path) -> io::Result<u64> {
    Ok(fs::metadata(folder)?.ino())
}

/// The counter in a file of events, or in the machine's.
fn oom_kills(file: &Path) -> Option<u64> {
    text::field(&text::read(file).ok()?, "oom_kill ")
}

impl GroupFolder {
    /// Kills in this group.
    fn oom_kills(&self) -> Option<u64> {
        oom_kills(&self.folder.join(self.names.events))
    }

    /// The groups above that count for the groups below them, with their counters.
    fn hierarchical_above(&self) -> Vec<(PathBuf, u64)> {
        let above = self.and_above().skip(1).filter(|_| self.names.version > 1);
        above.filter_map(|folder| Some((folder.to_owned(), oom_kills(&folder.join(self.names.events))?))).collect()
    }
}

#[cfg(test)]
mod tests;
