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
use http_body_util::Full;
use hyper::{
    body::{Body, Incoming},
    upgrade::OnUpgrade,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{self, Sleep},
};
use tower_service::Service;
use watchboard::PassedOn;

pub(crate) use self::answer::Answer;
use self::{
    connections::{Connections, Open, Taken},
    failure::Failure,
    page::page,
    upload::{Progress, Upload},
};
use crate::serve::{Arrival, Peer};

/// Requests under way at once; further ones get a 503.
const MOST_UNDER_WAY: usize = 8192;

/// Before another look at a time that is over while the client is waited for.
const AGAIN: Duration = Duration::from_millis(250);

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

impl Inner {
    async fn pass_on(&self, mut request: Request<Incoming>, arrival: Arrival) -> Response<Answer> {
        let accept = request.headers().get(header::ACCEPT).cloned();
        let failure = match self.admit(&mut request, &arrival) {
            Ok(admitted) => match self.ask(request, admitted).await {
                Ok(response) => return response,
                Err(failure) => failure,
            },
            Err(Refusal::Wrong(status, sentence)) => return refuse(status, sentence, accept.as_ref()),
            Err(Refusal::Failure(failure)) => failure,
        };
        fail(failure, accept.as_ref())
    }

    /// Makes a request what the application is to see, if it may go on.
    fn admit(&self, request: &mut Request<Incoming>, arrival: &Arrival) -> Result<Admitted, Refusal> {
        if request.method() == Method::CONNECT {
            return Err(Refusal::Wrong(StatusCode::METHOD_NOT_ALLOWED, "This is no proxy to other hosts."));
        }
        let host = headers::host(request).map_err(|sentence| Refusal::Wrong(StatusCode::BAD_REQUEST, sentence))?;
        if request.uri().path() == "*" && request.method() != Method::OPTIONS {
            return Err(Refusal::Wrong(StatusCode::BAD_REQUEST, "Only OPTIONS may ask for *."));
        }
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Refusal::Failure(Failure::Busy))?;
        if headers::is_coded(request.headers()) {
            return Err(Refusal::Wrong(
                StatusCode::NOT_IMPLEMENTED,
                "The body is in a transfer coding that is not known here.",
            ));
        }
        if headers::has_token(request.headers(), &header::VIA, self.via.to_str().unwrap_or_default()) {
            return Err(Refusal::Failure(Failure::Loop));
        }
        let upgrade = headers::upgrade(request).map(|protocol| Upgrade {
            protocol,
            client: hyper::upgrade::on(&mut *request),
            peer: Arc::clone(&arrival.peer),
        });
        let version = std::mem::replace(request.version_mut(), Version::HTTP_11);
        let (names_host, has_body) = (request.uri().authority().is_some(), !request.body().is_end_stream());
        let headers = request.headers_mut();
        let expects = headers.remove(header::EXPECT).filter(|_| version == Version::HTTP_11);
        let takes_trailers = headers::has_token(headers, &header::TE, "trailers");
        headers::end_hop(headers);
        headers::hide_sessions(headers);
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
        headers::forward(headers, arrival, host.as_ref());
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

    async fn ask(&self, request: Request<Incoming>, admitted: Admitted) -> Result<Response<Answer>, Failure> {
        let Admitted { place, upgrade, expects } = admitted;
        let began = Instant::now();
        let progress = (!request.body().is_end_stream()).then(|| Progress::new(expects.is_none()));
        let mut request = request.map(|body| match &progress {
            Some(progress) => Upload::new(body, Arc::clone(progress)),
            None => Upload::none(),
        });
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

        // What its client takes to send a request is not the application's time.
        let began = progress.as_ref().map_or(began, |progress| progress.last().into_std().max(began));
        let passed_on = PassedOn::answered(began.elapsed(), connection.connect);
        response.extensions_mut().insert(passed_on);
        if headers::is_coded(response.headers()) {
            return Err(Failure::NotHttp);
        }
        let switches = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        match upgrade {
            Some(Upgrade { client, peer, .. }) if switches => {
                // `Connection` and `Upgrade` say what is spoken from here on. It holds what it was given until it ends.
                tunnel::open(client, hyper::upgrade::on(&mut response), (peer, place, connection));
                return Ok(response.map(|_| Answer::of_ours(Full::default())));
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
            let Open { sender, patience } = &mut connection.open;
            match self.answer(sender.try_send_request(request), patience.as_mut(), progress).await? {
                Ok(response) => return Ok((response, connection)),
                Err(mut error) => match error.take_message() {
                    Some(unsent) if connection.connect.is_none() => request = unsent,
                    _ => return Err(error.into_error().into()),
                },
            }
        }
    }

    /// What comes of a request in the time that there is from the last of it on.
    async fn answer<T>(
        &self,
        answer: impl Future<Output = T>,
        mut patience: Pin<&mut Sleep>,
        progress: Option<&Progress>,
    ) -> Result<T, Failure> {
        let began = time::Instant::now();
        let deadline = || progress.map_or(began, Progress::last) + self.answers_within;
        let mut answer = pin!(answer);
        let mut until = deadline();
        loop {
            patience.as_mut().reset(until);
            tokio::select! {
                biased;
                answered = &mut answer => return Ok(answered),
                // A client that sends no more has a time of its own.
                () = &mut patience => if deadline() <= until && !progress.is_some_and(Progress::waits_for_client) {
                    return Err(Failure::Late);
                },
            }
            until = deadline().max(time::Instant::now() + AGAIN);
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
