//! When this process merges: while it has the lease, and on a thread that it has for this alone.

use std::{convert::Infallible, future::pending, panic::resume_unwind, time::Duration};

use tokio::{
    runtime::Handle,
    select,
    sync::oneshot,
    task::{JoinError, spawn_blocking},
    time::{MissedTickBehavior, interval},
};

use super::Merger;

/// The time between two looks for what is new.
const LOOK_EACH: Duration = Duration::from_millis(500);

impl Merger {
    /// Merges for ever, while it has the lease. Whoever waits for it needs no thread for that.
    pub(in super::super) async fn run(mut self) {
        let mut ticks = interval(LOOK_EACH);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            // A store that does not answer is told by the delivery.
            if let Ok(Some(_)) = self.lease.hold().await {
                self = self.run_on_a_thread().await;
            }
        }
    }

    /// Merges while it has the lease, on a thread of its own: pages do not wait while it computes.
    async fn run_on_a_thread(mut self) -> Self {
        // The thread ends with this task too.
        let (_dropped_with_task, task_ended) = oneshot::channel::<Infallible>();
        let runtime = Handle::current();
        let merging = spawn_blocking(move || {
            runtime.block_on(async {
                select! { () = self.run_while_held() => {}, _ = task_ended => {} }
            });
            self
        });
        match merging.await.map_err(JoinError::try_into_panic) {
            Ok(merger) => merger,
            Err(Ok(panic)) => resume_unwind(panic),
            // The runtime ends.
            Err(Err(_)) => pending().await,
        }
    }

    async fn run_while_held(&mut self) {
        let mut ticks = interval(LOOK_EACH);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while let Ok(Some(tenure)) = self.lease.hold().await {
            let merged = self.merge_and_judge(tenure).await;
            let was_failing = std::mem::replace(&mut self.is_failing, merged.is_err());
            match merged {
                Ok(()) if was_failing => tracing::info!("the figures of the fleet are merged again"),
                Err(error) if !was_failing => {
                    tracing::warn!("the figures of the fleet are not merged: {}", error.into_reason());
                }
                _ => {}
            }
            ticks.tick().await;
        }
    }
}
