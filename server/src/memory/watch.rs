//! The application whose memory is watched, if it is not the monitor's own process.

use std::{
    fmt,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// An application in other processes on this host, for [`Builder::watch_process`](crate::Builder::watch_process).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Watch {
    /// The process with this id and its descendants. Once it has ended, nothing is watched: the next process has another id.
    Pid(u32),
    /// The process that listens at this TCP address of this host, and its descendants. If several have the socket open, it is the
    /// topmost of them. Once they have ended, it is the next process that listens there.
    Listening(SocketAddr),
    /// The process that listens at the Unix socket with this path on this host, and its descendants, as for an address.
    Socket(PathBuf),
    /// No process can be seen, for this reason. The board shows the reason, and not its own process.
    Unseen(String),
}

impl fmt::Display for Watch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pid(pid) => write!(formatter, "process {pid}"),
            Self::Listening(address) => write!(formatter, "listening at {address}"),
            Self::Socket(path) => write!(formatter, "listening at {}", path.display()),
            Self::Unseen(_) => formatter.write_str("which cannot be seen"),
        }
    }
}

/// A watched application whose address may change, as that of a name does. Clones share their state.
///
/// ```
/// use watchboard::{Monitor, Watch, WatchTarget};
///
/// let target = WatchTarget::from(Watch::Unseen("its name is being looked up".to_owned()));
/// let builder = Monitor::builder().watch_process(target.clone());
/// target.set_watch(Watch::Listening(([127, 0, 0, 1], 8000).into()));
/// ```
#[derive(Clone, Debug)]
pub struct WatchTarget(Arc<Mutex<TargetState>>);

#[derive(Debug)]
struct TargetState {
    watch: Watch,
    unresolved: Option<String>,
}

impl WatchTarget {
    /// Watches another process from the next second on. That is no restart of the application.
    pub fn set_watch(&self, watch: Watch) {
        self.state().watch = watch;
    }

    /// Sets why no address of the application is known: a finding, since no request reaches it. `None` once an address is known.
    pub fn set_unresolved(&self, reason: Option<String>) {
        self.state().unresolved = reason;
    }

    /// What is watched now.
    #[must_use]
    pub fn watch(&self) -> Watch {
        self.state().watch.clone()
    }

    pub(super) fn unresolved(&self) -> Option<String> {
        self.state().unresolved.clone()
    }

    fn state(&self) -> MutexGuard<'_, TargetState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Watch> for WatchTarget {
    fn from(watch: Watch) -> Self {
        Self(Arc::new(Mutex::new(TargetState { watch, unresolved: None })))
    }
}
