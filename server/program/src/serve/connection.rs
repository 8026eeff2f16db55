//! One connection of a client, from TLS to its last request.

use std::{
    convert::Infallible,
    error::Error,
    future::poll_fn,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::Poll,
    time::Duration,
};

use bytes::Buf;
use http::{HeaderValue, Request, Response, StatusCode, Version, header};
use http_body::Body;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::{Instant, sleep},
};
use tokio_io_timeout::TimeoutStream;

use super::{
    accept::{ConnectionPlace, ConnectionPlaces},
    arrival::{Arrival, Peer},
    client::TrustedProxies,
    client_stream::ClientStream,
    drain::{DrainWatch, Phase},
    h2_idle::{Streams, TrackedBody},
    request_head::{HEAD_BYTES, MAX_FIELDS},
    timer::PooledTimer,
    tls::Tls,
};

/// A connection has this long for TLS and the head of its first request, and then from one request to the next.
pub(super) const HEAD_WITHIN: Duration = Duration::from_secs(30);
/// The same, while others wait for the place of the connection: a second covers the round trips of TLS to anywhere on earth.
const HEAD_WITHIN_IF_CROWDED: Duration = Duration::from_secs(1);
/// How often a connection without a request looks whether others wait.
const CROWD_CHECK_EACH: Duration = Duration::from_millis(250);
/// A client that reads nothing for this long loses its connection.
pub(super) const READ_WITHIN: Duration = Duration::from_mins(1);
/// Between two looks at the streams of an HTTP/2 connection.
pub(super) const CHECK_EACH: Duration = Duration::from_secs(10);
/// A client that has been told of the end of its connection has this long.
const GOODBYE_WITHIN: Duration = Duration::from_secs(1);
/// Requests of one HTTP/2 connection at once.
const STREAMS: u32 = 200;
/// Unsent bytes of one HTTP/2 stream, for a client that does not read.
const SEND_BYTES: usize = 64 << 10;
/// Silence of an HTTP/2 connection before a ping, and the time for its answer.
const PING_AFTER: Duration = Duration::from_secs(20);

/// HTTP/1.1 and HTTP/2, within bounds. `dates`: whether responses without a date get one.
pub(super) fn http(dates: bool) -> auto::Builder<TokioExecutor> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1()
        .timer(PooledTimer)
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(HEAD_BYTES as usize)
        .max_headers(MAX_FIELDS)
        // A head and a short body leave in one write.
        .writev(false)
        .auto_date_header(dates)
        .preserve_header_case(true);
    http.http2()
        .auto_date_header(dates)
        .timer(PooledTimer)
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEAD_BYTES)
        .max_send_buf_size(SEND_BYTES)
        .keep_alive_interval(PING_AFTER)
        .keep_alive_timeout(PING_AFTER);
    http
}

pub(super) struct Connection {
    pub(super) peer: SocketAddr,
    pub(super) place: ConnectionPlace,
    pub(super) places: ConnectionPlaces,
    pub(super) tls: Option<Tls>,
    pub(super) trusted: TrustedProxies,
    pub(super) http: Arc<auto::Builder<TokioExecutor>>,
    pub(super) drain: DrainWatch,
    pub(super) is_proxy: bool,
}

/// Returns when the time for the first head is over. It is shorter while others wait for a place, so that clients without a request cannot
/// shut out the others.
async fn head_time_over(places: &ConnectionPlaces) {
    let began = Instant::now();
    sleep(HEAD_WITHIN_IF_CROWDED).await;
    while !places.are_taken() && began.elapsed() < HEAD_WITHIN {
        sleep(CROWD_CHECK_EACH).await;
    }
}

/// What happened to a connection.
enum Event {
    Finished(Result<(), Box<dyn Error + Send + Sync>>),
    /// The server ends.
    Drain,
    /// It is time to look at what the client does.
    Check,
}

impl Connection {
    pub(super) async fn serve<H, F, B>(self, stream: TcpStream, handle: H)
    where
        H: Fn(Request<Incoming>, Arrival) -> F + Clone + Send + 'static,
        F: Future<Output = Result<Response<B>, Infallible>> + Send + 'static,
        B: Body<Data: Buf + Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
    {
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(READ_WITHIN));
        let stream = Box::pin(stream);
        match &self.tls {
            None => self.speak(stream, handle).await,
            Some(tls) => {
                let accepted = tokio::select! {
                    accepted = tls.accept(stream) => accepted,
                    () = head_time_over(&self.places) => return tracing::debug!(peer = %self.peer, "no TLS in time"),
                };
                match accepted {
                    Ok(stream) => self.speak(stream, handle).await,
                    Err(error) => tracing::debug!(peer = %self.peer, %error, "no TLS"),
                }
            }
        }
    }

    async fn speak<S, H, F, B>(self, stream: S, handle: H)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        H: Fn(Request<Incoming>, Arrival) -> F + Clone + Send + 'static,
        F: Future<Output = Result<Response<B>, Infallible>> + Send + 'static,
        B: Body<Data: Buf + Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
    {
        let Self { peer, place, places, tls, trusted, http, drain, is_proxy } = self;
        let tls = tls.is_some();
        let has_sent_request = Arc::new(AtomicBool::new(false));
        let asks = Arc::clone(&has_sent_request);
        let shared_peer = Peer::new(peer, tls, drain.clone(), place);
        let stream = ClientStream::new(stream, Arc::clone(&shared_peer.link), is_proxy);
        let (streams, crowd) = (Streams::new(), places.clone());
        let opens = Arc::clone(&streams);
        let service = service_fn(move |request: Request<Incoming>| {
            asks.store(true, Relaxed);
            let stream = (request.version() == Version::HTTP_2).then(|| opens.open());
            // Others wait for this place: it is free after the answer.
            let closes = stream.is_none() && places.are_taken();
            let busy = stream.is_none().then(|| shared_peer.link.begin(request.version()));
            let link = stream.is_none().then(|| Arc::clone(&shared_peer.link));
            let arrival =
                Arrival { peer: Arc::clone(&shared_peer), client: trusted.client(peer, tls, request.headers()) };
            let answer = handle(request, arrival);
            async move {
                answer.await.map(|mut response| {
                    if let Some(link) = link.filter(|_| response.status() == StatusCode::SWITCHING_PROTOCOLS) {
                        link.become_tunnel();
                    }
                    if closes && !response.headers().contains_key(header::CONNECTION) {
                        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                    }
                    response.map(|body| TrackedBody::new(body, stream, busy))
                })
            }
        });
        let connection = http.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
        let (mut connection, mut phase) = (pin!(connection), Phase::Draining);
        let mut ends = pin!(drain.clone().reach(phase));
        // hyper's own timeout for a head does not cover the wait for the bytes that tell HTTP/1 from HTTP/2, nor HTTP/2.
        let (mut no_head, mut check) = (pin!(head_time_over(&crowd)), pin!(sleep(HEAD_WITHIN)));
        let mut said_goodbye = false;
        loop {
            let event = poll_fn(|cx| {
                if ends.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Event::Drain);
                }
                match connection.as_mut().poll(cx) {
                    Poll::Ready(ended) => Poll::Ready(Event::Finished(ended)),
                    Poll::Pending if !has_sent_request.load(Relaxed) && !said_goodbye => {
                        no_head.as_mut().poll(cx).map(|()| Event::Check)
                    }
                    Poll::Pending if !said_goodbye && !streams.are_used() => Poll::Pending,
                    Poll::Pending => check.as_mut().poll(cx).map(|()| Event::Check),
                }
            });
            match event.await {
                Event::Finished(Ok(())) => return,
                Event::Finished(Err(error)) => return tracing::debug!(%peer, error, "the connection ended early"),
                Event::Drain if phase == Phase::Ended => return,
                Event::Drain => {
                    connection.as_mut().graceful_shutdown();
                    phase = Phase::Ended;
                    ends.set(drain.clone().reach(phase));
                }
                Event::Check => {
                    let reason = if has_sent_request.load(Relaxed) {
                        streams.verdict(READ_WITHIN)
                    } else {
                        Some("no request in time")
                    };
                    if let Some(reason) = reason {
                        tracing::debug!(%peer, reason, "the connection is closed");
                        if said_goodbye {
                            return;
                        }
                        // HTTP/2 says goodbye, so that the client knows that none of its requests was lost.
                        connection.as_mut().graceful_shutdown();
                        said_goodbye = true;
                    }
                    let next = if said_goodbye { GOODBYE_WITHIN } else { CHECK_EACH };
                    check.as_mut().reset(Instant::now() + next);
                }
            }
        }
    }
}
