//! The monitor's own cost to its host.

use std::{
    thread::{self, ThreadId},
    time::{Duration, Instant},
};

use watchboard_wire::Cost;

use crate::{
    requests,
    supervision::{program, thread_cpu},
};

/// Measures the monitor's own cost.
#[derive(Default)]
pub(crate) struct CostMeter {
    /// Measured at the first reading, not while the host starts.
    request_ns: Option<u64>,
    /// The last tick: its thread, its time, and the thread's CPU time until then.
    last: Option<(ThreadId, Instant, Duration)>,
    cpu_us_per_second: Option<u64>,
}

impl CostMeter {
    /// Call it at each tick, with the CPU time of the other threads since the last. The first tick is not on the monitor's thread.
    pub(crate) fn tick(&mut self, others: Duration) {
        let (thread, now, cpu) = (thread::current().id(), Instant::now(), thread_cpu());
        let before = self.last.replace((thread, now, cpu)).filter(|(before, ..)| *before == thread);
        self.cpu_us_per_second = before.and_then(|(_, then, before)| {
            let seconds = now.duration_since(then).as_secs_f64();
            (seconds > 0.0).then(|| ((cpu.saturating_sub(before) + others).as_micros() as f64 / seconds) as u64)
        });
    }

    pub(crate) fn read(&mut self, held: Vec<(String, u64)>, probes: Vec<(String, u64)>) -> Cost {
        let request_ns = *self.request_ns.get_or_insert_with(requests::nanoseconds_to_record);
        let dropped_log_lines = program::dropped_log_lines();
        Cost { request_ns, cpu_us_per_second: self.cpu_us_per_second, held, probes, dropped_log_lines }
    }
}
