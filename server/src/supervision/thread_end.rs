//! The end of a thread, for which a host that ends waits.

use std::{
    sync::{
        Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    time::Duration,
};

/// The end of a thread. The first who waits takes the receiver: two who wait in turn do not add up.
pub(crate) struct ThreadEnd(Mutex<Option<Receiver<()>>>);

impl ThreadEnd {
    /// The thread drops the sender when it ends.
    pub(crate) fn new() -> (SyncSender<()>, Self) {
        let (alive, ended) = sync_channel(0);
        (alive, Self(Mutex::new(Some(ended))))
    }

    /// Waits at most so long, unless somebody has waited before.
    pub(crate) fn wait(&self, within: Duration) {
        let ended = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let _ = ended.map(|ended| ended.recv_timeout(within));
    }
}
