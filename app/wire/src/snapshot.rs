//! Everything that is watched, at one tick of the monitor.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::{
    CommandsSnapshot, DatabaseHealth, EndpointLatency, EndpointTotals, ErrorEvent, Exemplar, Health, Memory, Requests,
    Runtime, format,
};

/// A snapshot is taken every second. Once it is older than this, it is stale: no state that it has holds any more.
pub const STALE_AFTER: Duration = Duration::from_secs(5);

/// The snapshot with every endpoint, error and command, for `/health` and `/metrics`.
#[derive(Clone, Debug)]
pub struct FullSnapshot {
    /// The part that pages get too.
    pub snapshot: Snapshot,
    /// The time at which it was taken, by the monotonic clock.
    pub taken_at: Instant,
    /// Every endpoint since the start of the monitor.
    pub endpoints: Vec<Arc<EndpointTotals>>,
    /// The last errors, newest first; at most 100.
    pub errors: Vec<ErrorEvent>,
    /// The commands that the application sent to its database; `None` without a command listener.
    pub commands: Option<CommandsSnapshot>,
    /// Late requests with an id, as examples of slow ones.
    pub exemplars: Arc<Vec<Exemplar>>,
    /// The latency of each of `endpoints` in the last minute. Empty unless somebody asked for costly figures.
    pub latencies: Vec<EndpointLatency>,
}

impl Default for FullSnapshot {
    fn default() -> Self {
        Self {
            snapshot: Snapshot::default(),
            taken_at: Instant::now(),
            endpoints: vec![],
            errors: vec![],
            commands: None,
            exemplars: Arc::default(),
            latencies: vec![],
        }
    }
}

impl FullSnapshot {
    /// Its age now.
    pub fn age(&self) -> Duration {
        self.taken_at.elapsed()
    }

    /// Why it says nothing about now, if it is too old for that.
    pub fn stale(&self) -> Option<String> {
        let age = self.age();
        let text = || format!("the monitor has not taken figures for {}", format::span(age.as_secs()));
        (age > STALE_AFTER).then(text)
    }
}

/// The state of all that is watched at one tick of the monitor. It ticks once a second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The name of the watched application.
    pub service: String,
    /// Watchboard's own version.
    pub version: String,
    /// The time at which the monitor was built. It identifies a run of the process.
    pub started_at_unix_ms: u64,
    /// Whole seconds from the start of the monitor to this snapshot, by the monotonic clock.
    pub tick: u64,
    /// The time of this snapshot. All times are of one clock that nobody sets, so their differences are durations.
    pub taken_at_unix_ms: u64,
    /// How far the wall clock has been set since that clock started: negative if it was set back. Dates follow the wall clock.
    pub wall_clock_set_ms: i64,
    /// The verdict on requests, memory and database together.
    pub health: Health,
    /// Request metrics.
    pub requests: Requests,
    /// Memory analytics.
    pub memory: Memory,
    /// Database health.
    pub database: DatabaseHealth,
    /// Whether the monitor listens to the events of the application's database client.
    pub listens: bool,
    /// The async runtime; `None` if the monitor was built outside of one.
    pub runtime: Option<Runtime>,
}

impl Snapshot {
    /// One of its times by the wall clock.
    pub fn wall_clock(&self, unix_ms: u64) -> u64 {
        unix_ms.saturating_add_signed(self.wall_clock_set_ms)
    }

    /// One of its times as date and time: `2026-11-23 12:03:04 UTC`.
    pub fn date_time(&self, unix_ms: u64) -> String {
        format::date_time(self.wall_clock(unix_ms))
    }

    /// One of its times as a time of day in UTC: `12:03:04`.
    pub fn clock(&self, unix_ms: u64) -> String {
        format::clock(self.wall_clock(unix_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_follow_a_wall_clock_that_is_set() {
        let at = |wall_clock_set_ms| Snapshot { wall_clock_set_ms, ..Snapshot::default() }.date_time(7_200_000);
        assert_eq!(
            [0, -3_600_000, 3_600_000, i64::MIN].map(at).map(|date| date[11..].to_owned()),
            ["02:00:00 UTC", "01:00:00 UTC", "03:00:00 UTC", "00:00:00 UTC"]
        );
    }
}
