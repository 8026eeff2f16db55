//! What the process holds open: `/proc/self/fd`, `/proc/net/{tcp,udp}{,6}`.

use std::collections::HashSet;

use procfs::process::{FDTarget, Process};
use watchboard_app::wire::{Handles, Reading};

use super::unreadable;
use crate::clock::now_unix_ms;

/// Counts as psutil does: regular files by `stat`, connections by their sockets' inodes.
pub(super) fn read() -> Reading<Handles> {
    let process = unreadable("/proc/self", Process::myself())?;
    let mut handles = Handles { read_at_unix_ms: now_unix_ms(), ..Handles::default() };
    let mut sockets = HashSet::new();
    // A descriptor may close while it is looked at: it is then no longer there to be counted.
    for descriptor in unreadable("/proc/self/fd", process.fd())?.flatten() {
        match descriptor.target {
            FDTarget::Socket(inode) => _ = sockets.insert(inode),
            // The files of `/proc` that the probes keep open are among them.
            FDTarget::Path(path) if path.is_absolute() && path.is_file() => handles.open_files += 1,
            _ => {}
        }
    }
    handles.connections = connections(&process, &sockets)?;
    Ok(handles)
}

fn connections(process: &Process, sockets: &HashSet<u64>) -> Reading<u64> {
    let tcp = unreadable("/proc/self/net/tcp", process.tcp())?;
    let udp = unreadable("/proc/self/net/udp", process.udp())?;
    // A kernel without IPv6 has no tables of it, and then no such connections.
    let tcp6 = process.tcp6().unwrap_or_default();
    let udp6 = process.udp6().unwrap_or_default();
    let inodes =
        tcp.iter().chain(&tcp6).map(|entry| entry.inode).chain(udp.iter().chain(&udp6).map(|entry| entry.inode));
    Ok(inodes.filter(|inode| sockets.contains(inode)).count() as u64)
}
