//! Accepts connections within a cap, and serves each in a task with limits of time. At the end it drains them.

pub(crate) mod client;
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
    h2_idle::{H2Body, Streams},
    timer::PooledTimer,
    tls::Tls,
};

/// A connection has this long for TLS and the head of its first request, and then from one request to the next.
const HEAD_WITHIN: Duration = Duration::from_secs(30);
/// A client that reads nothing for this long loses its connection.
const READ_WITHIN: Duration = Duration::from_mins(1);
/// Between two looks at the streams of an HTTP/2 connection.
const CHECK_EACH: Duration = Duration::from_secs(10);
/// Requests under way have this long to finish after the signal to stop.
const DRAIN_WITHIN: Duration = Duration::from_secs(10);
/// The pause after a failed accept; mostly there are no file descriptors.
const REST: Duration = Duration::from_millis(100);
/// Requests of one HTTP/2 connection at once.
const STREAMS: u32 = 200;
/// The largest head of a request: method, path and headers.
const HEAD_BYTES: u32 = 64 << 10;
/// Silence of a connection after which the kernel probes its peer.
const SILENT: Duration = Duration::from_mins(1);
/// Silence of an HTTP/2 connection before a ping, and the time for its answer.
const PING_AFTER: Duration = Duration::from_secs(20);

/// The server at one address.
pub(crate) struct HttpServer {
    pub(crate) listener: Arc<TcpListener>,
    pub(crate) tls: Option<Tls>,
    pub(crate) trusted: TrustedProxies,
    /// Connections at once. Further ones wait to be accepted.
    pub(crate) max_connections: usize,
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
    /// The place of the connection. After an upgrade the tunnel holds it.
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
    /// Answers requests by `handle` until `stop` turns true, then waits for requests under way, at most [`DRAIN_WITHIN`].
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

/// Accepts the next connection once there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, Option<OwnedSemaphorePermit>)> {
    // It fails only after a close, and nothing closes it.
    let place = Arc::clone(places).acquire_owned().await.ok();
    let (stream, peer) = listener.accept().await?;
    stream.set_nodelay(true)?;
    keep_alive(&stream)?;
    Ok((stream, peer, place))
}

/// Makes the kernel probe a silent peer: otherwise a vanished peer keeps the connection open for ever.
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
        // A head and a short body leave in one write.
        .writev(false)
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
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(READ_WITHIN));
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
        let shared_peer = Peer::new(peer, tls, place);
        let streams = Streams::new();
        let opens = Arc::clone(&streams);
        let service = service_fn(move |request: Request<Incoming>| {
            asks.store(true, Relaxed);
            let stream = (request.version() == Version::HTTP_2).then(|| opens.open());
            let arrival =
                Arrival { peer: Arc::clone(&shared_peer), client: trusted.client(peer, tls, request.headers()) };
            let answer = handle(request, arrival);
            async { answer.await.map(|response| response.map(|body| H2Body::new(body, stream))) }
        });
        let connection = http.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
        let mut connection = pin!(watcher.watch(connection));
        // hyper's own timeout for a head does not cover the wait for the bytes that tell HTTP/1 from HTTP/2, nor HTTP/2.
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
                    () = sleep(CHECK_EACH) => if let Some(reason) = streams.verdict(READ_WITHIN) {
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
