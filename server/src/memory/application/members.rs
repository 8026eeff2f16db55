//! The costly readings of the application's processes: open files, threads, shared pages. Each may block on one of them, and runs on a
//! thread of its own.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    time::{Duration, Instant},
};

use watchboard_wire::{Application, Handles, PageSharing, Reading, Role, ThreadGroup, Unknown};

use super::table::ProcessKey;
use crate::{
    clock::now_unix_ms,
    memory::{
        handles, smaps,
        threads::{self, ThreadsProbe},
    },
};

/// The kernel walks all pages to report how they are shared. After so long the other processes wait for the next reading.
const MAPPED_WITHIN: Duration = Duration::from_millis(300);

/// The processes of one reading, the main process first, and the sockets at which the application listens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::memory) struct ProcessGroup {
    pub(in crate::memory) keys: Vec<ProcessKey>,
    pub(super) sockets: BTreeSet<u64>,
}

/// The open files of an application, and of each of its processes.
pub(in crate::memory) struct OpenFiles {
    pub(in crate::memory) handles: Reading<Handles>,
    each: Vec<OpenFilesOf>,
}

struct OpenFilesOf {
    pid: u32,
    /// `None` if they may not be read.
    open_files: Option<u64>,
    listens: bool,
}

/// Those of the monitor's own process.
impl From<Reading<Handles>> for OpenFiles {
    fn from(handles: Reading<Handles>) -> Self {
        Self { handles, each: vec![] }
    }
}

impl OpenFiles {
    /// Writes them into the rows of the processes.
    pub(in crate::memory) fn fill_rows(&self, application: &mut Application) {
        for row in &mut application.processes {
            let Some(open) = self.each.iter().find(|open| open.pid == row.pid) else { continue };
            row.open_files = open.open_files;
            if open.open_files.is_some() && row.role != Role::Main {
                row.role = if open.listens { Role::Worker } else { Role::Child };
            }
        }
    }
}

/// A file counts for each process that has it open, a socket once.
pub(in crate::memory) fn read_open_files(members: &ProcessGroup) -> OpenFiles {
    let read = |key: &ProcessKey| Some((*key, key.in_folder(handles::read_of)?));
    let open: Vec<_> = members.keys.iter().filter_map(read).collect();
    let each = open.iter().map(|(key, open)| OpenFilesOf {
        pid: key.pid,
        open_files: open.as_ref().ok().map(|open| open.open_files),
        listens: open.as_ref().is_ok_and(|open| open.sockets.iter().any(|socket| members.sockets.contains(socket))),
    });
    let each = each.collect();
    let sum = || {
        let mut sum = Handles { read_at_unix_ms: now_unix_ms(), ..Handles::default() };
        let mut sockets = HashSet::new();
        for (_, open) in open {
            let open = open?;
            sum.open_files += open.open_files;
            sockets.extend(open.sockets);
        }
        // All its processes share one network.
        let count = |key: &ProcessKey| key.in_folder(|folder| handles::count_connections(folder, &sockets));
        sum.connections = members.keys.iter().find_map(count).ok_or_else(no_process)??;
        Ok(sum)
    };
    OpenFiles { handles: sum(), each }
}

/// Every thread of all its processes.
pub(in crate::memory) fn read_threads(members: &ProcessGroup, threads: &mut ThreadsProbe) -> Reading<Vec<ThreadGroup>> {
    let tasks: Vec<_> = members.keys.iter().filter_map(|key| key.in_folder(threads::read_tasks)).collect();
    if tasks.is_empty() {
        return Err(no_process());
    }
    let tasks = tasks.into_iter().collect::<Reading<Vec<_>>>()?;
    Ok(threads.measure(tasks.into_iter().flatten(), HashMap::new()))
}

/// How the pages of its processes are shared, as a sum. Holds the last reading of each process.
#[derive(Default)]
pub(in crate::memory) struct PageSharingProbe(HashMap<ProcessKey, (Instant, Reading<PageSharing>)>);

impl PageSharingProbe {
    /// Reads those that are older than `every`, some processes at a time.
    pub(in crate::memory) fn read(&mut self, members: &ProcessGroup, every: Duration) -> Reading<PageSharing> {
        self.0.retain(|key, _| members.keys.contains(key));
        let started = Instant::now();
        for key in &members.keys {
            let is_fresh = self.0.get(key).is_some_and(|(read_at, _)| read_at.elapsed() < every);
            if started.elapsed() >= MAPPED_WITHIN {
                break;
            }
            if !is_fresh && let Some(sharing) = key.in_folder(smaps::read_of) {
                self.0.insert(*key, (Instant::now(), sharing));
            }
        }
        let mut sum = PageSharing { read_at_unix_ms: u64::MAX, ..PageSharing::default() };
        for key in &members.keys {
            let Some((_, sharing)) = self.0.get(key) else {
                return Err(Unknown::because("not read yet of all processes: some are read at a time"));
            };
            let sharing = sharing.as_ref().map_err(Unknown::clone)?;
            sum.read_at_unix_ms = sum.read_at_unix_ms.min(sharing.read_at_unix_ms);
            sum.uss_bytes += sharing.uss_bytes;
            sum.pss_bytes += sharing.pss_bytes;
        }
        if members.keys.is_empty() { Err(no_process()) } else { Ok(sum) }
    }
}

/// Why the other figures are unknown without a process. The process's figures have the reason why there is none.
pub(in crate::memory) fn no_process() -> Unknown {
    Unknown::because("there is no process of the application to be seen")
}
