//! The application whose memory is watched, if it is not the monitor's own process.

use std::{fmt, net::SocketAddr};

/// An application in other processes on this host, for [`Builder::watch_process`](crate::Builder::watch_process).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Watch {
    /// The process with this id and its descendants. Once it has ended, nothing is watched: the next process has another id.
    Pid(u32),
    /// The process that listens at this TCP address of this host, and its descendants. If several have the socket open, it is the
    /// topmost of them. Once they have ended, it is the next process that listens there.
    Listening(SocketAddr),
    /// No process can be seen, for this reason. The board shows the reason, and not its own process.
    Unseen(String),
}

impl fmt::Display for Watch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pid(pid) => write!(formatter, "process {pid}"),
            Self::Listening(address) => write!(formatter, "listening at {address}"),
            Self::Unseen(_) => formatter.write_str("which cannot be seen"),
        }
    }
}
