//! Connections to the application: made when one is needed, with the time that this took, and used again.

use std::{
    collections::VecDeque,
    pin::Pin,
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
    time::{self, Sleep, interval_at, sleep, timeout},
};

use super::{
    address_of, failure::Failure, quick_ack::QuickAck, retry::RetryNote, upload::Upload, wake_filter::WakeFilter,
};
use crate::serve::keep_alive;

/// A local application takes a connection at once; one that does not is overwhelmed or gone.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Idle ones are kept for some three to four seconds, less than servers keep them, five mostly: a request that goes out while the other side
/// closes is lost, or has to be made again. Counted in sweeps, so that no request reads a clock for it.
const IDLE_SWEEPS: u64 = 4;
const SWEEP_EACH: Duration = Duration::from_secs(1);
const MOST_IDLE: usize = 256;

pub(super) struct Connections {
    upstream: Authority,
    idle: Mutex<Idle<Open>>,
    /// Somebody closes what has grown old.
    is_swept: AtomicBool,
}

/// One that is there.
pub(super) struct Open {
    pub(super) sender: SendRequest<Upload>,
    pub(super) wake_filter: Arc<WakeFilter>,
    pub(super) retry_note: RetryNote,
    /// Ends the time that there is for an answer. The connection keeps it, since to move its time costs less than to make one for each request.
    pub(super) patience: Pin<Box<Sleep>>,
}

/// A connection in the hands of one request. It goes back when the answer has been read to its end.
pub(super) struct Taken {
    pub(super) open: Open,
    /// How long it took to be made; none where it was there.
    pub(super) connect: Option<Duration>,
    /// No other request is to have it.
    pub(super) is_spent: bool,
    home: Arc<Connections>,
}

impl Connections {
    pub(super) fn new(upstream: Authority) -> Arc<Self> {
        Arc::new(Self { upstream, idle: Mutex::default(), is_swept: AtomicBool::new(false) })
    }

    /// One that is idle. It may have been closed meanwhile.
    pub(super) fn idle(self: &Arc<Self>) -> Option<Taken> {
        let open = self.lock().take()?;
        Some(Taken { open, connect: None, is_spent: false, home: Arc::clone(self) })
    }

    pub(super) async fn connect(self: &Arc<Self>) -> Result<Taken, Failure> {
        let began = Instant::now();
        let stream = timeout(CONNECT_WITHIN, TcpStream::connect(address_of(&self.upstream))).await;
        let stream = stream.map_err(|_| Failure::NoConnectionInTime)??;
        let connect = Some(began.elapsed());
        stream.set_nodelay(true).and_then(|()| keep_alive(&stream))?;
        let wake_filter = Arc::<WakeFilter>::default();
        let stream = TokioIo::new(QuickAck::new(stream, Arc::clone(&wake_filter)));
        let handshake = http1::Builder::new().preserve_header_case(true).writev(false).handshake(stream).await;
        let (sender, connection) = handshake.map_err(|_| Failure::NoConnection)?;
        wake_filter.drive(connection.with_upgrades());
        let open =
            Open { sender, wake_filter, retry_note: RetryNote::default(), patience: Box::pin(sleep(CONNECT_WITHIN)) };
        Ok(Taken { open, connect, is_spent: false, home: Arc::clone(self) })
    }

    fn lock(&self) -> MutexGuard<'_, Idle<Open>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(self: Arc<Self>, open: Open) {
        self.lock().keep(open);
        if !self.is_swept.swap(true, Relaxed) {
            tokio::spawn(self.sweep());
        }
    }

    /// Closes what has not been needed for long, until nothing is left.
    async fn sweep(self: Arc<Self>) {
        // What was missed while the thread could not run is made up for.
        let mut sweeps = interval_at(time::Instant::now() + SWEEP_EACH, SWEEP_EACH);
        loop {
            sweeps.tick().await;
            let mut idle = self.lock();
            if idle.sweep() {
                // Whoever keeps one after this, and the lock, begins anew.
                self.is_swept.store(false, Relaxed);
                return;
            }
        }
    }
}

impl Taken {
    /// The answer has been read to its end: another request may have the connection, once it is done with this one's.
    pub(super) fn give_back(mut self) {
        if self.is_spent {
            return;
        }
        if self.open.sender.is_ready() {
            self.home.keep(self.open);
        } else if !self.open.sender.is_closed() {
            tokio::spawn(async move {
                if self.open.sender.ready().await.is_ok() {
                    self.home.keep(self.open);
                }
            });
        }
    }
}

/// What was given back, each with the number of the sweep before which it came. The last that came is used first, so that what is not needed
/// grows old.
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

    fn keep(&mut self, kept: T) {
        if self.kept.len() < MOST_IDLE {
            self.kept.push_back((kept, self.sweeps));
        }
    }

    /// Lets go of what has been there for long, and says whether nothing is left.
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

    #[test]
    fn what_nobody_needs_is_let_go_at_the_fourth_sweep() {
        let mut idle = Idle::default();
        idle.keep("first");
        assert!(!idle.sweep());
        idle.keep("second");
        for _ in 0..2 {
            assert!(!idle.sweep());
        }
        assert_eq!(idle.take(), Some("second"), "the last that came is used first");
        idle.keep("second");
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
        (0..2 * MOST_IDLE).for_each(|number| idle.keep(number));
        assert_eq!(idle.kept.len(), MOST_IDLE);
    }
}
