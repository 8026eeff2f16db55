//! The proxy in front of an application: each request goes on to the one upstream that was named at the start, and is recorded as
//! the library's layer records any. What HTTP asks of either side is hyper's work.

mod answer;
mod connections;
mod failure;
mod headers;
mod page;
mod tunnel;
mod upload;

use std::{
    convert::Infallible,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header, uri::Authority};
use hyper::body::{Body, Incoming};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{self, timeout_at},
};
use tower_service::Service;
use watchboard::PassedOn;

pub(crate) use self::answer::Answer;
use self::{
    connections::{Connections, Taken},
    failure::Failure,
    page::page,
    upload::{Progress, Upload},
};
use crate::serve::Arrival;

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
    pub(crate) fn arrived(&self, arrival: Arrival) -> Arrived {
        Arrived { proxy: Arc::clone(&self.0), arrival }
    }
}

/// One request on its way through.
pub(crate) struct Arrived {
    proxy: Arc<Inner>,
    arrival: Arrival,
}

impl Service<Request<Incoming>> for Arrived {
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let (proxy, arrival) = (Arc::clone(&self.proxy), self.arrival.clone());
        Box::pin(async move { Ok(proxy.pass_on(request, arrival).await) })
    }
}

impl Inner {
    async fn pass_on(&self, request: Request<Incoming>, arrival: Arrival) -> Response<Answer> {
        let accept = request.headers().get(header::ACCEPT).cloned();
        let (refuse, fail) =
            (|status, sentence| refuse(status, sentence, accept.as_ref()), |failure| fail(failure, accept.as_ref()));
        if request.method() == Method::CONNECT {
            return refuse(StatusCode::METHOD_NOT_ALLOWED, "This is no proxy to other hosts.");
        }
        let host = match headers::host(&request) {
            Ok(host) => host,
            Err(sentence) => return refuse(StatusCode::BAD_REQUEST, sentence),
        };
        if request.uri().path() == "*" && request.method() != Method::OPTIONS {
            return refuse(StatusCode::BAD_REQUEST, "Only OPTIONS may ask for *.");
        }
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else { return fail(Failure::Busy) };
        if request.headers().get_all(header::VIA).iter().any(|via| *via == self.via) {
            return fail(Failure::Loop);
        }
        self.ask(request, host, arrival, place).await.unwrap_or_else(fail)
    }

    async fn ask(
        &self,
        mut request: Request<Incoming>,
        host: Option<HeaderValue>,
        arrival: Arrival,
        place: OwnedSemaphorePermit,
    ) -> Result<Response<Answer>, Failure> {
        let began = Instant::now();
        let upgrade = headers::upgrade(&request).map(|protocol| (protocol, hyper::upgrade::on(&mut request)));
        let (mut parts, body) = request.into_parts();
        let expects = parts.headers.remove(header::EXPECT).filter(|_| parts.version == Version::HTTP_11);
        let takes_trailers = headers::has_token(&parts.headers, &header::TE, "trailers");
        headers::end_hop(&mut parts.headers);
        if let Some((protocol, _)) = &upgrade {
            parts.headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
            parts.headers.insert(header::UPGRADE, protocol.clone());
        } else if takes_trailers {
            parts.headers.insert(header::CONNECTION, HeaderValue::from_static("te"));
            parts.headers.insert(header::TE, HeaderValue::from_static("trailers"));
        }
        if parts.version == Version::HTTP_2 {
            headers::join_cookies(&mut parts.headers);
        }
        headers::forward(&mut parts.headers, &arrival, host.as_ref());
        if let Some(host) = host.or_else(|| HeaderValue::from_str(self.upstream.as_str()).ok()) {
            parts.headers.insert(header::HOST, host);
        }
        parts.headers.append(header::VIA, self.via.clone());
        parts.uri = headers::target(parts.uri);
        parts.version = Version::HTTP_11;

        let progress = (!body.is_end_stream()).then(|| Progress::new(expects.is_none()));
        let upload = progress.as_ref().map_or_else(Upload::none, |progress| Upload::new(body, Arc::clone(progress)));
        let mut request = Request::from_parts(parts, upload);
        if let (Some(expects), Some(progress)) = (expects, &progress) {
            request.headers_mut().insert(header::EXPECT, expects);
            let progress = Arc::clone(progress);
            hyper::ext::on_informational(&mut request, move |told| {
                if told.status() == StatusCode::CONTINUE {
                    progress.go_ahead();
                }
            });
        }
        let (mut response, connection) = self.send(request, progress.as_deref()).await?;

        let passed_on = PassedOn::answered(began.elapsed(), connection.connect);
        response.extensions_mut().insert(passed_on);
        let switches = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        match upgrade {
            Some((_, client)) if switches => {
                // `Connection` and `Upgrade` say what is spoken from here on.
                tunnel::open(client, hyper::upgrade::on(&mut response));
            }
            _ if switches => return Err(Failure::NotHttp),
            _ => headers::end_hop(response.headers_mut()),
        }
        *response.version_mut() = Version::HTTP_11;
        Ok(response.map(|body| Answer::of_upstream(body, connection, place)))
    }

    /// The head of the answer, and the connection that it came on. Where a connection that was idle closes before it has sent anything, the
    /// request goes out on another.
    async fn send(
        &self,
        mut request: Request<Upload>,
        progress: Option<&Progress>,
    ) -> Result<(Response<Incoming>, Taken), Failure> {
        loop {
            let mut connection = self.connections.take().await?;
            match self.answer(connection.sender.try_send_request(request), progress).await? {
                Ok(response) => return Ok((response, connection)),
                Err(mut error) => match error.take_message() {
                    Some(unsent) if connection.connect.is_none() => request = unsent,
                    _ => return Err(error.into_error().into()),
                },
            }
        }
    }

    /// What comes of a request in the time that there is from the last of it on.
    async fn answer<T>(&self, answer: impl Future<Output = T>, progress: Option<&Progress>) -> Result<T, Failure> {
        let began = time::Instant::now();
        let deadline = || progress.map_or(began, Progress::last) + self.answers_within;
        let mut answer = pin!(answer);
        loop {
            let until = deadline();
            match timeout_at(until, &mut answer).await {
                Ok(answered) => return Ok(answered),
                Err(_) if deadline() > until => {}
                Err(_) => return Err(Failure::Late),
            }
        }
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
    response.extensions_mut().insert(PassedOn::failed(failure.cause()));
    response
}

/// The host and the port of the application.
pub(crate) fn address_of(upstream: &Authority) -> (&str, u16) {
    let host = upstream.host().trim_start_matches('[').trim_end_matches(']');
    (host, upstream.port_u16().unwrap_or(80))
}
