//! What the monitor itself takes from its host.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use watchboard_app::wire::Cost;

use crate::requests;

pub(crate) struct CostMeter {
    request_ns: u64,
    /// CPU time of the monitor's thread at the last tick.
    cpu: Option<Duration>,
    cpu_us_per_second: Option<u64>,
}

impl CostMeter {
    pub(crate) fn new() -> Self {
        Self { request_ns: requests::nanoseconds_to_record(), cpu: None, cpu_us_per_second: None }
    }

    /// Once a second, on the monitor's thread.
    pub(crate) fn tick(&mut self) {
        let now = thread_cpu();
        let before = self.cpu.replace(now);
        self.cpu_us_per_second = before.map(|before| now.saturating_sub(before).as_micros() as u64);
    }

    pub(crate) fn read(&self, held: Vec<(String, u64)>, probes: Vec<(String, u64)>) -> Cost {
        Cost { request_ns: self.request_ns, cpu_us_per_second: self.cpu_us_per_second, held, probes }
    }
}

/// CPU time of this thread since it began.
pub(crate) fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}
