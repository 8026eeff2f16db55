//! The connections to the application: made on demand, with the time that took, and reused.

use std::{
    collections::VecDeque,
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use http::uri::Authority;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    time::{self, interval_at, sleep, timeout},
};

use super::{
    failure::Failure,
    failure_log::FailureLog,
    quick_ack::{AckRequest, QuickAck},
    upload::Upload,
    upstream::host_and_port,
};
use crate::{
    serve::{RESTART_PAUSE, keep_alive, lacks_something},
    tasks::{TaskEnd, run_recorded, spawn_once},
};

/// A local application takes a connection at once. One that does not is overloaded or gone.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// The largest head of an answer, and the most that is read of a body ahead of its client.
const ANSWER_BYTES: usize = 128 << 10;
/// Idle connections are kept for three to four seconds. Most servers close theirs after five, and a request that meets the close is lost or
/// retried. The age is counted in sweeps, so that no request reads a clock for it.
const IDLE_SWEEPS: u64 = 4;
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
    pub(super) ack_request: Arc<AckRequest>,
}

/// A connection that one request uses. It goes back to the pool after the last byte of the answer.
pub(super) struct PooledConnection {
    pub(super) open: OpenConnection,
    /// The time to connect, if the connection is new.
    pub(super) connect: Option<Duration>,
    /// Whether no other request may use it.
    pub(super) is_spent: bool,
    pool: Arc<UpstreamPool>,
}

impl UpstreamPool {
    pub(super) fn new(upstream: Authority, most_idle: usize, log: Arc<FailureLog>) -> Arc<Self> {
        Arc::new(Self { upstream, idle: Mutex::default(), is_swept: AtomicBool::new(false), most_idle, log })
    }

    /// An idle connection. The application may have closed it meanwhile.
    pub(super) fn idle(self: &Arc<Self>) -> Option<PooledConnection> {
        let open = self.lock().take()?;
        Some(PooledConnection { open, connect: None, is_spent: false, pool: Arc::clone(self) })
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
        let ack_request = Arc::<AckRequest>::default();
        let stream = TokioIo::new(QuickAck::new(stream, Arc::clone(&ack_request)));
        let handshake = http1::Builder::new()
            .preserve_header_case(true)
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
        let open = OpenConnection { sender, ack_request };
        Ok(PooledConnection { open, connect, is_spent: false, pool: Arc::clone(self) })
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

    fn keep(self: Arc<Self>, open: OpenConnection) {
        self.lock().keep(open, self.most_idle);
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
        let mut sweeps = interval_at(time::Instant::now() + SWEEP_EACH, SWEEP_EACH);
        loop {
            sweeps.tick().await;
            let mut idle = self.lock();
            if idle.sweep() {
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
        if self.is_spent {
            return;
        }
        if self.open.sender.is_ready() {
            self.pool.keep(self.open);
        } else if !self.open.sender.is_closed() {
            spawn_once("connection to the application", async move {
                if self.open.sender.ready().await.is_ok() {
                    self.pool.keep(self.open);
                }
            });
        }
    }
}

/// Idle items, each with the number of the next sweep at its return. The newest is used first, so that surplus ones grow old.
struct Idle<T> {
    kept: VecDeque<(T, u64)>,
    sweeps: u64,
}

impl<T> Default for Idle<T> {
    fn default() -> Self {
        Self { kept: VecDeque::new(), sweeps: 0 }
    }
}

impl<T> Idle<T> {
    fn take(&mut self) -> Option<T> {
        self.kept.pop_back().map(|(kept, _)| kept)
    }

    fn keep(&mut self, kept: T, most: usize) {
        if self.kept.len() < most {
            self.kept.push_back((kept, self.sweeps));
        }
    }

    /// Drops old items, and returns whether nothing is left.
    fn sweep(&mut self) -> bool {
        self.sweeps += 1;
        while self.kept.front().is_some_and(|(_, came)| came + IDLE_SWEEPS <= self.sweeps) {
            self.kept.pop_front();
        }
        self.kept.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 10;

    #[test]
    fn what_nobody_needs_is_let_go_at_the_fourth_sweep() {
        let mut idle = Idle::default();
        idle.keep("first", MOST);
        assert!(!idle.sweep());
        idle.keep("second", MOST);
        for _ in 0..2 {
            assert!(!idle.sweep());
        }
        assert_eq!(idle.take(), Some("second"), "the last that came is used first");
        idle.keep("second", MOST);
        assert!(!idle.sweep(), "the first alone has been there for four");
        assert_eq!(idle.kept.len(), 1);
        for _ in 0..2 {
            assert!(!idle.sweep());
        }
        assert!(idle.sweep());
        assert_eq!(idle.take(), None);
    }

    #[test]
    fn there_are_only_so_many_idle() {
        let mut idle = Idle::default();
        (0..2 * MOST).for_each(|number| idle.keep(number, MOST));
        assert_eq!(idle.kept.len(), MOST);
    }
}
