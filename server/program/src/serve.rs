//! The accept loop: a task for each connection, within a cap, each with a time for its first request; a drain at the end.

pub(crate) mod client;
mod coalesced_write;
mod h2_idle;
mod timer;
pub(crate) mod tls;
pub(crate) mod workers;

use std::{
    convert::Infallible,
    error::Error,
    future::poll_fn,
    io,
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
use http::{HeaderValue, Request, Response, Version};
use http_body::Body;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::{
        conn::auto,
        graceful::{GracefulShutdown, Watcher},
    },
};
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{sleep, timeout},
};
use tokio_io_timeout::TimeoutStream;

use self::{
    client::{Client, TrustedProxies},
    coalesced_write::CoalescedWrite,
    h2_idle::{H2Body, Streams},
    timer::PooledTimer,
    tls::Tls,
};

/// A connection has this long for the head of a request: for its TLS and its first one together, and from there on from one to the next.
const HEAD_WITHIN: Duration = Duration::from_secs(30);
/// A client takes what is sent to it within this time, or its connection is closed.
const TAKEN_WITHIN: Duration = Duration::from_mins(1);
/// Between two looks at the streams of an HTTP/2 connection.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// After the signal to stop, requests under way have this long to finish.
const DRAIN_WITHIN: Duration = Duration::from_secs(10);
/// After a connection could not be taken, for want of file descriptors mostly.
const REST: Duration = Duration::from_millis(100);
/// Requests of one HTTP/2 connection at once.
const STREAMS: u32 = 200;
/// The most that the head of a request may take: method, path and headers.
const HEAD_BYTES: u32 = 64 << 10;
/// Silence of any connection after which the system asks whether its other side is there.
const SILENT: Duration = Duration::from_mins(1);
/// Silence of an HTTP/2 connection after which it is asked whether it lives, and the time it has to say so.
const PING_AFTER: Duration = Duration::from_secs(20);

/// One address to serve at.
pub(crate) struct HttpServer {
    pub(crate) listener: TcpListener,
    pub(crate) tls: Option<Tls>,
    pub(crate) trusted: TrustedProxies,
    /// Connections at once; further ones wait to be accepted.
    pub(crate) max_connections: usize,
}

/// Where a request came in.
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
    /// The same with what it speaks, as `Forwarded` has it.
    pub(crate) forwarded: HeaderValue,
    /// Of its connection, also once that speaks something else.
    _place: Option<OwnedSemaphorePermit>,
}

impl Peer {
    fn new(address: SocketAddr, tls: bool, place: Option<OwnedSemaphorePermit>) -> Arc<Self> {
        let proto = if tls { "https" } else { "http" };
        let ip = address.ip().to_canonical();
        let node = if ip.is_ipv4() { ip.to_string() } else { format!("\"[{ip}]\"") };
        let header = |text: String| HeaderValue::try_from(text).expect("an address is text");
        Arc::new(Self {
            address,
            text: header(ip.to_string()),
            forwarded: header(format!("for={node};proto={proto}")),
            _place: place,
        })
    }
}

impl HttpServer {
    /// Answers requests by `handle` until `stop` turns true and what is then under way has ended, or its time is up.
    pub(crate) async fn run<H, F, B>(self, handle: H, mut stop: watch::Receiver<bool>)
    where
        H: Fn(Request<Incoming>, Arrival) -> F + Clone + Send + 'static,
        F: Future<Output = Result<Response<B>, Infallible>> + Send + 'static,
        B: Body<Data: Buf + Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
    {
        let (places, graceful) = (Arc::new(Semaphore::new(self.max_connections)), GracefulShutdown::new());
        let http = Arc::new(http());
        loop {
            let accepted = tokio::select! {
                accepted = accept(&self.listener, &places) => accepted,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            let (stream, peer, place) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    sleep(REST).await;
                    continue;
                }
            };
            let connection = Connection {
                peer,
                place,
                tls: self.tls.clone(),
                trusted: self.trusted.clone(),
                http: Arc::clone(&http),
                watcher: graceful.watcher(),
            };
            let handle = handle.clone();
            tokio::spawn(connection.serve(stream, handle));
        }
        drop(self.listener);
        if timeout(DRAIN_WITHIN, graceful.shutdown()).await.is_err() {
            tracing::warn!("requests were still under way after {DRAIN_WITHIN:?}: their connections are closed");
        }
    }
}

/// The next connection, once there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, Option<OwnedSemaphorePermit>)> {
    // It fails only when it has been closed, which nobody does.
    let place = Arc::clone(places).acquire_owned().await.ok();
    let (stream, peer) = listener.accept().await?;
    stream.set_nodelay(true)?;
    keep_alive(&stream)?;
    Ok((stream, peer, place))
}

/// Has the system ask a silent other side whether it is still there: one that vanished would be waited for without an end.
pub(crate) fn keep_alive(stream: &TcpStream) -> io::Result<()> {
    let keep_alive = TcpKeepalive::new().with_time(SILENT).with_interval(SILENT / 4);
    SockRef::from(stream).set_tcp_keepalive(&keep_alive)
}

/// HTTP/1.1 and HTTP/2, within bounds.
fn http() -> auto::Builder<TokioExecutor> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1()
        .timer(PooledTimer)
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(HEAD_BYTES as usize)
        .preserve_header_case(true);
    http.http2()
        .timer(PooledTimer)
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEAD_BYTES)
        .keep_alive_interval(PING_AFTER)
        .keep_alive_timeout(PING_AFTER);
    http
}

struct Connection {
    peer: SocketAddr,
    place: Option<OwnedSemaphorePermit>,
    tls: Option<Tls>,
    trusted: TrustedProxies,
    http: Arc<auto::Builder<TokioExecutor>>,
    watcher: Watcher,
}

impl Connection {
    async fn serve<H, F, B>(self, stream: TcpStream, handle: H)
    where
        H: Fn(Request<Incoming>, Arrival) -> F + Clone + Send + 'static,
        F: Future<Output = Result<Response<B>, Infallible>> + Send + 'static,
        B: Body<Data: Buf + Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
    {
        let mut stream = TimeoutStream::new(CoalescedWrite(stream));
        stream.set_write_timeout(Some(TAKEN_WITHIN));
        let stream = Box::pin(stream);
        match &self.tls {
            None => self.speak(stream, handle).await,
            Some(tls) => match timeout(HEAD_WITHIN, tls.accept(stream)).await {
                Ok(Ok(stream)) => self.speak(stream, handle).await,
                Ok(Err(error)) => tracing::debug!(peer = %self.peer, %error, "no TLS"),
                Err(_) => tracing::debug!(peer = %self.peer, "no TLS in time"),
            },
        }
    }

    async fn speak<S, H, F, B>(self, stream: S, handle: H)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        H: Fn(Request<Incoming>, Arrival) -> F + Clone + Send + 'static,
        F: Future<Output = Result<Response<B>, Infallible>> + Send + 'static,
        B: Body<Data: Buf + Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
    {
        let Self { peer, place, tls, trusted, http, watcher } = self;
        let tls = tls.is_some();
        let has_asked = Arc::new(AtomicBool::new(false));
        let asks = Arc::clone(&has_asked);
        let named = Peer::new(peer, tls, place);
        let streams = Streams::new();
        let opens = Arc::clone(&streams);
        let service = service_fn(move |request: Request<Incoming>| {
            asks.store(true, Relaxed);
            let stream = (request.version() == Version::HTTP_2).then(|| opens.open());
            let arrival = Arrival { peer: Arc::clone(&named), client: trusted.client(peer, tls, request.headers()) };
            let answer = handle(request, arrival);
            async { answer.await.map(|response| response.map(|body| H2Body::new(body, stream))) }
        });
        let connection = http.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
        let mut connection = pin!(watcher.watch(connection));
        // hyper's own time for a head does not run while it waits for the bytes that tell HTTP/1 from HTTP/2, nor for HTTP/2.
        let mut first = pin!(sleep(HEAD_WITHIN));
        let ended = poll_fn(|cx| match connection.as_mut().poll(cx) {
            Poll::Ready(ended) => Poll::Ready(Some(ended)),
            Poll::Pending if has_asked.load(Relaxed) && !streams.are_used() => Poll::Pending,
            Poll::Pending => first.as_mut().poll(cx).map(|()| None),
        });
        let ended = match ended.await {
            Some(ended) => ended,
            None if !has_asked.load(Relaxed) => return tracing::debug!(%peer, "no request in time"),
            None => loop {
                tokio::select! {
                    ended = &mut connection => break ended,
                    () = sleep(LOOK_AGAIN) => if let Some(reason) = streams.verdict(TAKEN_WITHIN) {
                        return tracing::debug!(%peer, reason, "the connection is closed");
                    },
                }
            },
        };
        if let Err(error) = ended {
            tracing::debug!(%peer, error, "the connection ended early");
        }
    }
}
