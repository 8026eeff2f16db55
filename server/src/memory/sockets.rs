//! The tables of sockets, `/proc/net/{tcp,udp}{,6}`, and the links to sockets among the descriptors of a process.

use std::{
    net::{IpAddr, SocketAddr},
    path::Path,
};

/// The state of a TCP socket that listens, and the state of a connection that is being accepted.
pub(super) const LISTEN: u8 = 0x0A;
pub(super) const SYN_RECEIVED: u8 = 0x03;

/// One line of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SocketEntry {
    pub(super) local: SocketAddr,
    pub(super) state: u8,
    pub(super) uid: u32,
    pub(super) inode: u64,
}

impl SocketEntry {
    /// `0: 0100007F:1F90 00000000:0000 0A …`; nothing for the heading.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split_whitespace().skip(1);
        let local = parse_address(fields.next()?)?;
        let state = u8::from_str_radix(fields.nth(1)?, 16).ok()?;
        let uid = fields.nth(3)?.parse().ok()?;
        Some(Self { local, state, uid, inode: fields.nth(1)?.parse().ok()? })
    }
}

/// The kernel writes an address as words of its own byte order.
fn parse_address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let word = |at: usize| Some(u32::from_str_radix(ip.get(at..at + 8)?, 16).ok()?.to_ne_bytes());
    let ip = match ip.len() {
        8 => IpAddr::from(word(0)?),
        32 => {
            let mut bytes = [0; 16];
            for (index, part) in bytes.chunks_exact_mut(4).enumerate() {
                part.copy_from_slice(&word(8 * index)?);
            }
            IpAddr::from(bytes)
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
}

/// The inode of the socket that a descriptor links to: `socket:[INODE]`.
pub(super) fn socket_inode(target: &Path) -> Option<u64> {
    target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_of_both_families_are_read_and_the_heading_is_not() {
        let heading =
            "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
        assert_eq!(SocketEntry::parse(heading), None);
        let word = |bytes: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(bytes));
        let rest = "0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0000000000000000 100 0 0 10 0";
        let v4 = format!("   0: {}:1F90 00000000:0000 {rest}", word([127, 0, 0, 1]));
        let entry = |local: &str| SocketEntry { local: local.parse().unwrap(), state: LISTEN, uid: 1000, inode: 4711 };
        assert_eq!(SocketEntry::parse(&v4), Some(entry("127.0.0.1:8080")));
        let zero = "0".repeat(24);
        let v6 = format!("   1: {zero}{}:1F90 {}:0000 {rest}", word([0, 0, 0, 1]), "0".repeat(32));
        assert_eq!(SocketEntry::parse(&v6), Some(entry("[::1]:8080")));
    }

    proptest! {
        #[test]
        fn any_text_is_survived(line in "( *[0-9]+: [0-9A-F]{0,34}:[0-9A-F]{0,5}( [0-9A-F:é]{0,9}){0,9})|.{0,99}") {
            let _ = SocketEntry::parse(&line);
        }
    }
}
