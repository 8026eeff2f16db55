//! Checks a request, and turns it into the request that the application gets.

use std::sync::Arc;

use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header};
use hyper::{
    body::{Body, Incoming},
    upgrade::OnUpgrade,
};
use watchboard::{Capacity, CapacityPlace};

use super::{
    error_page::{failure_response, refusal_response},
    failure::Failure,
    headers::{self, CDN_LOOP, HeaderFlags},
    host::{HostError, find_host},
    response_body::ResponseBody,
    upstream::Upstream,
    upstream_link::Exchange,
};
use crate::serve::{Arrival, HeadError, RequestNote, drain::DrainWatch};

/// How much a proxy has at once. Further requests get a 503.
#[derive(Clone)]
pub(crate) struct ProxyBounds {
    /// Requests in progress.
    pub(crate) requests: Capacity,
    /// Upgraded connections. Each has a place of its own, so that they take none of the requests.
    pub(crate) tunnels: Capacity,
    /// Streams in progress. One that finds no place keeps that of its request.
    pub(crate) streams: Capacity,
}

/// The checks of one proxy, shared by its threads.
pub(super) struct Admission {
    /// The host for a request that names none.
    host: HeaderValue,
    bounds: ProxyBounds,
    /// The name of this proxy in `CDN-Loop`. By it the proxy recognises its own requests.
    name: HeaderValue,
}

/// A checked request's state beside the request itself.
pub(super) struct AdmittedRequest {
    /// Its place among the requests under way.
    pub(super) place: CapacityPlace,
    pub(super) upgrade: Option<Upgrade>,
    /// The value of `Expect`.
    pub(super) expects: Option<HeaderValue>,
    /// The client and the target, for the stream to the application.
    pub(super) exchange: Exchange,
}

/// A client's wish to change the protocol.
pub(super) struct Upgrade {
    protocol: HeaderValue,
    pub(super) client: OnUpgrade,
    pub(super) place: CapacityPlace,
    pub(super) drain: DrainWatch,
}

/// The reason why a request is not sent on.
pub(super) enum Refusal {
    /// The request is wrong.
    Wrong(StatusCode, &'static str),
    Host(HostError),
    Head(HeadError),
    Failure(Failure),
}

impl Refusal {
    pub(super) fn response(self, accept: Option<&HeaderValue>) -> Response<ResponseBody> {
        match self {
            Self::Wrong(status, sentence) => refusal_response(status, sentence, accept),
            Self::Host(error) => refusal_response(StatusCode::BAD_REQUEST, &error.to_string(), accept),
            Self::Head(error) => refusal_response(error.status(), &error.to_string(), accept),
            Self::Failure(failure) => failure_response(failure, failure.timing(), accept),
        }
    }
}

impl Admission {
    pub(super) fn new(upstream: &Upstream, bounds: ProxyBounds) -> Self {
        let name = HeaderValue::try_from(format!("watchboard-{:016x}", fastrand::u64(..)));
        let host = HeaderValue::from_str(upstream.host()).expect("an authority is text");
        Self { host, bounds, name: name.expect("a word") }
    }

    /// Changes a request into the one for the application.
    ///
    /// # Errors
    /// The request is wrong, or the proxy has no place for it.
    pub(super) fn admit(
        &self,
        request: &mut Request<Incoming>,
        flags: &HeaderFlags,
        arrival: &Arrival,
        note: Option<RequestNote>,
    ) -> Result<AdmittedRequest, Refusal> {
        let note = note.unwrap_or_default();
        if let Some(error) = note.refusal {
            return Err(Refusal::Head(error));
        }
        if request.method() == Method::CONNECT {
            return Err(Refusal::Wrong(StatusCode::METHOD_NOT_ALLOWED, "This is no proxy to other hosts."));
        }
        let host = find_host(request).map_err(Refusal::Host)?;
        if request.uri().path() == "*" && request.method() != Method::OPTIONS {
            return Err(Refusal::Wrong(StatusCode::BAD_REQUEST, "Only OPTIONS may ask for *."));
        }
        let place = self.bounds.requests.try_enter().ok_or(Refusal::Failure(Failure::Busy))?;
        if flags.is_coded(request.headers()) {
            return Err(Refusal::Wrong(
                // Not 501: the client's choice is no failure of this server.
                StatusCode::BAD_REQUEST,
                "The body is in a transfer coding that is not known here.",
            ));
        }
        if flags.cdn_loop && headers::lists_token(request.headers(), &CDN_LOOP, self.name.to_str().unwrap_or_default())
        {
            return Err(Refusal::Failure(Failure::Loop));
        }
        let protocol = if flags.upgrade { headers::upgrade(request) } else { None };
        let upgrade = match protocol {
            None => None,
            Some(protocol) => Some(Upgrade {
                protocol,
                client: hyper::upgrade::on(&mut *request),
                place: self.bounds.tunnels.try_enter().ok_or(Refusal::Failure(Failure::NoTunnel))?,
                drain: arrival.peer.drain.clone(),
            }),
        };
        let version = std::mem::replace(request.version_mut(), Version::HTTP_11);
        let (names_host, has_body) = (request.uri().authority().is_some(), !request.body().is_end_stream());
        let headers = request.headers_mut();
        let expects = if flags.expect { headers.remove(header::EXPECT) } else { None };
        let expects = expects.filter(|_| version == Version::HTTP_11);
        let takes_trailers = flags.te && headers::lists_token(headers, &header::TE, "trailers");
        flags.remove_hop_by_hop(headers);
        if flags.cookie {
            headers::remove_session_cookies(headers);
        }
        // A body without a length must be announced: with some methods there usually is no body.
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
        headers::describe_client(headers, flags, arrival, host.as_ref());
        // A host that came as the header is there already.
        if names_host || host.is_none() {
            headers.insert(header::HOST, host.unwrap_or_else(|| self.host.clone()));
        }
        headers.append(CDN_LOOP, self.name.clone());
        if names_host {
            *request.uri_mut() = headers::target(std::mem::take(request.uri_mut()));
        }
        let exchange = Exchange {
            client: (version < Version::HTTP_2).then(|| Arc::clone(&arrival.peer.link)),
            takes_interim: version == Version::HTTP_11,
            target: note.target.map(headers::origin_form),
            ..Exchange::default()
        };
        Ok(AdmittedRequest { place, upgrade, expects, exchange })
    }
}
