//! The open files and connections of a process: `/proc/PID/fd`, `/proc/PID/net/{tcp,udp}{,6}`.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, BufRead, BufReader},
    os::unix::ffi::OsStrExt,
    path::Path,
};

use rustix::{
    fs::{AtFlags, CWD, FileType, StatxFlags, statx},
    io::Errno,
};
use watchboard_wire::{Handles, Reading};

use super::{
    failure::{or_refused, or_unknown},
    sockets::{SocketEntry, socket_inode},
};
use crate::clock::now_unix_ms;

/// The open files and sockets of one process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OpenHandles {
    pub(super) open_files: u64,
    pub(super) sockets: HashSet<u64>,
}

/// The monitor's own process.
pub(super) fn read() -> Reading<Handles> {
    let folder = Path::new("/proc/self");
    let OpenHandles { open_files, sockets } = read_of(folder)?;
    Ok(Handles { read_at_unix_ms: now_unix_ms(), open_files, connections: count_connections(folder, &sockets)? })
}

/// A process by its folder. Counts as psutil does: regular files that still have a name.
pub(super) fn read_of(folder: &Path) -> Reading<OpenHandles> {
    let descriptors = folder.join("fd");
    let name = descriptors.display().to_string();
    let mut open = OpenHandles::default();
    for entry in or_refused(&name, fs::read_dir(&descriptors))?.flatten() {
        let target = match fs::read_link(entry.path()) {
            Ok(target) => target,
            // A process may be allowed to list the descriptors and not to read them.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return or_refused(&name, Err(error)),
            // A descriptor that closes during the reading is left out.
            Err(_) => continue,
        };
        if let Some(inode) = socket_inode(&target) {
            open.sockets.insert(inode);
        } else if target.starts_with("/") && !target.as_os_str().as_bytes().ends_with(b" (deleted)") {
            // The files of `/proc` that the probes keep open are among those of the monitor's own process.
            open.open_files += u64::from(is_regular_file(&entry.path()));
        }
    }
    Ok(open)
}

/// By the descriptor itself and what the kernel knows of it: a file system that hangs is not asked.
fn is_regular_file(descriptor: &Path) -> bool {
    match statx(CWD, descriptor.as_os_str().as_bytes(), AtFlags::STATX_DONT_SYNC, StatxFlags::TYPE) {
        Ok(found) => FileType::from_raw_mode(found.stx_mode.into()) == FileType::RegularFile,
        // It was closed meanwhile.
        Err(Errno::NOENT) => false,
        // Kernels before 4.11 do not have this call, and some sandboxes refuse it.
        Err(_) => descriptor.is_file(),
    }
}

/// Connections by the inodes of their sockets, as psutil does. A socket of several processes counts once.
pub(super) fn count_connections(folder: &Path, sockets: &HashSet<u64>) -> Reading<u64> {
    let count = |table: &str| count_in_table(&folder.join("net").join(table), sockets);
    // A kernel without IPv6 has no tables of it, and no such connections.
    let count_v6 = |table: &str| match count(table) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        counted => counted,
    };
    let tcp = or_unknown("/proc/PID/net/tcp", count("tcp"))? + or_unknown("/proc/PID/net/tcp6", count_v6("tcp6"))?;
    let udp = or_unknown("/proc/PID/net/udp", count("udp"))? + or_unknown("/proc/PID/net/udp6", count_v6("udp6"))?;
    Ok(tcp + udp)
}

fn count_in_table(file: &Path, sockets: &HashSet<u64>) -> io::Result<u64> {
    let mut count = 0;
    for line in BufReader::new(File::open(file)?).lines() {
        count += u64::from(SocketEntry::parse(&line?).is_some_and(|entry| sockets.contains(&entry.inode)));
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, UdpSocket};

    #[test]
    fn sockets_and_files_of_this_process_are_counted_and_pipes_are_not() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let file = tempfile::tempfile_in("/tmp").unwrap();
        let named = tempfile::NamedTempFile::new().unwrap();
        let handles = read().unwrap();
        assert!(handles.connections >= 2 && handles.open_files >= 1, "{handles:?}");
        drop((listener, udp, file, named));
        let open = read_of(Path::new("/proc/self")).unwrap();
        assert_eq!(count_connections(Path::new("/proc/self"), &HashSet::new()), Ok(0));
        assert!(count_connections(Path::new("/proc/self"), &open.sockets).is_ok());
        let missing = read_of(Path::new("/proc/4294967295")).unwrap_err().to_string();
        assert!(missing.contains("cannot read /proc/4294967295/fd"), "{missing}");
    }
}
