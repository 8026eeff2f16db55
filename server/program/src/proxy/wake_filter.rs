//! Between a connection to the application and its task: who reads a body says of each part that it has been taken, also of the last, and for
//! that one the task need not be woken.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{
            AtomicBool, AtomicU8,
            Ordering::{AcqRel, Acquire, Relaxed},
        },
    },
    task::{Context, Wake, Waker},
};

use futures_util::task::AtomicWaker;

/// Wakes are passed on.
const OPEN: u8 = 0;
/// Wakes are held, and there was none.
const HOLDS: u8 = 1;
/// Wakes are held, and there was one.
const HELD: u8 = 2;

/// Task, connection and reader are on one thread (`workers.rs`): while it is held nothing else than what its holder does can wake the task.
#[derive(Default)]
pub(super) struct WakeFilter {
    task: AtomicWaker,
    state: AtomicU8,
    /// Somebody has all of an answer that there is, and waits for more.
    waits: AtomicBool,
}

impl WakeFilter {
    /// Has a task drive a connection to its end, with this wake_filter before it.
    pub(super) fn spawn_connection(
        self: &Arc<Self>,
        connection: impl Future<Output = hyper::Result<()>> + Send + 'static,
    ) {
        let waker = Waker::from(Arc::clone(self));
        let own = Arc::clone(self);
        tokio::spawn(async move {
            let mut connection = pin!(connection);
            let ended = poll_fn(|cx| {
                own.task.register(cx.waker());
                connection.as_mut().poll(&mut Context::from_waker(&waker))
            });
            if let Err(error) = ended.await {
                tracing::debug!(%error, "a connection to the application ended early");
            }
            // What has the wake_filter has no need of the task any more.
            own.task.take();
        });
    }

    /// Holds wakes from now on, until [`Self::open`].
    pub(super) fn hold(&self) {
        self.state.swap(HOLDS, AcqRel);
    }

    /// Passes wakes on again. One that was held goes on if it matters, and is forgotten otherwise.
    pub(super) fn open(&self, matters: bool) {
        if self.state.swap(OPEN, AcqRel) == HELD && matters {
            self.task.wake();
        }
    }

    /// Tells the task that its reader waits for more.
    pub(super) fn wait(&self) {
        self.waits.store(true, Relaxed);
        self.task.wake();
    }

    /// Whether somebody waits; says so once.
    pub(super) fn take_waiting(&self) -> bool {
        self.waits.load(Relaxed) && self.waits.swap(false, Relaxed)
    }
}

impl Wake for WakeFilter {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.compare_exchange(HOLDS, HELD, AcqRel, Acquire) == Err(OPEN) {
            self.task.wake();
        }
    }
}
