//! The connections to the application: made on demand, with the time that took, and reused.

use std::{
    io,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::future::Either;
use http::{Request, Response, StatusCode};
use hyper::{
    body::Incoming,
    client::conn::{TrySendError, http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, interval_at, sleep, timeout},
};

use super::{
    failure::Failure,
    failure_log::FailureLog,
    headers,
    idle_connections::{Idle, IdleTime, Reuse},
    retry::StreamRefusal,
    upload::Upload,
    upstream::UpstreamProtocol,
    upstream_addresses::UpstreamAddresses,
    upstream_link::{Exchange, UpstreamLink},
    upstream_socket::{Dialer, UpstreamSocket},
    upstream_stream::UpstreamStream,
};
use crate::{
    serve::{MAX_FIELDS, RESTART_PAUSE, lacks_something},
    tasks::{TaskEnd, run_recorded, spawn_once},
};

/// A local application takes a connection at once. One that does not is overloaded or gone.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// The largest head of an answer, and the most that is read of a body ahead of its client.
const ANSWER_BYTES: usize = 128 << 10;
/// Unread bytes of a response, and of all responses on a connection of HTTP/2.
const STREAM_BYTES: u32 = 128 << 10;
const CONNECTION_BYTES: u32 = 1 << 20;
const SWEEP_EACH: Duration = Duration::from_secs(1);
/// An application that speaks HTTP/2 begins with its settings.
const SETTINGS_WITHIN: Duration = Duration::from_millis(500);
/// Connections of HTTP/2 that a thread has at most.
const MAX_SHARED: usize = 16;

pub(super) struct UpstreamPool {
    dialer: Dialer,
    idle: Mutex<Idle<OpenConnection>>,
    /// With HTTP/2, requests share connections: one more is made where all have as many requests as the application takes on one.
    shared: Mutex<Vec<SharedConnection>>,
    /// Only one request makes it.
    turn: tokio::sync::Mutex<()>,
    /// Whether the task that closes old connections runs.
    is_swept: AtomicBool,
    most_idle: usize,
    log: Arc<FailureLog>,
}

/// An open connection.
pub(super) struct OpenConnection {
    pub(super) sender: Sender,
    pub(super) link: Arc<UpstreamLink>,
    peer: PeerAddress,
}

/// A connection of HTTP/2.
struct SharedConnection {
    sender: http2::SendRequest<Upload>,
    link: Arc<UpstreamLink>,
    peer: PeerAddress,
}

/// The address of a connection, and the version of the addresses that last had it.
#[derive(Clone, Copy)]
struct PeerAddress {
    ip: Option<IpAddr>,
    version: u64,
}

impl PeerAddress {
    /// Whether the application's name has another address by now.
    fn has_moved(&mut self, addresses: &UpstreamAddresses) -> bool {
        let version = addresses.version();
        if version == self.version {
            return false;
        }
        self.version = version;
        self.ip.is_some_and(|ip| !addresses.contains(ip))
    }
}

/// A connection that one request uses. It goes back to the pool after the last byte of the answer.
pub(super) struct PooledConnection {
    pub(super) open: OpenConnection,
    /// The time to connect, if the connection is new.
    pub(super) connect: Option<Duration>,
    /// Whether no other request may use it.
    pub(super) is_spent: bool,
    /// For how long the application keeps it when it is idle, if the application says so.
    pub(super) idle_for: Option<Duration>,
    /// The place of a request of HTTP/2 on its connection.
    _stream: Option<OwnedSemaphorePermit>,
    pool: Arc<UpstreamPool>,
}

impl UpstreamPool {
    pub(super) fn new(dialer: Dialer, most_idle: usize, log: Arc<FailureLog>) -> Arc<Self> {
        let (idle, shared, turn) = Default::default();
        Arc::new(Self { dialer, idle, shared, turn, is_swept: AtomicBool::new(false), most_idle, log })
    }

    /// An idle connection. The application may have closed it meanwhile.
    pub(super) fn idle(self: &Arc<Self>, now: Instant, reuse: Reuse) -> Option<PooledConnection> {
        if let Some(shared) = self.shared() {
            return Some(shared);
        }
        let open = self.take_idle(now, reuse)?;
        if reuse == Reuse::Fresh {
            open.link.check_for_end();
        }
        Some(self.pooled(open, None, None))
    }

    /// One to an address that the application still has. The others are closed.
    fn take_idle(&self, now: Instant, reuse: Reuse) -> Option<OpenConnection> {
        let mut idle = self.lock();
        loop {
            let mut open = idle.take(now, reuse)?;
            if !open.peer.has_moved(&self.dialer.addresses) {
                return Some(open);
            }
        }
    }

    fn pooled(
        self: &Arc<Self>,
        open: OpenConnection,
        connect: Option<Duration>,
        stream: Option<OwnedSemaphorePermit>,
    ) -> PooledConnection {
        PooledConnection { open, connect, is_spent: false, idle_for: None, _stream: stream, pool: Arc::clone(self) }
    }

    /// A connection of HTTP/2 with room for a request.
    fn shared(self: &Arc<Self>) -> Option<PooledConnection> {
        if !self.dialer.may_speak_http_2() {
            return None;
        }
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        // Requests on those that are dropped go on to their end.
        shared.retain_mut(|connection| {
            let is_open = !connection.sender.is_closed() && connection.link.takes_requests();
            is_open && !connection.peer.has_moved(&self.dialer.addresses)
        });
        let with_room = shared.iter().find_map(|connection| Some((connection, connection.link.stream()?)));
        let (connection, stream) = match with_room {
            Some((connection, stream)) => (connection, Some(stream)),
            // The request waits within it.
            None if shared.len() >= MAX_SHARED => (shared.last()?, None),
            None => return None,
        };
        let SharedConnection { sender, link, peer } = connection;
        let open = OpenConnection { sender: Sender::Http2(sender.clone()), link: Arc::clone(link), peer: *peer };
        Some(self.pooled(open, None, stream))
    }

    pub(super) async fn connect(self: &Arc<Self>) -> Result<PooledConnection, Failure> {
        let began = Instant::now();
        let _turn = if self.dialer.may_speak_http_2() { Some(self.turn.lock().await) } else { None };
        if let Some(shared) = self.shared() {
            return Ok(shared);
        }
        // Before the connection, so that a change meanwhile is noticed.
        let version = self.dialer.addresses.version();
        if let Some(spoken) = self.dialer.scheme.mistake() {
            return Err(Failure::Speaks(spoken));
        }
        let (socket, is_http_2) = match self.connect_socket().await {
            Ok(connected) => connected,
            Err(error) => {
                let failure = Box::pin(self.dialer.explain(Failure::from(&error))).await;
                self.log.note_no_connection(failure, &error);
                return Err(failure);
            }
        };
        self.log.note_connection();
        let connect = Some(began.elapsed());
        let peer = PeerAddress { ip: socket.peer_ip(), version };
        let link = Arc::new(UpstreamLink::new(is_http_2));
        let stream = TokioIo::new(UpstreamStream::new(socket, Arc::clone(&link)));
        let sender =
            if is_http_2 { self.begin_http_2(stream, &link, peer).await } else { Self::begin_http_1(stream).await };
        let open = OpenConnection { sender: sender.map_err(|_| Failure::NoConnection)?, link, peer };
        let stream = if is_http_2 { first_stream(&open.link).await } else { None };
        Ok(self.pooled(open, connect, stream))
    }

    async fn begin_http_1(stream: TokioIo<UpstreamStream>) -> hyper::Result<Sender> {
        let handshake = http1::Builder::new()
            .preserve_header_case(true)
            .max_headers(MAX_FIELDS)
            // RFC 9112 lets a proxy repair both (5.1 and 5.2).
            .allow_obsolete_multiline_headers_in_responses(true)
            .allow_spaces_after_header_name_in_responses(true)
            .max_buf_size(ANSWER_BYTES)
            .writev(false)
            .handshake(stream);
        let (sender, connection) = handshake.await?;
        spawn_once("connection to the application", async move { note_end(connection.with_upgrades().await) });
        Ok(Sender::Http1(sender))
    }

    async fn begin_http_2(
        &self,
        stream: TokioIo<UpstreamStream>,
        link: &Arc<UpstreamLink>,
        peer: PeerAddress,
    ) -> hyper::Result<Sender> {
        let handshake = http2::Builder::new(TokioExecutor::new())
            .max_header_list_size(ANSWER_BYTES as u32)
            .initial_stream_window_size(STREAM_BYTES)
            .initial_connection_window_size(CONNECTION_BYTES)
            .handshake(stream);
        let (sender, connection) = handshake.await?;
        spawn_once("connection to the application", async move { note_end(connection.await) });
        let shared = SharedConnection { sender: sender.clone(), link: Arc::clone(link), peer };
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).push(shared);
        Ok(Sender::Http2(sender))
    }

    async fn connect_socket(&self) -> io::Result<(UpstreamSocket, bool)> {
        let began = Instant::now();
        let connect = async {
            loop {
                match self.dialer.connect().await {
                    // Another request may soon be done with its own.
                    Err(error) if lacks_something(&error) && began.elapsed() + 2 * RESTART_PAUSE < CONNECT_WITHIN => {
                        sleep(RESTART_PAUSE).await;
                    }
                    connected => return connected,
                }
            }
        };
        // The error of time that has run out is one of kind `TimedOut`.
        timeout(CONNECT_WITHIN, connect).await?
    }

    fn lock(&self) -> MutexGuard<'_, Idle<OpenConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(self: Arc<Self>, open: OpenConnection, idle_for: Option<Duration>) {
        let lease = IdleTime::new(Instant::now(), idle_for);
        self.lock().keep(open, lease, self.most_idle);
        if !self.is_swept.swap(true, Relaxed) {
            tokio::spawn(async move {
                if let TaskEnd::Panic = run_recorded("connection pool", Arc::clone(&self).sweep()).await {
                    // The next connection that is kept starts it again.
                    self.is_swept.store(false, Relaxed);
                }
            });
        }
    }

    /// Closes old idle connections until the pool is empty.
    async fn sweep(self: Arc<Self>) {
        // Ticks that the thread missed are made up for.
        let mut sweeps = interval_at(Instant::now() + SWEEP_EACH, SWEEP_EACH);
        loop {
            sweeps.tick().await;
            let mut idle = self.lock();
            if idle.sweep(Instant::now()) {
                // The next connection that is kept after this lock starts the task again.
                self.is_swept.store(false, Relaxed);
                return;
            }
        }
    }
}

/// The place of the first request on a connection of HTTP/2: further ones come once the application has said how many it takes.
async fn first_stream(link: &UpstreamLink) -> Option<OwnedSemaphorePermit> {
    let stream = timeout(SETTINGS_WITHIN, link.first_stream()).await.ok().flatten();
    if stream.is_none() {
        link.note_streams(None);
    }
    stream
}

/// Logs why a connection ended.
fn note_end(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection to the application ended early");
    }
}

/// Sends requests on one connection.
pub(super) enum Sender {
    Http1(http1::SendRequest<Upload>),
    Http2(http2::SendRequest<Upload>),
}

type TrySend = Result<Response<Incoming>, TrySendError<Request<Upload>>>;

impl OpenConnection {
    /// Sends a request. Its error has the request, if nothing of it was sent.
    pub(super) fn send(
        &mut self,
        mut request: Request<Upload>,
        exchange: &Exchange,
    ) -> impl Future<Output = TrySend> + use<> {
        self.link.begin(exchange);
        match &mut self.sender {
            Sender::Http1(sender) => Either::Left(sender.try_send_request(request)),
            Sender::Http2(sender) => {
                headers::make_http_2(&mut request);
                Either::Right(sender.try_send_request(request))
            }
        }
    }
}

impl PooledConnection {
    pub(super) fn is_http_2(&self) -> bool {
        self.open.link.is_http_2()
    }

    /// The application speaks what `--upstream` says, unless it refuses what it has not understood.
    pub(super) fn note_answer(&self, status: StatusCode) {
        let dialer = &self.pool.dialer;
        if status == StatusCode::BAD_REQUEST && dialer.upstream.protocol == UpstreamProtocol::Http {
            dialer.probe_in_background();
        } else {
            dialer.scheme.note_answer();
        }
    }

    /// Whether the application says that it has not processed a request. No further request goes to a connection that it ends.
    pub(super) fn refusal(&self, error: &hyper::Error) -> Option<StreamRefusal> {
        let refusal = StreamRefusal::from_error(error);
        if refusal == Some(StreamRefusal::ConnectionEnds) {
            self.open.link.note_ending();
        }
        refusal
    }

    /// The failure, or that the application speaks another protocol here.
    pub(super) fn explain(&self, failure: Failure) -> Failure {
        self.open.link.mismatch().map_or(failure, Failure::Speaks)
    }

    /// Returns the connection to the pool once the answer has been read to its end.
    pub(super) fn give_back(mut self) {
        if self.is_spent || self.open.link.has_client_ended() {
            return;
        }
        // All requests of HTTP/2 share a connection, which stays.
        let Sender::Http1(sender) = &mut self.open.sender else { return };
        if sender.is_ready() {
            self.pool.keep(self.open, self.idle_for);
        } else if !sender.is_closed() {
            spawn_once("connection to the application", async move {
                let is_ready = match &mut self.open.sender {
                    Sender::Http1(sender) => sender.ready().await.is_ok(),
                    Sender::Http2(_) => false,
                };
                if is_ready {
                    self.pool.keep(self.open, self.idle_for);
                }
            });
        }
    }
}
