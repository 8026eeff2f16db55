//! Finds the client of a request: the peer of the connection, or the client that a trusted proxy names.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use thiserror::Error;
use watchboard::BasePath;

pub(crate) const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
pub(crate) const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// The client of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) address: IpAddr,
    /// Whether the client itself speaks TLS, to us or to a trusted proxy.
    pub(crate) https: bool,
    /// Whether the peer is a trusted proxy, whose forwarding headers hold.
    pub(crate) forwarded: bool,
}

impl Client {
    /// The prefix that a trusted proxy serves the board below. One that is no path, or given twice, is ignored.
    pub(crate) fn base_path(&self, headers: &HeaderMap) -> Option<BasePath> {
        let mut prefixes = headers.get_all(X_FORWARDED_PREFIX).iter();
        let prefix = prefixes.next().filter(|_| self.forwarded)?;
        if prefixes.next().is_some() { None } else { prefix.to_str().ok()?.parse().ok() }
    }
}

/// The proxies whose `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Prefix` count. Those of other peers are ignored.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrustedProxies(Arc<[IpNet]>);

impl FromIterator<IpNet> for TrustedProxies {
    fn from_iter<I: IntoIterator<Item = IpNet>>(networks: I) -> Self {
        Self(networks.into_iter().collect())
    }
}

impl TrustedProxies {
    fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The client of a request with these headers. Each proxy appends its peer to `X-Forwarded-For`: the client is the last address that is
    /// not a trusted proxy. An unreadable entry ends the search at the address behind it.
    pub(crate) fn client(&self, peer: SocketAddr, tls: bool, headers: &HeaderMap) -> Client {
        let peer = peer.ip().to_canonical();
        if !self.trust(peer) {
            return Client { address: peer, https: tls, forwarded: false };
        }
        let lists: Vec<&str> =
            headers.get_all(X_FORWARDED_FOR).iter().map(|value| value.to_str().unwrap_or_default()).collect();
        let mut address = peer;
        for heard in lists.iter().rev().flat_map(|list| list.rsplit(',')) {
            let Some(heard) = parse_address(heard.trim()) else { break };
            address = heard;
            if !self.trust(heard) {
                break;
            }
        }
        let proto = headers.get_all(X_FORWARDED_PROTO).iter().next_back().and_then(|value| value.to_str().ok());
        let proto = proto.and_then(|protos| protos.rsplit(',').next()).map(str::trim);
        Client { address, https: proto.map_or(tls, |proto| proto.eq_ignore_ascii_case("https")), forwarded: true }
    }
}

/// An address as proxies write it: with or without a port, IPv6 with or without brackets.
fn parse_address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(text, |(address, _)| address);
    let address: IpAddr = bare.parse().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))?;
    Some(address.to_canonical())
}

/// Text that is neither an address nor a network.
#[derive(Debug, Error)]
#[error("it is neither an address nor a network, as in 10.0.0.0/8")]
pub(crate) struct NetworkError;

/// A network as flags name it: `10.0.0.0/8`, or one address.
pub(crate) fn network(text: &str) -> Result<IpNet, NetworkError> {
    let one = || text.parse::<IpAddr>().ok().map(IpNet::from);
    text.parse().ok().or_else(one).ok_or(NetworkError)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &[&str], peer: &str, tls: bool, headers: &[(&HeaderName, &str)]) -> (String, bool) {
        let trusted: TrustedProxies = trusted.iter().map(|text| network(text).unwrap()).collect();
        let headers = headers.iter().map(|(name, value)| ((*name).clone(), value.parse().unwrap())).collect();
        let client = trusted.client(format!("{peer}:40000").parse().unwrap(), tls, &headers);
        (client.address.to_string(), client.https)
    }

    #[test]
    fn strangers_are_who_their_connection_says() {
        let lies = [(&X_FORWARDED_FOR, "10.0.0.9"), (&X_FORWARDED_PROTO, "https")];
        assert_eq!(client(&[], "203.0.113.7", false, &lies), ("203.0.113.7".into(), false));
        assert_eq!(client(&["10.0.0.0/8"], "203.0.113.7", true, &[]), ("203.0.113.7".into(), true));
    }

    #[test]
    fn a_trusted_proxy_tells_the_client_and_what_it_speaks() {
        let headers = [(&X_FORWARDED_FOR, "198.51.100.1, 203.0.113.7, 10.0.0.2"), (&X_FORWARDED_PROTO, "https")];
        assert_eq!(client(&["10.0.0.0/8"], "10.0.0.1", false, &headers), ("203.0.113.7".into(), true));
        let two = [(&X_FORWARDED_FOR, "198.51.100.1"), (&X_FORWARDED_FOR, "[2001:db8::1]:4711")];
        assert_eq!(client(&["::1"], "[::1]", false, &two).0, "2001:db8::1");
        let unreadable = [(&X_FORWARDED_FOR, "203.0.113.7, unknown, 10.0.0.2")];
        assert_eq!(client(&["10.0.0.0/8"], "10.0.0.1", false, &unreadable).0, "10.0.0.2");
        assert_eq!(client(&["127.0.0.1"], "[::ffff:127.0.0.1]", false, &[]).0, "127.0.0.1");
    }

    #[test]
    fn only_a_trusted_proxy_names_the_prefix() {
        let client = |forwarded| Client { address: IpAddr::from([127, 0, 0, 1]), https: false, forwarded };
        let headers = |prefixes: &[&str]| -> HeaderMap {
            prefixes.iter().map(|prefix| (X_FORWARDED_PREFIX, prefix.parse().unwrap())).collect()
        };
        let prefix = |forwarded, prefixes: &[&str]| client(forwarded).base_path(&headers(prefixes));
        assert_eq!(prefix(true, &["/ops/"]).unwrap().as_str(), "/ops");
        assert_eq!(prefix(false, &["/ops"]), None);
        for prefixes in [&["/ops", "/ops"][..], &["//evil.example"], &["/a, /b"], &[]] {
            assert_eq!(prefix(true, prefixes), None, "{prefixes:?}");
        }
    }

    #[test]
    fn networks_are_read_and_refused() {
        assert_eq!(network("10.0.0.0/8").unwrap().to_string(), "10.0.0.0/8");
        assert_eq!(network("::1").unwrap().to_string(), "::1/128");
        assert!(network("localhost").unwrap_err().to_string().contains("10.0.0.0/8"));
    }
}
