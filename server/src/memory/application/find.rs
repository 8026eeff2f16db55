//! Which processes are the application's: by its id, or by the address at which it listens.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    time::{Duration, Instant},
};

use watchboard_wire::{Reading, Unknown};

use super::{
    listeners::{self, Listeners},
    owners,
    table::{ProcessKey, ProcessTable},
};
use crate::memory::watch::Watch;

/// The owners of sockets are searched among all processes. A search without a result is repeated after this time.
const SEARCH_EVERY: Duration = Duration::from_secs(30);

pub(super) struct Finder {
    pub(super) watch: Watch,
    /// The topmost processes of the last search.
    roots: Vec<ProcessKey>,
    /// All processes of the last search.
    processes: Vec<ProcessKey>,
    owners: Vec<u32>,
    sockets: BTreeSet<u64>,
    /// Whether there has ever been a process.
    seen: bool,
    /// Whether it is certain that there is no process now: it is not only out of sight.
    pub(super) is_gone: bool,
    /// The sockets of the last search without a result, its time, and its reason.
    in_vain: Option<(Listeners, Instant, Unknown)>,
}

/// The processes of the application, the main process first, and the ids of those that have its socket open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ProcessTree {
    pub(super) processes: Vec<ProcessKey>,
    pub(super) owners: Vec<u32>,
}

impl Finder {
    pub(super) fn new(watch: Watch) -> Self {
        Self {
            watch,
            roots: vec![],
            processes: vec![],
            owners: vec![],
            sockets: BTreeSet::new(),
            seen: false,
            is_gone: false,
            in_vain: None,
        }
    }

    /// The sockets at which the application listens, as far as they are known.
    pub(super) fn sockets(&self) -> &BTreeSet<u64> {
        &self.sockets
    }

    /// Searches now.
    pub(super) fn find_processes(&mut self) -> Reading<ProcessTree> {
        self.is_gone = false;
        let found = match self.watch {
            Watch::Pid(pid) => self.by_id(pid),
            Watch::Listening(address) => self.by_address(address),
            Watch::Unseen(ref why) => Err(Unknown::because(why)),
        };
        match &found {
            Ok(found) => (self.seen, self.processes) = (true, found.processes.clone()),
            Err(_) => self.processes.clear(),
        }
        found
    }

    fn by_id(&mut self, pid: u32) -> Reading<ProcessTree> {
        let ended = || {
            Unknown::because(format!(
                "Process {pid} has ended. Start watchboard anew with the --pid of the next, or by its address, at which the next is found \
                 by itself."
            ))
        };
        match (&*self.roots, ProcessKey::from_pid(pid)) {
            ([known], key) if key != Some(*known) => {
                self.is_gone = true;
                return Err(ended());
            }
            (_, None) => {
                self.is_gone = true;
                return Err(Unknown::because(format!(
                    "There is no process {pid} to be seen on this host: name one that runs. Of a container's processes it is the id outside \
                     of it."
                )));
            }
            (_, Some(key)) => self.roots = vec![key],
        }
        Ok(ProcessTree { processes: ProcessTable::read()?.family(&self.roots, std::process::id()), owners: vec![] })
    }

    fn by_address(&mut self, address: SocketAddr) -> Reading<ProcessTree> {
        if !listeners::is_here(address.ip()) {
            return Err(Unknown::because(format!(
                "{} is not an address of this host: the memory of an application is seen only where it runs. Run watchboard there.",
                address.ip(),
            )));
        }
        let listeners = listeners::find_listeners(address)?;
        // A process that no longer listens finishes its requests: it is the application as long as it runs.
        let is_same = listeners.inodes == self.sockets || listeners.inodes.is_empty();
        if is_same && !self.roots.is_empty() {
            let table = ProcessTable::read()?;
            if self.roots.iter().all(|root| table.has(*root)) {
                let processes = table.family(&self.roots, std::process::id());
                // A process whose parent has ended is no descendant any more.
                let is_orphan = |key: &ProcessKey| table.has(*key) && !processes.contains(key);
                if !self.processes.iter().any(is_orphan) {
                    return Ok(ProcessTree { processes, owners: self.owners.clone() });
                }
            }
        }
        if listeners.inodes.is_empty() {
            self.roots.clear();
            self.is_gone = true;
            return Err(self.nothing_listens(address));
        }
        if let Some((same, at, why)) = &self.in_vain
            && *same == listeners
            && at.elapsed() < SEARCH_EVERY
        {
            return Err(why.clone());
        }
        let found = self.by_owners(address, &listeners);
        self.in_vain = found.as_ref().err().map(|why| (listeners, Instant::now(), why.clone()));
        found
    }

    fn by_owners(&mut self, address: SocketAddr, listeners: &Listeners) -> Reading<ProcessTree> {
        let table = ProcessTable::read()?;
        let owners = owners::find_owners(&listeners.inodes, table.pids());
        self.roots = table.roots(&owners.pids, std::process::id());
        (self.owners, self.sockets) = (owners.pids, listeners.inodes.clone());
        if self.roots.is_empty() {
            let whose = listeners.uid.map(|uid| format!(", opened by user {uid},")).unwrap_or_default();
            let why = match (owners.given_up, owners.some_hidden) {
                (true, _) => "was not found among the first 65 536 open files of this host",
                (false, true) => "is another user's, whose open files may not be seen",
                (false, false) => "is not to be seen from here: it is in a container of its own, or of the kernel",
            };
            return Err(Unknown::because(format!(
                "The process that listens at {address}{whose} {why}. Run watchboard as the same user or with CAP_SYS_PTRACE, or name the \
                 process by --pid."
            )));
        }
        Ok(ProcessTree { processes: table.family(&self.roots, std::process::id()), owners: self.owners.clone() })
    }

    fn nothing_listens(&self, address: SocketAddr) -> Unknown {
        Unknown::because(if self.seen {
            format!("The application's process has ended; looking for the next that listens at {address}.")
        } else {
            format!(
                "Nothing on this host listens at {address} yet. Start the application there; one in a network of its own, as in a \
                 container, is named by --pid."
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        net::TcpListener,
        process::{Child, Command},
    };

    struct Sleeper(Child);

    impl Sleeper {
        fn start() -> Self {
            Self(Command::new("sleep").arg("1000").spawn().unwrap())
        }
    }

    impl Drop for Sleeper {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    #[test]
    fn a_process_is_found_by_its_id_until_it_has_ended() {
        let sleeper = Sleeper::start();
        let mut finder = Finder::new(Watch::Pid(sleeper.0.id()));
        let found = finder.find_processes().unwrap();
        assert_eq!(found.processes.iter().map(|key| key.pid).collect::<Vec<_>>(), [sleeper.0.id()]);
        drop(sleeper);
        assert!(finder.find_processes().unwrap_err().to_string().contains("has ended"));
        let none = Finder::new(Watch::Pid(u32::MAX)).find_processes().unwrap_err().to_string();
        assert!(none.contains("no process 4294967295"), "{none}");
    }

    #[test]
    fn another_process_of_the_same_id_is_not_taken_for_it() {
        let mut finder = Finder::new(Watch::Pid(std::process::id()));
        assert!(finder.find_processes().is_ok());
        finder.roots[0].started_ticks -= 1;
        assert!(finder.find_processes().unwrap_err().to_string().contains("has ended"));
    }

    #[test]
    fn what_is_not_there_is_told_apart() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut finder = Finder::new(Watch::Listening(address));
        assert!(finder.find_processes().is_ok());
        drop(listener);
        assert!(finder.find_processes().is_ok(), "it runs, and finishes what is under way");
        let mut finder = Finder::new(Watch::Listening(address));
        assert!(finder.find_processes().unwrap_err().to_string().contains("Nothing on this host listens"));
        let elsewhere = Watch::Listening("192.0.2.7:80".parse().unwrap());
        assert!(
            Finder::new(elsewhere).find_processes().unwrap_err().to_string().contains("not an address of this host")
        );
    }
}
