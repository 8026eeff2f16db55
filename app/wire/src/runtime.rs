//! The async runtime that the application runs on.

use serde::{Deserialize, Serialize};

/// Tokio's own figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Runtime {
    /// Threads that run tasks.
    pub workers: u32,
    /// The share of their time in which they ran tasks, over the last second; none in the first.
    pub busy_percent: Option<f64>,
    /// Tasks that wait for any worker to take them.
    pub global_queue: u64,
    /// Tasks that have been spawned and have not ended.
    pub alive_tasks: u64,
}
