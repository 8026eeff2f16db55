//! Which process the board watches: the one that `--pid` names, or the application behind the proxy.

use std::net::{SocketAddr, UdpSocket};

use watchboard::{Watch, WatchTarget};

use crate::proxy::{Upstream, UpstreamPlace};

/// Without a target the board shows the program's own process. A name's address is not known yet.
pub(crate) fn watch_target(pid: Option<u32>, upstream: Option<&Upstream>) -> Option<WatchTarget> {
    if let Some(pid) = pid {
        return Some(Watch::Pid(pid).into());
    }
    let upstream = upstream?;
    let watch = match (upstream.socket_address(), &upstream.place) {
        (Some(address), _) => Watch::Listening(address),
        (None, UpstreamPlace::Tcp(authority)) => {
            Watch::Unseen(format!("The address of {} is being looked up.", authority.host()))
        }
        (None, UpstreamPlace::Unix(path)) => Watch::Socket(path.to_path_buf()),
    };
    Some(watch.into())
}

/// The address to watch of those that a name has: the one that is watched already, else one of this host, else the first.
pub(crate) fn choose_address(watched: &Watch, addresses: &[SocketAddr]) -> Option<SocketAddr> {
    let is_watched = |address: &&SocketAddr| *watched == Watch::Listening(**address);
    // Only an address of this host can be bound.
    let is_here = |address: &&SocketAddr| UdpSocket::bind((address.ip(), 0)).is_ok();
    let known = addresses.iter().find(is_watched);
    // Name servers change the order at each look-up.
    known.filter(is_here).or_else(|| addresses.iter().find(is_here)).or(known).or(addresses.first()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_this_host_is_watched_for_as_long_as_the_name_has_it() {
        let [elsewhere, here, also_here] =
            ["192.0.2.7:80", "127.0.0.1:80", "127.0.0.2:80"].map(|it| it.parse().unwrap());
        let unseen = Watch::Unseen(String::new());
        assert_eq!(choose_address(&unseen, &[elsewhere, here]), Some(here));
        assert_eq!(choose_address(&Watch::Listening(also_here), &[here, also_here]), Some(also_here));
        assert_eq!(choose_address(&Watch::Listening(also_here), &[elsewhere, here]), Some(here));
        assert_eq!(choose_address(&Watch::Listening(here), &[elsewhere]), Some(elsewhere));
        let far = "192.0.2.8:80".parse().unwrap();
        assert_eq!(choose_address(&Watch::Listening(far), &[elsewhere, far]), Some(far), "another order is no move");
        assert_eq!(choose_address(&Watch::Listening(here), &[]), None);
    }
}
