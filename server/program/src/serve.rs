//! Accepts connections within a bound, and serves each in a task with limits of time. At the end it drains them.

mod accept;
mod arrival;
mod body_framing;
mod bounds;
pub(crate) mod client;
mod client_link;
mod client_stream;
mod connection;
mod descriptors;
pub(crate) mod drain;
mod h2_idle;
mod log_limit;
mod pending_output;
mod request_head;
mod timer;
pub(crate) mod tls;
pub(crate) mod trailers;
pub(crate) mod workers;

use std::{convert::Infallible, error::Error, sync::Arc, time::Duration};

use bytes::Buf;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use tokio::{net::TcpListener, sync::watch};
use watchboard::Capacity;

use self::{
    accept::{ConnectionPlaces, accept},
    client::TrustedProxies,
    connection::{Connection, http},
    drain::Drain,
    tls::Tls,
};
use crate::tasks::spawn_once;

pub(crate) use self::{
    accept::{RESTART_PAUSE, keep_alive, lacks_something, listen},
    arrival::Arrival,
    bounds::Bounds,
    client_link::{ClientEnd, ClientLink, RequestNote},
    log_limit::LogLimit,
    pending_output::{PendingOutput, PendingTrailers},
    request_head::{HeadError, MAX_FIELDS},
};

/// Requests in progress and tunnels have this long to finish after the signal to stop.
const DRAIN_WITHIN: Duration = Duration::from_secs(10);

/// The server at one address.
pub(crate) struct HttpServer {
    pub(crate) listener: Arc<TcpListener>,
    pub(crate) tls: Option<Tls>,
    pub(crate) trusted: TrustedProxies,
    /// Connections at once. Further ones wait to be accepted.
    pub(crate) max_connections: usize,
    /// Where they are counted.
    pub(crate) capacity: Capacity,
    /// Whether the responses are those of an application, which pass as they are.
    pub(crate) is_proxy: bool,
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
        let http = Arc::new(http(!self.is_proxy));
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
                is_proxy: self.is_proxy,
            };
            let handle = handle.clone();
            spawn_once("connection", connection.serve(stream, handle));
        }
        drop(self.listener);
        if !drain.finish(DRAIN_WITHIN).await {
            tracing::warn!("requests or tunnels were still open after {DRAIN_WITHIN:?}: their connections are closed");
        }
    }
}

#[cfg(test)]
mod tests;
