//! Accepts connections within a bound, and serves each in a task with limits of time. At the end it drains them.

mod accept;
mod bounds;
pub(crate) mod client;
mod connection;
mod descriptors;
pub(crate) mod drain;
mod h2_idle;
mod log_limit;
mod timer;
pub(crate) mod tls;
pub(crate) mod workers;

use std::{convert::Infallible, error::Error, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Buf;
use http::{HeaderValue, Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use tokio::{net::TcpListener, sync::watch};
use watchboard::Capacity;

use self::{
    accept::{ConnectionPlace, ConnectionPlaces, accept},
    client::{Client, TrustedProxies},
    connection::{Connection, http},
    drain::{Drain, DrainWatch},
    tls::Tls,
};

pub(crate) use self::{
    accept::{keep_alive, listen},
    bounds::Bounds,
    log_limit::LogLimit,
};

/// Requests in progress and tunnels have this long to finish after the signal to stop.
const DRAIN_WITHIN: Duration = Duration::from_secs(10);

/// The server at one address.
pub(crate) struct HttpServer {
    pub(crate) listener: TcpListener,
    pub(crate) tls: Option<Tls>,
    pub(crate) trusted: TrustedProxies,
    /// Connections at once. Further ones wait to be accepted.
    pub(crate) max_connections: usize,
    /// Where they are counted.
    pub(crate) capacity: Capacity,
}

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
    /// The place of the connection. A tunnel has a place of its own.
    _place: ConnectionPlace,
}

impl Peer {
    fn new(address: SocketAddr, tls: bool, drain: DrainWatch, place: ConnectionPlace) -> Arc<Self> {
        let proto = if tls { "https" } else { "http" };
        let ip = address.ip().to_canonical();
        let node = if ip.is_ipv4() { ip.to_string() } else { format!("\"[{ip}]\"") };
        let header = |text: String| HeaderValue::try_from(text).expect("an address is text");
        Arc::new(Self {
            address,
            text: header(ip.to_string()),
            forwarded: header(format!("for={node};proto={proto}")),
            drain,
            _place: place,
        })
    }
}

impl HttpServer {
    /// Answers requests by `handle` until `stop` turns true, then waits for what is in progress, at most [`DRAIN_WITHIN`].
    pub(crate) async fn run<H, F, B>(self, handle: H, mut stop: watch::Receiver<bool>)
    where
        H: Fn(Request<Incoming>, Arrival) -> F + Clone + Send + 'static,
        F: Future<Output = Result<Response<B>, Infallible>> + Send + 'static,
        B: Body<Data: Buf + Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
    {
        let (places, drain) = (ConnectionPlaces::new(self.max_connections, self.capacity), Drain::new());
        let http = Arc::new(http());
        loop {
            let (stream, peer, place) = tokio::select! {
                accepted = accept(&self.listener, &places) => accepted,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            let connection = Connection {
                peer,
                place,
                places: places.clone(),
                tls: self.tls.clone(),
                trusted: self.trusted.clone(),
                http: Arc::clone(&http),
                drain: drain.watch(),
            };
            let handle = handle.clone();
            tokio::spawn(connection.serve(stream, handle));
        }
        drop(self.listener);
        if !drain.finish(DRAIN_WITHIN).await {
            tracing::warn!("requests or tunnels were still open after {DRAIN_WITHIN:?}: their connections are closed");
        }
    }
}
