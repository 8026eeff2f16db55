//! What a process holds open: `/proc/PID/fd`, `/proc/PID/net/{tcp,udp}{,6}`.

use std::{collections::HashSet, path::PathBuf};

use procfs::{
    ProcError,
    process::{FDTarget, Process},
};
use watchboard_wire::{Handles, Reading};

use super::{readable, unreadable};
use crate::clock::now_unix_ms;

/// What one process has open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Open {
    pub(super) open_files: u64,
    pub(super) sockets: HashSet<u64>,
}

/// Of the monitor's own process.
pub(super) fn read() -> Reading<Handles> {
    let process = unreadable("/proc/self", Process::myself())?;
    let open = open(&process)?;
    let connections = connections(&process, &open.sockets)?;
    Ok(Handles { read_at_unix_ms: now_unix_ms(), open_files: open.open_files, connections })
}

/// Counts as psutil does: regular files by `stat`.
pub(super) fn open(process: &Process) -> Reading<Open> {
    let folder = format!("/proc/{}/fd", process.pid());
    // Paths are as the process sees them, which may be in a container.
    let is_own = process.pid().cast_unsigned() == std::process::id();
    let root = PathBuf::from(if is_own { "/".to_owned() } else { format!("/proc/{}/root", process.pid()) });
    let mut found = Open::default();
    for descriptor in readable(&folder, process.fd())? {
        let descriptor = match descriptor {
            Ok(descriptor) => descriptor,
            // The list may be allowed where what stands in it is not.
            Err(refused @ ProcError::PermissionDenied(_)) => return readable(&folder, Err(refused)),
            // A descriptor may close while it is looked at: it is then no longer there to be counted.
            Err(_) => continue,
        };
        match descriptor.target {
            FDTarget::Socket(inode) => _ = found.sockets.insert(inode),
            // Of the monitor's own process the files of `/proc` that the probes keep open are among them.
            FDTarget::Path(path) => {
                found.open_files += u64::from(path.strip_prefix("/").is_ok_and(|path| root.join(path).is_file()));
            }
            _ => {}
        }
    }
    Ok(found)
}

/// Connections by their sockets' inodes, as psutil does; a socket that several processes hold counts once.
pub(super) fn connections(process: &Process, sockets: &HashSet<u64>) -> Reading<u64> {
    let tcp = unreadable("/proc/PID/net/tcp", process.tcp())?;
    let udp = unreadable("/proc/PID/net/udp", process.udp())?;
    // A kernel without IPv6 has no tables of it, and then no such connections.
    let tcp6 = process.tcp6().unwrap_or_default();
    let udp6 = process.udp6().unwrap_or_default();
    let inodes =
        tcp.iter().chain(&tcp6).map(|entry| entry.inode).chain(udp.iter().chain(&udp6).map(|entry| entry.inode));
    Ok(inodes.filter(|inode| sockets.contains(inode)).count() as u64)
}
