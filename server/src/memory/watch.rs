//! Whose memory is watched, where it is not the monitor's own process.

use std::{fmt, net::SocketAddr};

/// An application of other processes than the monitor's own, on this host, for [`Builder::watch_process`](crate::Builder::watch_process).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Watch {
    /// The process of this id, and all that descend from it. Once it has ended nothing is watched: an id is not kept for the next.
    Pid(u32),
    /// The process that listens at this TCP address of this host, and all that descend from it; of several that have the socket open
    /// the topmost. Once they have ended, those that listen there next.
    Listening(SocketAddr),
    /// None that can be seen, for this reason: the board says so, and does not show its own process in its place.
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
