//! Connections to the application: made when one is needed, with the time that this took, and used again.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use http::uri::Authority;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    time::{Sleep, sleep, timeout},
};

use super::{address_of, failure::Failure, upload::Upload};
use crate::serve::keep_alive;

/// A local application takes a connection at once; one that does not is overwhelmed or gone.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Idle ones are kept for less time than servers keep them, five seconds mostly: a request that goes out while the other side closes
/// is lost.
const IDLE_FOR: Duration = Duration::from_secs(4);
const MOST_IDLE: usize = 256;

pub(super) struct Connections {
    upstream: Authority,
    /// The last that came is used first, so that what is not needed grows old.
    idle: Mutex<VecDeque<(Open, Instant)>>,
    /// Somebody closes what has grown old.
    is_swept: AtomicBool,
}

/// One that is there.
pub(super) struct Open {
    pub(super) sender: SendRequest<Upload>,
    /// Ends the time that there is for an answer. The connection keeps it, since to move its time costs less than to make one for each request.
    pub(super) patience: Pin<Box<Sleep>>,
}

/// A connection in the hands of one request. It goes back when the answer has been read to its end.
pub(super) struct Taken {
    pub(super) open: Open,
    /// How long it took to be made; none where it was there.
    pub(super) connect: Option<Duration>,
    home: Arc<Connections>,
}

impl Connections {
    pub(super) fn new(upstream: Authority) -> Arc<Self> {
        Arc::new(Self { upstream, idle: Mutex::default(), is_swept: AtomicBool::new(false) })
    }

    /// One that is idle, or else a new one.
    pub(super) async fn take(self: &Arc<Self>) -> Result<Taken, Failure> {
        match self.idle() {
            Some(open) => Ok(Taken { open, connect: None, home: Arc::clone(self) }),
            // In a box: what is made of this becomes a part of each request, which is moved about.
            None => Box::pin(self.connect()).await,
        }
    }

    async fn connect(self: &Arc<Self>) -> Result<Taken, Failure> {
        let began = Instant::now();
        let stream = timeout(CONNECT_WITHIN, TcpStream::connect(address_of(&self.upstream))).await;
        let stream = stream.map_err(|_| Failure::NoConnectionInTime)?.map_err(|error| match error.kind() {
            io::ErrorKind::ConnectionRefused => Failure::Refused,
            _ => Failure::Unreachable,
        })?;
        let connect = Some(began.elapsed());
        stream.set_nodelay(true).and_then(|()| keep_alive(&stream)).map_err(|_| Failure::Unreachable)?;
        let handshake =
            http1::Builder::new().preserve_header_case(true).writev(false).handshake(TokioIo::new(stream)).await;
        let (sender, connection) = handshake.map_err(|_| Failure::Unreachable)?;
        tokio::spawn(async move {
            if let Err(error) = connection.with_upgrades().await {
                tracing::debug!(%error, "a connection to the application ended early");
            }
        });
        let open = Open { sender, patience: Box::pin(sleep(CONNECT_WITHIN)) };
        Ok(Taken { open, connect, home: Arc::clone(self) })
    }

    fn idle(&self) -> Option<Open> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((open, since)) = idle.pop_back() {
            if since.elapsed() >= IDLE_FOR {
                // Those before it are older still.
                idle.clear();
                return None;
            }
            if open.sender.is_ready() {
                return Some(open);
            }
        }
        None
    }

    fn keep(self: Arc<Self>, open: Open) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MOST_IDLE {
            idle.push_back((open, Instant::now()));
        }
        drop(idle);
        if !self.is_swept.swap(true, Relaxed) {
            tokio::spawn(self.sweep());
        }
    }

    /// Closes what has not been needed for long, until nothing is left.
    async fn sweep(self: Arc<Self>) {
        loop {
            sleep(IDLE_FOR).await;
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            while idle.front().is_some_and(|(_, since)| since.elapsed() >= IDLE_FOR) {
                idle.pop_front();
            }
            if idle.is_empty() {
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
