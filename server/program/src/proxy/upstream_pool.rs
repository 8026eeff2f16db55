//! The connections to the application: made on demand, with the time that took, and reused.

use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use http::uri::Authority;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    time::{Instant, interval_at, sleep, timeout},
};

use super::{
    failure::Failure,
    failure_log::FailureLog,
    idle_connections::{Idle, IdleTime, Reuse},
    upload::Upload,
    upstream::host_and_port,
    upstream_link::UpstreamLink,
    upstream_stream::UpstreamStream,
};
use crate::{
    serve::{MAX_FIELDS, RESTART_PAUSE, keep_alive, lacks_something},
    tasks::{Recorded, recorded, spawn_once},
};

/// A local application takes a connection at once. One that does not is overloaded or gone.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// The largest head of an answer, and the most that is read of a body ahead of its client.
const ANSWER_BYTES: usize = 128 << 10;
const SWEEP_EACH: Duration = Duration::from_secs(1);

pub(super) struct UpstreamPool {
    upstream: Authority,
    idle: Mutex<Idle<OpenConnection>>,
    /// Whether the task that closes old connections runs.
    is_swept: AtomicBool,
    most_idle: usize,
    log: Arc<FailureLog>,
}

/// An open connection.
pub(super) struct OpenConnection {
    pub(super) sender: SendRequest<Upload>,
    pub(super) link: Arc<UpstreamLink>,
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
    pool: Arc<UpstreamPool>,
}

impl UpstreamPool {
    pub(super) fn new(upstream: Authority, most_idle: usize, log: Arc<FailureLog>) -> Arc<Self> {
        Arc::new(Self { upstream, idle: Mutex::default(), is_swept: AtomicBool::new(false), most_idle, log })
    }

    /// An idle connection. The application may have closed it meanwhile.
    pub(super) fn idle(self: &Arc<Self>, now: Instant, reuse: Reuse) -> Option<PooledConnection> {
        let open = self.lock().take(now, reuse)?;
        if reuse == Reuse::Fresh {
            open.link.check_for_end();
        }
        Some(self.pooled(open, None))
    }

    fn pooled(self: &Arc<Self>, open: OpenConnection, connect: Option<Duration>) -> PooledConnection {
        PooledConnection { open, connect, is_spent: false, idle_for: None, pool: Arc::clone(self) }
    }

    pub(super) async fn connect(self: &Arc<Self>) -> Result<PooledConnection, Failure> {
        let began = Instant::now();
        let stream = self.connect_stream().await.map_err(|error| {
            let failure = Failure::from(&error);
            self.log.note_no_connection(failure, &error);
            failure
        })?;
        self.log.note_connection();
        let connect = Some(began.elapsed());
        let link = Arc::<UpstreamLink>::default();
        let stream = TokioIo::new(UpstreamStream::new(stream, Arc::clone(&link)));
        let handshake = http1::Builder::new()
            .preserve_header_case(true)
            .max_headers(MAX_FIELDS)
            // RFC 9112 lets a proxy repair both (5.1 and 5.2).
            .allow_obsolete_multiline_headers_in_responses(true)
            .allow_spaces_after_header_name_in_responses(true)
            .max_buf_size(ANSWER_BYTES)
            .writev(false)
            .handshake(stream)
            .await;
        let (sender, connection) = handshake.map_err(|_| Failure::NoConnection)?;
        spawn_once("connection to the application", async move {
            if let Err(error) = connection.with_upgrades().await {
                tracing::debug!(%error, "a connection to the application ended early");
            }
        });
        let open = OpenConnection { sender, link };
        Ok(self.pooled(open, connect))
    }

    async fn connect_stream(&self) -> io::Result<TcpStream> {
        let began = Instant::now();
        let connect = async {
            loop {
                match TcpStream::connect(host_and_port(&self.upstream)).await {
                    // Another request may soon be done with its own.
                    Err(error) if lacks_something(&error) && began.elapsed() + 2 * RESTART_PAUSE < CONNECT_WITHIN => {
                        sleep(RESTART_PAUSE).await;
                    }
                    connected => return connected,
                }
            }
        };
        // The error of time that has run out is one of kind `TimedOut`.
        let stream = timeout(CONNECT_WITHIN, connect).await??;
        stream.set_nodelay(true).and_then(|()| keep_alive(&stream))?;
        Ok(stream)
    }

    fn lock(&self) -> MutexGuard<'_, Idle<OpenConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(self: Arc<Self>, open: OpenConnection, idle_for: Option<Duration>) {
        let lease = IdleTime::new(Instant::now(), idle_for);
        self.lock().keep(open, lease, self.most_idle);
        if !self.is_swept.swap(true, Relaxed) {
            tokio::spawn(async move {
                if let Recorded::Panic = recorded("connection pool", Arc::clone(&self).sweep()).await {
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

impl PooledConnection {
    /// Returns the connection to the pool once the answer has been read to its end.
    pub(super) fn give_back(mut self) {
        if self.is_spent || self.open.link.has_client_ended() {
            return;
        }
        if self.open.sender.is_ready() {
            self.pool.keep(self.open, self.idle_for);
        } else if !self.open.sender.is_closed() {
            spawn_once("connection to the application", async move {
                if self.open.sender.ready().await.is_ok() {
                    self.pool.keep(self.open, self.idle_for);
                }
            });
        }
    }
}
