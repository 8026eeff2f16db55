//! The async runtime that the application runs on.

use serde::{Deserialize, Serialize};

/// Figures of tokio's `RuntimeMetrics`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Runtime {
    /// Worker threads: `num_workers`.
    pub workers: u32,
    /// The share of the last second in which the workers ran tasks, from `worker_total_busy_duration`; `None` in the
    /// first second.
    pub busy_percent: Option<f64>,
    /// Tasks in the queue of all workers: `global_queue_depth`.
    pub global_queue: u64,
    /// Tasks that were spawned and have not ended: `num_alive_tasks`.
    pub alive_tasks: u64,
}
