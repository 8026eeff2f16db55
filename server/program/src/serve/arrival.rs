//! Where a request comes from.

use std::{net::SocketAddr, sync::Arc};

use http::HeaderValue;

use super::{accept::ConnectionPlace, client::Client, client_link::ClientLink, drain::DrainWatch};

/// The peer and the client of a request.
#[derive(Clone)]
pub(crate) struct Arrival {
    pub(crate) peer: Arc<Peer>,
    pub(crate) client: Client,
}

/// The other end of a connection.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    /// Its address as `X-Forwarded-For` has it.
    pub(crate) text: HeaderValue,
    /// The address and the scheme, as `Forwarded` has them.
    pub(crate) forwarded: HeaderValue,
    /// The end of the server, for a tunnel.
    pub(crate) drain: DrainWatch,
    /// Between an HTTP/1 connection and its requests. HTTP/2 does not use it.
    pub(crate) link: Arc<ClientLink>,
    /// The place of the connection. A tunnel has a place of its own.
    _place: ConnectionPlace,
}

impl Peer {
    pub(super) fn new(address: SocketAddr, tls: bool, drain: DrainWatch, place: ConnectionPlace) -> Arc<Self> {
        let proto = if tls { "https" } else { "http" };
        let ip = address.ip().to_canonical();
        let node = if ip.is_ipv4() { ip.to_string() } else { format!("\"[{ip}]\"") };
        let header = |text: String| HeaderValue::try_from(text).expect("an address is text");
        Arc::new(Self {
            address,
            text: header(ip.to_string()),
            forwarded: header(format!("for={node};proto={proto}")),
            drain,
            link: Arc::default(),
            _place: place,
        })
    }
}
