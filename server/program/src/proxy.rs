//! The proxy in front of an application. It sends each request on to the upstream that the configuration names, and the library's layer
//! records it. hyper does the work of HTTP on both sides.

mod admission;
mod attempts;
mod error_page;
mod failure;
mod failure_log;
mod forward;
mod frames;
mod headers;
mod held_parts;
mod host;
mod idle_connections;
pub(crate) mod openapi;
mod response_body;
mod retry;
mod scheme_probe;
mod spoken_protocol;
mod tunnel;
pub(crate) mod unmatched_routes;
mod upload;
mod upload_rate;
mod upstream;
mod upstream_addresses;
mod upstream_certificates;
mod upstream_link;
mod upstream_pool;
mod upstream_socket;
mod upstream_stream;

use std::{
    convert::Infallible,
    future::ready,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::future::BoxFuture;
use http::{Request, Response, Version, header};
use hyper::body::Incoming;
use tower_service::Service;

use self::{
    admission::{Admission, Refusal},
    forward::Forwarder,
    headers::HeaderFlags,
};
use crate::serve::Arrival;

pub(crate) use self::{
    admission::ProxyBounds,
    response_body::ResponseBody,
    upstream::{Upstream, UpstreamPlace, UpstreamProtocol},
    upstream_addresses::UpstreamAddresses,
    upstream_certificates::UpstreamTlsError,
    upstream_socket::Dialer,
};

/// Sends requests on to one application.
#[derive(Clone)]
pub(crate) struct Proxy {
    admission: Arc<Admission>,
    forwarder: Arc<Forwarder>,
}

impl Proxy {
    /// The application begins its answer within `answers_within` after the last byte of the request, or the client gets a 504.
    pub(crate) fn new(dialer: Dialer, answers_within: Duration, bounds: ProxyBounds) -> Self {
        let streams = bounds.streams.clone();
        let admission = Admission::new(&dialer.upstream, bounds);
        let forwarder = Forwarder::new(dialer, answers_within, 0, streams);
        Self { admission: Arc::new(admission), forwarder: Arc::new(forwarder) }
    }

    /// The same proxy for another thread, with a pool of its own that keeps `most_idle` connections: a connection stays on the thread that
    /// made it.
    pub(crate) fn for_thread(&self, most_idle: usize) -> Self {
        Self { admission: Arc::clone(&self.admission), forwarder: Arc::new(self.forwarder.with_new_pool(most_idle)) }
    }

    /// The service for one request.
    pub(crate) fn service_for<'a>(&'a self, arrival: &'a Arrival) -> ProxyService<'a> {
        ProxyService { proxy: self, arrival }
    }
}

/// The service for one request.
pub(crate) struct ProxyService<'a> {
    proxy: &'a Proxy,
    arrival: &'a Arrival,
}

impl Service<Request<Incoming>> for ProxyService<'_> {
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    /// Does at once all that needs no waiting: a request is large, and a future that holds it is copied with it.
    fn call(&mut self, mut request: Request<Incoming>) -> Self::Future {
        let flags = HeaderFlags::from(request.headers());
        // Before all else: the request stands in the place of one that is no HTTP.
        let note = if request.version() < Version::HTTP_2 { self.arrival.peer.link.take_request_note() } else { None };
        let accept = if flags.accept { request.headers().get(header::ACCEPT).cloned() } else { None };
        match self.proxy.admission.admit(&mut request, &flags, self.arrival, note) {
            Ok(admitted) => self.proxy.forwarder.forward(request, admitted, accept),
            Err(refusal) => {
                if let Refusal::Failure(failure) = refusal {
                    self.proxy.forwarder.log().note(failure);
                }
                Box::pin(ready(Ok(refusal.response(accept.as_ref()))))
            }
        }
    }
}
