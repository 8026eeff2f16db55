//! The end of a server: connections and tunnels have time to finish.

use std::time::Duration;

use tokio::{sync::watch, time::timeout};

/// What is still open after its time has this long to close.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// How far a server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Serving,
    /// Idle connections close, and all others may finish.
    Draining,
    /// Nothing may go on.
    Ended,
}

/// Ends what watches it.
pub(super) struct Drain(watch::Sender<Phase>);

/// The watch of a connection or a tunnel. The server waits until it is dropped.
#[derive(Clone)]
pub(crate) struct DrainWatch(watch::Receiver<Phase>);

impl Drain {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(Phase::Serving))
    }

    pub(super) fn watch(&self) -> DrainWatch {
        DrainWatch(self.0.subscribe())
    }

    /// Waits until all have finished, then ends the others. Returns whether all have finished in time.
    pub(super) async fn finish(self, within: Duration) -> bool {
        self.0.send_replace(Phase::Draining);
        if timeout(within, self.0.closed()).await.is_ok() {
            return true;
        }
        self.0.send_replace(Phase::Ended);
        // Tunnels say goodbye.
        let _ = timeout(CLOSE_WITHIN, self.0.closed()).await;
        false
    }
}

impl DrainWatch {
    /// Waits until the server has come so far.
    pub(crate) async fn reach(mut self, phase: Phase) {
        // It fails if the server is gone.
        let _ = self.0.wait_for(|reached| *reached >= phase).await;
    }
}
