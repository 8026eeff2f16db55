//! Which processes are the application's: by its id, or by the address at which it listens.

use std::{
    collections::BTreeSet,
    fmt,
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use watchboard_wire::Unknown;

use super::{
    forwarders::explain_forwarder,
    listeners::{self, Listeners},
    owners,
    table::{ProcessKey, ProcessTable},
    unix_listeners::{UnixListener, find_unix_listener},
};
use crate::memory::{
    failure::{Absence, or_unknown},
    text,
    watch::Watch,
};

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
    /// The sockets of the last search without a result, its time, and its reason.
    in_vain: Option<(Listeners, Instant, Unknown)>,
}

/// Why a search has no processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SearchFailure {
    /// It is certain that there is none now.
    Gone(Unknown),
    /// There may be one, and it is out of sight.
    Unseen(Unknown),
    /// The search failed. It says nothing of the processes of the last one.
    Failed(Unknown),
}

/// A failed reading is no finding.
impl From<Unknown> for SearchFailure {
    fn from(why: Unknown) -> Self {
        Self::Failed(why)
    }
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
            in_vain: None,
        }
    }

    /// The sockets at which the application listens, as far as they are known.
    pub(super) fn sockets(&self) -> &BTreeSet<u64> {
        &self.sockets
    }

    /// Searches now.
    pub(super) fn find_processes(&mut self) -> Result<ProcessTree, SearchFailure> {
        let found = match self.watch {
            Watch::Pid(pid) => self.by_id(pid),
            Watch::Listening(address) => self.by_address(address),
            Watch::Socket(ref path) => self.by_socket(&path.clone()),
            Watch::Unseen(ref why) => Err(SearchFailure::Unseen(Unknown::because(why))),
        };
        match &found {
            Ok(found) => (self.seen, self.processes) = (true, found.processes.clone()),
            Err(SearchFailure::Failed(_)) => {}
            Err(_) => self.processes.clear(),
        }
        found
    }

    fn by_id(&mut self, pid: u32) -> Result<ProcessTree, SearchFailure> {
        let gone = |why: String| Err(SearchFailure::Gone(Unknown::because(why)));
        match (&*self.roots, ProcessKey::from_pid(pid)) {
            (_, Err(Absence::Unread(why))) => return Err(why.into()),
            ([known], key) if key.as_ref() != Ok(known) => {
                return gone(format!(
                    "Process {pid} has ended. Start watchboard anew with the --pid of the next, or by its address, at which the next is found \
                     by itself."
                ));
            }
            (_, Err(Absence::Ended)) => {
                return gone(format!(
                    "There is no process {pid} to be seen on this host: name one that runs. Of a container's processes it is the id outside \
                     of it."
                ));
            }
            (_, Ok(key)) => self.roots = vec![key],
        }
        let processes = ProcessTable::read()?.family(&self.roots, std::process::id());
        if processes.is_empty() {
            return Err(SearchFailure::Unseen(why_unlisted(pid)));
        }
        Ok(ProcessTree { processes, owners: vec![] })
    }

    fn by_address(&mut self, address: SocketAddr) -> Result<ProcessTree, SearchFailure> {
        if !listeners::is_here(address.ip()) {
            return Err(SearchFailure::Unseen(Unknown::because(format!(
                "{} is not an address of this host: the memory of an application is seen only where it runs. Run watchboard there.",
                address.ip(),
            ))));
        }
        let listeners = listeners::find_listeners(address)?;
        self.by_listeners(&address, listeners)
    }

    fn by_socket(&mut self, path: &Path) -> Result<ProcessTree, SearchFailure> {
        // Who is not in the table is asked by a connection: seldom.
        if let Some((asked, at, why)) = &self.in_vain
            && asked.inodes.is_empty()
            && at.elapsed() < SEARCH_EVERY
        {
            return Err(SearchFailure::Unseen(why.clone()));
        }
        let listeners = match find_unix_listener(path)? {
            UnixListener::Known(listeners) => listeners,
            UnixListener::Nobody => Listeners::default(),
            UnixListener::Unseen => {
                let why = Unknown::because(format!(
                    "The process that listens at {} is not to be seen from here, as one in a container: name it by --pid.",
                    path.display(),
                ));
                self.in_vain = Some((Listeners::default(), Instant::now(), why.clone()));
                return Err(SearchFailure::Unseen(why));
            }
        };
        self.by_listeners(&path.display(), listeners)
    }

    fn by_listeners(&mut self, place: &dyn fmt::Display, listeners: Listeners) -> Result<ProcessTree, SearchFailure> {
        // A process that no longer listens finishes its requests: it is the application as long as it runs.
        let is_same = listeners.inodes == self.sockets || listeners.inodes.is_empty();
        if is_same && !self.roots.is_empty() {
            let table = ProcessTable::read()?;
            if let Some(hidden) = self.roots.iter().find_map(|root| why_unread(&table, *root)) {
                return Err(hidden.into());
            }
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
            return Err(SearchFailure::Gone(self.nothing_listens(place)));
        }
        if let Some((same, at, why)) = &self.in_vain
            && *same == listeners
            && at.elapsed() < SEARCH_EVERY
        {
            return Err(SearchFailure::Unseen(why.clone()));
        }
        let found = self.by_owners(place, &listeners);
        self.in_vain = match &found {
            Err(SearchFailure::Unseen(why)) => Some((listeners, Instant::now(), why.clone())),
            _ => None,
        };
        found
    }

    fn by_owners(&mut self, place: &dyn fmt::Display, listeners: &Listeners) -> Result<ProcessTree, SearchFailure> {
        let table = ProcessTable::read()?;
        let owners = or_unknown("/proc/PID/fd", owners::find_owners(&listeners.inodes, table.folders()))?;
        self.roots = table.roots(&owners.pids, std::process::id());
        (self.owners, self.sockets) = (owners.pids, listeners.inodes.clone());
        if self.roots.is_empty() {
            let whose = listeners.uid.map(|uid| format!(", opened by user {uid},")).unwrap_or_default();
            let why = match (owners.given_up, owners.some_hidden) {
                (true, _) => "was not found among the first 65 536 open files of this host",
                (false, _) if table.some_hidden => {
                    "is not to be seen: /proc is mounted with hidepid, and shows only the processes of this user"
                }
                (false, true) => "is another user's, whose open files may not be seen",
                (false, false) => "is not to be seen from here: it is in a container of its own, or of the kernel",
            };
            return Err(SearchFailure::Unseen(Unknown::because(format!(
                "The process that listens at {place}{whose} {why}. Run watchboard as the same user or with CAP_SYS_PTRACE, or name the \
                 process by --pid."
            ))));
        }
        if let Some(why) = explain_forwarder(place, &self.roots) {
            self.roots.clear();
            return Err(SearchFailure::Unseen(why));
        }
        Ok(ProcessTree { processes: table.family(&self.roots, std::process::id()), owners: self.owners.clone() })
    }

    fn nothing_listens(&self, place: &dyn fmt::Display) -> Unknown {
        Unknown::because(if self.seen {
            format!("The application's process has ended; looking for the next that listens at {place}.")
        } else {
            format!(
                "Nothing on this host listens at {place} yet. Start the application there; one in a network of its own, as in a \
                 container, is named by --pid."
            )
        })
    }
}

/// Why an id with a folder is not among the processes.
fn why_unlisted(pid: u32) -> Unknown {
    let status = text::read(format!("/proc/{pid}/status")).unwrap_or_default();
    Unknown::because(match text::field(&status, "Tgid:") {
        Some(process) if process != u64::from(pid) => format!("{pid} is a thread of process {process}: name that one."),
        _ => format!("Process {pid} is not listed in /proc."),
    })
}

/// Why a process that is not in the table may still run.
fn why_unread(table: &ProcessTable, key: ProcessKey) -> Option<Unknown> {
    if table.has(key) {
        return None;
    }
    match ProcessKey::from_pid(key.pid) {
        Err(Absence::Unread(why)) => Some(why),
        Ok(_) | Err(Absence::Ended) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        net::TcpListener,
        process::{Child, Command},
    };

    use watchboard_test_support::HeldPort;

    fn why(missing: SearchFailure) -> String {
        match missing {
            SearchFailure::Gone(why) | SearchFailure::Unseen(why) | SearchFailure::Failed(why) => why.to_string(),
        }
    }

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
        assert!(finder.find_processes().map_err(why).unwrap_err().contains("has ended"));
        let none = Finder::new(Watch::Pid(u32::MAX)).find_processes().map_err(why).unwrap_err();
        assert!(none.contains("no process 4294967295"), "{none}");
    }

    #[test]
    fn a_thread_is_no_process() {
        let (send, receive) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            send.send(rustix::thread::gettid().as_raw_nonzero().get()).unwrap();
            std::thread::park();
        });
        let id = u32::try_from(receive.recv().unwrap()).unwrap();
        let said = Finder::new(Watch::Pid(id)).find_processes().map_err(why).unwrap_err();
        assert_eq!(said, format!("{id} is a thread of process {}: name that one.", std::process::id()));
        thread.thread().unpark();
        thread.join().unwrap();
    }

    #[test]
    fn another_process_of_the_same_id_is_not_taken_for_it() {
        let mut finder = Finder::new(Watch::Pid(std::process::id()));
        assert!(finder.find_processes().is_ok());
        finder.roots[0].started_ticks -= 1;
        assert!(finder.find_processes().map_err(why).unwrap_err().contains("has ended"));
    }

    #[test]
    fn a_forwarder_is_no_application_at_any_search() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("socat");
        std::os::unix::fs::symlink(std::fs::canonicalize("/bin/sleep").unwrap(), &program).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        // It has the socket as its input.
        let socket: std::os::fd::OwnedFd = listener.into();
        let process = Sleeper(Command::new(&program).arg("1000").stdin(socket).spawn().unwrap());
        while super::super::table::name(process.0.id()).trim_end() != "socat" {
            std::thread::yield_now();
        }
        let mut finder = Finder::new(Watch::Listening(address));
        for _ in 0..3 {
            let Err(SearchFailure::Unseen(why)) = finder.find_processes() else { panic!("it is no application") };
            assert!(why.to_string().contains("socat listens at"), "{why}");
        }
    }

    #[test]
    fn what_is_not_there_is_told_apart() {
        let port = HeldPort::new();
        let (listener, address) = (port.listen(), port.address());
        let mut finder = Finder::new(Watch::Listening(address));
        assert!(finder.find_processes().is_ok());
        drop(listener);
        assert!(finder.find_processes().is_ok(), "it runs, and finishes what is under way");
        let mut finder = Finder::new(Watch::Listening(address));
        assert!(finder.find_processes().map_err(why).unwrap_err().contains("Nothing on this host listens"));
        let elsewhere = Watch::Listening("192.0.2.7:80".parse().unwrap());
        assert!(
            Finder::new(elsewhere).find_processes().map_err(why).unwrap_err().contains("not an address of this host")
        );
    }
}
