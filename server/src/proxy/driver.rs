//! The task that drives a connection to the application. It is not woken for what changes nothing: whoever reads a body says of each part
//! that it has been taken, also of the last.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{
            AtomicU8,
            Ordering::{AcqRel, Acquire},
        },
    },
    task::{Context, Wake, Waker},
};

use futures_util::task::AtomicWaker;

/// Wakes are passed on.
const PASSES: u8 = 0;
/// Wakes are held back, and there was none.
const HOLDS: u8 = 1;
/// Wakes are held back, and there was one.
const HELD: u8 = 2;

/// Stands between a connection and its task.
#[derive(Default)]
pub(super) struct Driver {
    task: AtomicWaker,
    wakes: AtomicU8,
}

impl Driver {
    /// Drives a connection to its end.
    pub(super) fn spawn(connection: impl Future<Output = hyper::Result<()>> + Send + 'static) -> Arc<Self> {
        let driver = Arc::new(Self::default());
        let waker = Waker::from(Arc::clone(&driver));
        let own = Arc::clone(&driver);
        tokio::spawn(async move {
            let mut connection = pin!(connection);
            let ended = poll_fn(|cx| {
                own.task.register(cx.waker());
                connection.as_mut().poll(&mut Context::from_waker(&waker))
            });
            if let Err(error) = ended.await {
                tracing::debug!(%error, "a connection to the application ended early");
            }
        });
        driver
    }

    /// Wakes are held back from now on, until [`Self::release`].
    pub(super) fn hold(&self) {
        self.wakes.swap(HOLDS, AcqRel);
    }

    /// Passes a wake on that was held back, if it matters.
    pub(super) fn release(&self, matters: bool) {
        if self.wakes.swap(PASSES, AcqRel) == HELD && matters {
            self.task.wake();
        }
    }
}

impl Wake for Driver {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.wakes.compare_exchange(HOLDS, HELD, AcqRel, Acquire) == Err(PASSES) {
            self.task.wake();
        }
    }
}
