//! The connections to the application: made on demand, with the time that took, and reused.

use std::{
    collections::VecDeque,
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
    quick_ack::{AckRequest, QuickAck},
    upload::Upload,
    upstream::host_and_port,
};
use crate::{
    serve::{MAX_FIELDS, RESTART_PAUSE, keep_alive, lacks_something},
    tasks::{Recorded, recorded, spawn_once},
};

/// A local application takes a connection at once. One that does not is overloaded or gone.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// The largest head of an answer, and the most that is read of a body ahead of its client.
const ANSWER_BYTES: usize = 128 << 10;
/// Idle connections are kept so long, unless the application announces less by `Keep-Alive`. Most servers close theirs after five seconds.
const IDLE_FOR: Duration = Duration::from_secs(3);
/// The same, for a request that cannot be retried if its connection closes meanwhile: gunicorn closes after two seconds.
const FRESH_FOR: Duration = Duration::from_secs(1);
/// This long before the announced end a connection is used no more.
const CLOSES_SOON: Duration = Duration::from_millis(500);
const SWEEP_EACH: Duration = Duration::from_secs(1);

pub(super) struct UpstreamPool {
    upstream: Authority,
    idle: Mutex<Idle<OpenConnection>>,
    /// Whether the task that closes old connections runs.
    is_swept: AtomicBool,
    most_idle: usize,
    log: Arc<FailureLog>,
}

/// Which idle connections a request may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reuse {
    /// The request is retried if the application closes the connection.
    Any,
    /// Only one that the application does not close yet.
    Fresh,
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
            open.ack_request.check_for_end();
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
        let ack_request = Arc::<AckRequest>::default();
        let stream = TokioIo::new(QuickAck::new(stream, Arc::clone(&ack_request)));
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
        let open = OpenConnection { sender, ack_request };
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
        if self.is_spent {
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

/// Until when an idle connection may be used.
#[derive(Clone, Copy)]
struct IdleTime {
    fresh_until: Instant,
    until: Instant,
}

impl IdleTime {
    fn new(now: Instant, announced: Option<Duration>) -> Self {
        let most = announced.map_or(Duration::MAX, |announced| announced.saturating_sub(CLOSES_SOON));
        let fresh_for = if announced.is_some() { IDLE_FOR } else { FRESH_FOR };
        Self { fresh_until: now + fresh_for.min(most), until: now + IDLE_FOR.min(most) }
    }

    fn allows(self, now: Instant, reuse: Reuse) -> bool {
        now < match reuse {
            Reuse::Any => self.until,
            Reuse::Fresh => self.fresh_until,
        }
    }
}

/// Idle items. The newest is used first, so that surplus ones grow old.
struct Idle<T>(VecDeque<(T, IdleTime)>);

impl<T> Default for Idle<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T> Idle<T> {
    fn take(&mut self, now: Instant, reuse: Reuse) -> Option<T> {
        if self.0.back()?.1.allows(now, reuse) {
            return self.0.pop_back().map(|(kept, _)| kept);
        }
        let usable = self.0.iter().rposition(|(_, lease)| lease.allows(now, reuse))?;
        self.0.remove(usable).map(|(kept, _)| kept)
    }

    fn keep(&mut self, kept: T, lease: IdleTime, most: usize) {
        if self.0.len() < most {
            self.0.push_back((kept, lease));
        }
    }

    /// Drops old items, and returns whether nothing is left.
    fn sweep(&mut self, now: Instant) -> bool {
        self.0.retain(|(_, lease)| lease.allows(now, Reuse::Any));
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 10;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn what_nobody_needs_is_let_go_after_three_seconds() {
        let (mut idle, now) = (Idle::default(), Instant::now());
        idle.keep("first", IdleTime::new(now, None), MOST);
        idle.keep("second", IdleTime::new(now + ms(500), None), MOST);
        assert_eq!(idle.take(now + ms(600), Reuse::Fresh), Some("second"), "the last that came is used first");
        idle.keep("second", IdleTime::new(now + ms(700), None), MOST);
        assert_eq!(idle.take(now + ms(1800), Reuse::Fresh), None, "the application may close it any time");
        assert!(!idle.sweep(now + ms(3100)), "the first alone is old");
        assert_eq!(idle.0.len(), 1);
        assert_eq!(idle.take(now + ms(3200), Reuse::Any), Some("second"));
        assert!(idle.sweep(now + ms(3200)));
    }

    #[test]
    fn the_announced_end_of_a_connection_counts() {
        let (mut idle, now) = (Idle::default(), Instant::now());
        idle.keep("long", IdleTime::new(now, Some(ms(5000))), MOST);
        idle.keep("short", IdleTime::new(now, Some(ms(1000))), MOST);
        assert_eq!(idle.take(now + ms(600), Reuse::Any), Some("long"), "the other closes soon");
        assert_eq!(idle.take(now + ms(600), Reuse::Any), None);
        assert_eq!(idle.take(now + ms(400), Reuse::Fresh), Some("short"));
        idle.keep("long", IdleTime::new(now, Some(ms(5000))), MOST);
        assert_eq!(idle.take(now + ms(2900), Reuse::Fresh), Some("long"));
    }

    #[test]
    fn there_are_only_so_many_idle() {
        let (mut idle, lease) = (Idle::default(), IdleTime::new(Instant::now(), None));
        (0..2 * MOST).for_each(|number| idle.keep(number, lease, MOST));
        assert_eq!(idle.0.len(), MOST);
    }
}
