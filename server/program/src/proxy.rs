//! The proxy in front of an application: each request goes on to the one upstream that was named at the start, and is recorded as
//! the library's layer records any. What HTTP asks of either side is hyper's work.

mod answer;
mod connections;
mod failure;
mod forward;
mod headers;
pub(crate) mod openapi;
mod page;
mod quick_ack;
mod retry;
mod tunnel;
mod upload;
mod wake_filter;

use std::{
    convert::Infallible,
    future::ready,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::future::BoxFuture;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header, uri::Authority};
use hyper::{
    body::{Body, Incoming},
    upgrade::OnUpgrade,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower_service::Service;
use watchboard::UpstreamTiming;

pub(crate) use self::answer::Answer;
use self::{connections::Connections, failure::Failure, headers::Seen, page::page};
use crate::serve::{Arrival, Peer};

/// Requests under way at once; further ones get a 503.
const MOST_UNDER_WAY: usize = 8192;

/// Where requests go.
#[derive(Clone)]
pub(crate) struct Proxy(Arc<Inner>);

struct Inner {
    upstream: Authority,
    /// The application begins to answer within this time after the last of the request, or the client gets a 504.
    answers_within: Duration,
    connections: Arc<Connections>,
    places: Arc<Semaphore>,
    /// What this proxy calls itself in `Via`, so that it knows its own requests when they come round.
    via: HeaderValue,
}

impl Proxy {
    pub(crate) fn new(upstream: Authority, answers_within: Duration) -> Self {
        let via = HeaderValue::try_from(format!("1.1 watchboard-{:016x}", fastrand::u64(..)));
        Self(Arc::new(Inner {
            connections: Connections::new(upstream.clone()),
            upstream,
            answers_within,
            places: Arc::new(Semaphore::new(MOST_UNDER_WAY)),
            via: via.expect("a version and a word"),
        }))
    }

    /// The same proxy for another thread, with connections of its own: one stays on the thread that made it.
    pub(crate) fn of_thread(&self) -> Self {
        let Inner { upstream, answers_within, places, via, .. } = &*self.0;
        Self(Arc::new(Inner {
            connections: Connections::new(upstream.clone()),
            upstream: upstream.clone(),
            answers_within: *answers_within,
            places: Arc::clone(places),
            via: via.clone(),
        }))
    }

    /// The service for one request, of whom it came from.
    pub(crate) fn arrived<'a>(&'a self, arrival: &'a Arrival) -> Arrived<'a> {
        Arrived { proxy: &self.0, arrival }
    }
}

/// One request on its way through.
pub(crate) struct Arrived<'a> {
    proxy: &'a Arc<Inner>,
    arrival: &'a Arrival,
}

impl Service<Request<Incoming>> for Arrived<'_> {
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    /// All that needs no waiting is done at once: a request is large, and what waits with it is moved about with it.
    fn call(&mut self, mut request: Request<Incoming>) -> Self::Future {
        let seen = Seen::among(request.headers());
        let accept = if seen.accept { request.headers().get(header::ACCEPT).cloned() } else { None };
        match self.proxy.admit(&mut request, &seen, self.arrival) {
            Ok(admitted) => self.proxy.pass_on(request, admitted, accept),
            Err(refusal) => Box::pin(ready(Ok(refusal.response(accept.as_ref())))),
        }
    }
}

/// A request that goes on, with what is to be known beside it.
struct Admitted {
    /// Its place among those under way.
    place: OwnedSemaphorePermit,
    upgrade: Option<Upgrade>,
    expects: Option<HeaderValue>,
}

/// What a client wants to speak from then on.
struct Upgrade {
    protocol: HeaderValue,
    client: OnUpgrade,
    peer: Arc<Peer>,
}

/// Why a request does not go on.
enum Refusal {
    /// It is wrong.
    Wrong(StatusCode, &'static str),
    Failure(Failure),
}

impl Refusal {
    fn response(self, accept: Option<&HeaderValue>) -> Response<Answer> {
        match self {
            Self::Wrong(status, sentence) => refuse(status, sentence, accept),
            Self::Failure(failure) => fail(failure, accept),
        }
    }
}

impl Inner {
    /// Makes a request what the application is to see, if it may go on.
    fn admit(&self, request: &mut Request<Incoming>, seen: &Seen, arrival: &Arrival) -> Result<Admitted, Refusal> {
        if request.method() == Method::CONNECT {
            return Err(Refusal::Wrong(StatusCode::METHOD_NOT_ALLOWED, "This is no proxy to other hosts."));
        }
        let host = headers::host(request).map_err(|sentence| Refusal::Wrong(StatusCode::BAD_REQUEST, sentence))?;
        if request.uri().path() == "*" && request.method() != Method::OPTIONS {
            return Err(Refusal::Wrong(StatusCode::BAD_REQUEST, "Only OPTIONS may ask for *."));
        }
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Refusal::Failure(Failure::Busy))?;
        if seen.is_coded(request.headers()) {
            return Err(Refusal::Wrong(
                StatusCode::NOT_IMPLEMENTED,
                "The body is in a transfer coding that is not known here.",
            ));
        }
        if seen.via && headers::has_token(request.headers(), &header::VIA, self.via.to_str().unwrap_or_default()) {
            return Err(Refusal::Failure(Failure::Loop));
        }
        let protocol = if seen.upgrade { headers::upgrade(request) } else { None };
        let upgrade = protocol.map(|protocol| Upgrade {
            protocol,
            client: hyper::upgrade::on(&mut *request),
            peer: Arc::clone(&arrival.peer),
        });
        let version = std::mem::replace(request.version_mut(), Version::HTTP_11);
        let (names_host, has_body) = (request.uri().authority().is_some(), !request.body().is_end_stream());
        let headers = request.headers_mut();
        let expects = if seen.expect { headers.remove(header::EXPECT) } else { None };
        let expects = expects.filter(|_| version == Version::HTTP_11);
        let takes_trailers = seen.te && headers::has_token(headers, &header::TE, "trailers");
        seen.end_hop(headers);
        if seen.cookie {
            headers::hide_sessions(headers);
        }
        // Of a body without a length it has to be said that there is one: with some methods there mostly is none.
        if has_body && !headers.contains_key(header::CONTENT_LENGTH) {
            headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
        if let Some(upgrade) = &upgrade {
            headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
            headers.insert(header::UPGRADE, upgrade.protocol.clone());
        } else if takes_trailers {
            headers.insert(header::CONNECTION, HeaderValue::from_static("te"));
            headers.insert(header::TE, HeaderValue::from_static("trailers"));
        }
        if version == Version::HTTP_2 {
            headers::join_cookies(headers);
        }
        headers::forward(headers, seen, arrival, host.as_ref());
        // One that came as the header stands there already.
        if names_host || host.is_none() {
            let host = host.or_else(|| HeaderValue::from_str(self.upstream.as_str()).ok());
            host.map(|host| headers.insert(header::HOST, host));
        }
        headers.append(header::VIA, self.via.clone());
        if names_host {
            *request.uri_mut() = headers::target(std::mem::take(request.uri_mut()));
        }
        Ok(Admitted { place, upgrade, expects })
    }
}

/// The request itself is wrong: the application is not asked, and nothing of its client's connection is read any more.
fn refuse(status: StatusCode, sentence: &str, accept: Option<&HeaderValue>) -> Response<Answer> {
    let mut response = page(status, sentence, accept).map(Answer::of_ours);
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The application gave no answer.
fn fail(failure: Failure, accept: Option<&HeaderValue>) -> Response<Answer> {
    tracing::debug!(?failure, "no answer of the application");
    let mut response = page(failure.status(), failure.sentence(), accept).map(Answer::of_ours);
    response.extensions_mut().insert(UpstreamTiming::from_failure(failure.cause()));
    response
}

/// The host and the port of the application.
pub(crate) fn address_of(upstream: &Authority) -> (&str, u16) {
    let host = upstream.host().trim_start_matches('[').trim_end_matches(']');
    (host, upstream.port_u16().unwrap_or(80))
}
