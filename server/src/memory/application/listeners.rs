//! The TCP sockets that listen at an address of this host: `/proc/net/{tcp,tcp6}`.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, BufRead, BufReader},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
};

use rustix::io::Errno;
use watchboard_wire::Reading;

use crate::memory::{
    failure::or_unknown,
    sockets::{LISTEN, SYN_RECEIVED, SocketEntry},
};

/// No machine has more listeners. A longer file is not the table.
const MAX_LISTENERS: usize = 65_536;

/// The sockets that serve an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Listeners {
    pub(super) inodes: BTreeSet<u64>,
    /// The user who opened them.
    pub(super) uid: Option<u32>,
}

/// The sockets that accept a connection to `address`; empty if nothing listens there.
pub(super) fn find_listeners(address: SocketAddr) -> Reading<Listeners> {
    let tables = [or_unknown("/proc/net/tcp", read("/proc/net/tcp"))?, or_unknown("/proc/net/tcp6", read_tcp6())?];
    let mut nearest: Option<(u8, Listeners)> = None;
    for entry in tables.iter().flatten() {
        let Some(rank) = rank(entry.local, address) else { continue };
        match &mut nearest {
            Some((best, listeners)) if *best == rank => _ = listeners.inodes.insert(entry.inode),
            Some((best, _)) if *best < rank => {}
            _ => nearest = Some((rank, Listeners { inodes: [entry.inode].into(), uid: Some(entry.uid) })),
        }
    }
    Ok(nearest.map(|(_, listeners)| listeners).unwrap_or_default())
}

/// A kernel without IPv6 has no table of it.
fn read_tcp6() -> io::Result<Vec<SocketEntry>> {
    match read("/proc/net/tcp6") {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(vec![]),
        read => read,
    }
}

/// The sockets that listen. They come first in the table; connections, of which there may be any number, are not read.
fn read(file: &str) -> io::Result<Vec<SocketEntry>> {
    let mut listeners = vec![];
    for line in BufReader::new(File::open(file)?).lines().skip(1).take(MAX_LISTENERS) {
        let entry = SocketEntry::parse(&line?).ok_or_else(|| io::Error::other("a line is not of the known form"))?;
        match entry.state {
            LISTEN => listeners.push(entry),
            // Older kernels list connections that are being accepted among the listeners.
            SYN_RECEIVED => {}
            _ => break,
        }
    }
    Ok(listeners)
}

/// How near a socket that listens at `local` is to `wanted`, 0 the nearest; the kernel takes the nearest.
fn rank(local: SocketAddr, wanted: SocketAddr) -> Option<u8> {
    if local.port() != wanted.port() {
        return None;
    }
    let any = |ip: IpAddr| ip.is_unspecified();
    // "localhost" is both.
    let localhost = |ip: IpAddr| ip == Ipv4Addr::LOCALHOST || ip == Ipv6Addr::LOCALHOST;
    match (local.ip().to_canonical(), wanted.ip().to_canonical()) {
        (local, wanted) if local == wanted => Some(0),
        (local, wanted) if any(local) && local.is_ipv4() == wanted.is_ipv4() => Some(1),
        // What listens at all addresses of IPv6 serves those of IPv4 too.
        (local, wanted) if any(local) && local.is_ipv6() => Some(if any(wanted) { 1 } else { 2 }),
        (local, wanted) if any(wanted) && local.is_loopback() => Some(2),
        (local, wanted) if localhost(local) && localhost(wanted) => Some(3),
        (local, wanted) if any(local) && localhost(wanted) => Some(4),
        _ => None,
    }
}

/// Whether an address is one of this host's: only then can a socket be bound to it. Without a free descriptor it may be one.
pub(super) fn is_here(ip: IpAddr) -> bool {
    let out_of_descriptors = |error: io::Error| {
        [Errno::MFILE, Errno::NFILE].iter().any(|out| error.raw_os_error() == Some(out.raw_os_error()))
    };
    ip.is_unspecified() || ip.is_loopback() || UdpSocket::bind((ip, 0)).map_or_else(out_of_descriptors, |_| true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use watchboard_test_support::HeldPort;

    #[test]
    fn the_nearest_address_serves() {
        let rank = |local: &str, wanted: &str| rank(local.parse().unwrap(), wanted.parse().unwrap());
        let to = "127.0.0.1:80";
        let served = ["127.0.0.1:80", "[::ffff:127.0.0.1]:80", "0.0.0.0:80", "[::]:80", "[::1]:80"];
        assert_eq!(served.map(|local| rank(local, to)), [Some(0), Some(0), Some(1), Some(2), Some(3)]);
        let served = ["[::1]:80", "[::]:80", "127.0.0.1:80", "0.0.0.0:80"];
        assert_eq!(served.map(|local| rank(local, "[::1]:80")), [Some(0), Some(1), Some(3), Some(4)]);
        for not in ["127.0.0.1:81", "127.0.0.2:80", "10.0.0.1:80", "[::1]:81", "[fe80::1]:80"] {
            assert_eq!(rank(not, to), None, "{not}");
        }
        assert_eq!([rank("127.0.0.1:80", "0.0.0.0:80"), rank("10.0.0.1:80", "0.0.0.0:80")], [Some(2), None]);
        assert_eq!([rank("0.0.0.0:80", "10.0.0.1:80"), rank("[::1]:80", "10.0.0.1:80")], [Some(1), None]);
    }

    #[test]
    fn what_listens_is_found_and_what_does_not_is_not() {
        let [all, both] = ["0.0.0.0:0", "[::]:0"].map(|at| TcpListener::bind(at).unwrap());
        let port = HeldPort::new();
        let here = port.listen();
        for listener in [&here, &all, &both] {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, listener.local_addr().unwrap().port()));
            assert_eq!(find_listeners(address).unwrap().inodes.len(), 1, "{address}");
        }
        drop(here);
        assert_eq!(find_listeners(port.address()), Ok(Listeners::default()));
    }

    #[test]
    fn addresses_of_others_are_not_here() {
        assert!(is_here(Ipv4Addr::LOCALHOST.into()) && is_here(Ipv6Addr::LOCALHOST.into()));
        // Of a network that is for documents alone.
        assert!(!is_here("192.0.2.7".parse().unwrap()));
    }
}
