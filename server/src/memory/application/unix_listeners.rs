//! The Unix socket that listens at a path: `/proc/net/unix`.

use std::{fs, io, os::unix::net::UnixStream, path::Path};

use watchboard_wire::Reading;

use super::listeners::Listeners;
use crate::memory::failure::or_unknown;

/// The flag of a socket that listens (`__SO_ACCEPTCON`).
const LISTENS: u32 = 0x1_0000;

/// Who listens at a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum UnixListener {
    Known(Listeners),
    /// Nobody: the file is not there, or no process has it open.
    Nobody,
    /// Somebody whom the table does not show: one in another network namespace, or one that named the file by another path.
    Unseen,
}

/// Who listens at a path. If the table does not show it, a connection that is closed at once tells.
pub(super) fn find_unix_listener(path: &Path) -> Reading<UnixListener> {
    let table = or_unknown("/proc/net/unix", fs::read_to_string("/proc/net/unix"))?;
    let inodes = table.lines().skip(1).filter_map(|line| inode_of_listener(line, path)).collect();
    let listeners = Listeners { inodes, uid: None };
    if !listeners.inodes.is_empty() {
        return Ok(UnixListener::Known(listeners));
    }
    Ok(match UnixStream::connect(path) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            UnixListener::Nobody
        }
        _ => UnixListener::Unseen,
    })
}

/// `0000000000000000: 00000002 00000000 00010000 0001 01 23456 /run/app.sock`
fn inode_of_listener(line: &str, path: &Path) -> Option<u64> {
    let mut fields = line.split_ascii_whitespace().skip(3);
    let flags = u32::from_str_radix(fields.next()?, 16).ok()?;
    let inode = fields.nth(2)?;
    let (_, named) = line.split_once(&format!(" {inode} "))?;
    (flags & LISTENS != 0 && Path::new(named) == path).then(|| inode.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener as Socket;

    #[test]
    fn a_socket_is_found_while_somebody_listens() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("an app.sock");
        assert_eq!(find_unix_listener(&path), Ok(UnixListener::Nobody), "there is no file");
        let socket = Socket::bind(&path).unwrap();
        let Ok(UnixListener::Known(found)) = find_unix_listener(&path) else { panic!("it listens") };
        assert_eq!(found.inodes.len(), 1);
        let other_name = folder.path().join("other.sock");
        fs::hard_link(&path, &other_name).unwrap();
        assert_eq!(find_unix_listener(&other_name), Ok(UnixListener::Unseen), "by another path");
        drop(socket);
        assert_eq!(find_unix_listener(&path), Ok(UnixListener::Nobody), "the file is left");
    }
}
