//! The frames of the last fifteen minutes.

use std::collections::VecDeque;

use crate::requests::Interval;

/// Fifteen minutes of seconds.
const KEPT: usize = 900;

/// What one second brought. Each figure is none where it is not known.
#[derive(Clone)]
pub(crate) struct Frame {
    pub(crate) tick: u64,
    pub(crate) requests: Interval,
    pub(crate) rss_bytes: Option<u64>,
    pub(crate) memory_percent: Option<f64>,
    pub(crate) process_cpu_percent: Option<f64>,
    pub(crate) system_cpu_percent: Option<f64>,
    pub(crate) database_latency_us: Option<u64>,
}

/// Frames in the order of their ticks; the oldest go. A tick that was missed is a gap.
#[derive(Default)]
pub(crate) struct Ring(VecDeque<Frame>);

impl Ring {
    pub(crate) fn push(&mut self, frame: Frame) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(frame);
    }

    /// The frames from `tick` on, oldest first.
    pub(crate) fn since(&self, tick: u64) -> impl Iterator<Item = &Frame> + Clone {
        let from = self.0.partition_point(|frame| frame.tick < tick);
        self.0.range(from..)
    }
}
