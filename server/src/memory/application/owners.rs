//! The processes that have sockets open: the links of `/proc/PID/fd`.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use crate::memory::{failure::is_gone, sockets::socket_inode};

/// The most links that one search reads, in a tenth of a second.
const MAX_LINKS: usize = 65_536;

/// The result of a search.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Owners {
    pub(super) pids: Vec<u32>,
    /// Whether some processes do not show their descriptors.
    pub(super) some_hidden: bool,
    /// Whether the search ended before it had seen all processes.
    pub(super) given_up: bool,
}

/// The processes that have one of these sockets open, among those with these folders.
pub(super) fn find_owners(
    sockets: &BTreeSet<u64>,
    folders: impl Iterator<Item = (u32, PathBuf)>,
) -> io::Result<Owners> {
    let mut found = Owners::default();
    let mut left = MAX_LINKS;
    for (pid, folder) in folders {
        if left == 0 {
            found.given_up = true;
            break;
        }
        match holds(&folder, sockets, &mut left) {
            Ok(true) => found.pids.push(pid),
            Ok(false) => {}
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => found.some_hidden = true,
            // A process that has ended meanwhile holds nothing.
            Err(error) if is_gone(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

fn holds(folder: &Path, sockets: &BTreeSet<u64>, left: &mut usize) -> io::Result<bool> {
    for entry in fs::read_dir(folder.join("fd"))?.flatten().take(*left) {
        *left -= 1;
        match fs::read_link(entry.path()) {
            Ok(target) if socket_inode(&target).is_some_and(|socket| sockets.contains(&socket)) => return Ok(true),
            // A process may be allowed to list the descriptors and not to read them.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(error),
            // A descriptor may close during the search.
            Ok(_) | Err(_) => {}
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::application::listeners;
    use std::net::TcpListener;

    #[test]
    fn this_process_has_its_own_sockets_and_no_others() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let sockets = listeners::find_listeners(listener.local_addr().unwrap()).unwrap().inodes;
        let own = std::process::id();
        let folder = |pid: u32| (pid, PathBuf::from(format!("/proc/{pid}")));
        assert_eq!(find_owners(&sockets, [1, own].map(folder).into_iter()).unwrap().pids, [own]);
        assert_eq!(find_owners(&[0].into(), [own].map(folder).into_iter()).unwrap(), Owners::default());
    }
}
