//! Who has sockets open: the links of `/proc/PID/fd`.

use std::{collections::BTreeSet, fs, io, path::Path};

/// Links that are looked at in one search, which takes a tenth of a second then.
const MOST_LINKS: usize = 65_536;

/// What a search has found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Owners {
    pub(super) pids: Vec<u32>,
    /// Whether there are processes whose descriptors may not be seen.
    pub(super) some_hidden: bool,
    /// Whether it was given up before all processes had been looked at.
    pub(super) given_up: bool,
}

/// The processes that have one of these sockets open.
pub(super) fn of(sockets: &BTreeSet<u64>, pids: impl Iterator<Item = u32>) -> Owners {
    let mut found = Owners::default();
    let mut left = MOST_LINKS;
    for pid in pids {
        if left == 0 {
            found.given_up = true;
            break;
        }
        match holds(pid, sockets, &mut left) {
            Ok(true) => found.pids.push(pid),
            Ok(false) => {}
            // One that has ended meanwhile holds nothing.
            Err(error) => found.some_hidden |= error.kind() == io::ErrorKind::PermissionDenied,
        }
    }
    found
}

fn holds(pid: u32, sockets: &BTreeSet<u64>, left: &mut usize) -> io::Result<bool> {
    let folder = format!("/proc/{pid}/fd");
    for entry in fs::read_dir(&folder)?.flatten().take(*left) {
        *left -= 1;
        match fs::read_link(entry.path()) {
            Ok(target) if socket(&target).is_some_and(|socket| sockets.contains(&socket)) => return Ok(true),
            // The list may be allowed where what stands in it is not.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(error),
            // A descriptor may close while it is looked at.
            Ok(_) | Err(_) => {}
        }
    }
    Ok(false)
}

/// `socket:[INODE]`.
fn socket(target: &Path) -> Option<u64> {
    target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::application::listeners;
    use std::net::TcpListener;

    #[test]
    fn this_process_has_its_own_sockets_and_no_others() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let sockets = listeners::at(listener.local_addr().unwrap()).unwrap().inodes;
        let own = std::process::id();
        assert_eq!(of(&sockets, [1, own].into_iter()).pids, [own]);
        assert_eq!(of(&[0].into(), [own].into_iter()), Owners::default());
    }
}
