//! Tokio's figures of the async runtime that the application runs on.

use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use watchboard_wire::Runtime;

/// Reads a runtime. It keeps the last reading, to compute the share of busy time since.
pub(crate) struct RuntimeProbe {
    handle: Handle,
    before: Option<(Instant, Duration)>,
}

impl RuntimeProbe {
    /// A probe of the runtime that calls this; `None` outside of a runtime.
    pub(crate) fn current() -> Option<Self> {
        Handle::try_current().ok().map(|handle| Self { handle, before: None })
    }

    pub(crate) fn read(&mut self) -> Runtime {
        let metrics = self.handle.metrics();
        let workers = metrics.num_workers();
        let busy: Duration = (0..workers).map(|worker| metrics.worker_total_busy_duration(worker)).sum();
        let now = Instant::now();
        let before = self.before.replace((now, busy));
        let share = |(then, before): (Instant, Duration)| {
            let time = now.duration_since(then).as_secs_f64() * workers as f64;
            // A worker adds its busy time when it parks, so it may be that of more than the last second.
            (time > 0.0).then(|| (100.0 * busy.saturating_sub(before).as_secs_f64() / time).min(100.0))
        };
        Runtime {
            workers: workers as u32,
            busy_percent: before.and_then(share),
            global_queue: metrics.global_queue_depth() as u64,
            alive_tasks: metrics.num_alive_tasks() as u64,
        }
    }
}
