//! Saves the wake-up of a connection's task after the last part of each answer. hyper wakes the task for every part that is read, but after the last
//! one the task has nothing to do.

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

/// Stands before the task of one connection. Task and reader run on one thread (`workers.rs`): while wakes are held, only the reader can cause
/// them.
#[derive(Default)]
pub(super) struct WakeFilter {
    task: AtomicWaker,
    state: AtomicU8,
    /// The reader has read all bytes that have come, and waits for more.
    is_waiting: AtomicBool,
}

impl WakeFilter {
    /// Spawns the task that drives a connection to its end, behind this filter.
    pub(super) fn spawn_connection(
        self: &Arc<Self>,
        connection: impl Future<Output = hyper::Result<()>> + Send + 'static,
    ) {
        let waker = Waker::from(Arc::clone(self));
        let filter = Arc::clone(self);
        tokio::spawn(async move {
            let mut connection = pin!(connection);
            let ended = poll_fn(|cx| {
                filter.task.register(cx.waker());
                connection.as_mut().poll(&mut Context::from_waker(&waker))
            });
            if let Err(error) = ended.await {
                tracing::debug!(%error, "a connection to the application ended early");
            }
            // The owners of the filter do not need the task any more.
            filter.task.take();
        });
    }

    /// Holds wakes from now on, until [`Self::open`].
    pub(super) fn hold(&self) {
        self.state.swap(HOLDS, AcqRel);
    }

    /// Passes wakes on again. A held wake is passed on if it matters, and dropped otherwise.
    pub(super) fn open(&self, matters: bool) {
        if self.state.swap(OPEN, AcqRel) == HELD && matters {
            self.task.wake();
        }
    }

    /// Wakes the task, since its reader waits for more.
    pub(super) fn wait(&self) {
        self.is_waiting.store(true, Relaxed);
        self.task.wake();
    }

    /// Whether the reader waits. Resets the answer.
    pub(super) fn take_waiting(&self) -> bool {
        self.is_waiting.load(Relaxed) && self.is_waiting.swap(false, Relaxed)
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
