//! The growth detector: memory that rises and does not fall again. A rise counts when nearly all pairs of its points rise (Theil
//! and Sen's slope, with Kendall's test as its confidence), in both halves of the window, by more than it sways, and above all
//! earlier points. So a flat, noisy or saw-toothed series does not count, nor does a step.

use std::collections::VecDeque;

use watchboard_wire::{Finding, FindingSubject, Memory, format};

use super::finding::warning;

/// How sure: so many standard deviations of Kendall's test. Points of a process are not independent of each other.
const SURE: f64 = 4.0;
/// Each half rises at least at this share of the whole's pace.
const HALF_PACE: f64 = 0.25;

/// The growth within the window is at least so many times the sway.
const SWAYS: f64 = 3.0;

/// Chance does not last: a rise counts once each point has shown it, for this part of a window.
const PARTS_IN_A_ROW: usize = 5;

/// A leak that needs the window of an hour is slow. It counts from this share of the limit an hour on.
const SLOW_SHARE_AN_HOUR: f64 = 0.008;
/// A leak is fast if its pace reaches the limit within this time.
const FAST_HOURS: f64 = 1.0;
/// Any program grows by less while it warms up.
const LEAST_BYTES: f64 = (8 << 20) as f64;

/// A rise that goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Growth {
    /// Bytes an hour: the median pace, and the least that is sure.
    pub(super) per_hour: f64,
    pub(super) sure_per_hour: f64,
    pub(super) seconds: f64,
}

impl Growth {
    /// The growth within the window.
    pub(super) fn bytes(self) -> f64 {
        self.per_hour * self.seconds / 3_600.0
    }
}

/// Points of equal steps, each the lowest of its step: memory that falls again within a step is no growth.
struct Steps {
    step: u64,
    /// How many points the window has, and how many are held.
    window: usize,
    capacity: usize,
    points: VecDeque<f64>,
    /// The number of the step that is filling.
    filling: u64,
    lowest: Option<f64>,
    found_in_a_row: usize,
    growth: Option<Growth>,
}

impl Steps {
    fn new(step: u64, window: usize, capacity: usize) -> Self {
        Self {
            step,
            window,
            capacity,
            points: VecDeque::new(),
            filling: 0,
            lowest: None,
            found_in_a_row: 0,
            growth: None,
        }
    }

    fn add(&mut self, tick: u64, value: f64) {
        let number = tick / self.step;
        if number != self.filling {
            let ended = self.lowest.take();
            // A gap is no basis to judge from.
            if number != self.filling + 1 {
                self.points.clear();
            }
            self.points.extend(ended);
            let excess = self.points.len().saturating_sub(self.capacity);
            self.points.drain(..excess);
            self.filling = number;
            let found = self.find_growth();
            self.found_in_a_row = if found.is_some() { self.found_in_a_row + 1 } else { 0 };
            self.growth = found.filter(|_| self.found_in_a_row * PARTS_IN_A_ROW >= self.window);
        }
        self.lowest = Some(self.lowest.map_or(value, |lowest| lowest.min(value)));
    }

    /// The rise of the window, if it is one.
    fn find_growth(&self) -> Option<Growth> {
        let first = self.points.len().checked_sub(self.window)?;
        let window: Vec<f64> = self.points.range(first..).copied().collect();
        let third = self.window / 3;
        let lately = quantile(&window[self.window - third..], 0.1);
        let before = self.points.range(..first).copied().fold(f64::MIN, f64::max);
        // Most series end here.
        if lately <= quantile(&window[..third], 0.9).max(before) {
            return None;
        }
        let (pace, sure) = slope(&window);
        let (earlier, later) = window.split_at(self.window / 2);
        let goes_on = [earlier, later].into_iter().all(|half| slope(half).0 >= HALF_PACE * pace);
        let beside: Vec<f64> = window.iter().zip(0u32..).map(|(point, at)| point - pace * f64::from(at)).collect();
        let sways = quantile(&beside, 0.9) - quantile(&beside, 0.1);
        if sure <= 0.0 || !goes_on || pace * self.window as f64 <= SWAYS * sways {
            return None;
        }
        let per_hour = 3_600.0 / self.step as f64;
        let seconds = (self.window as u64 * self.step) as f64;
        Some(Growth { per_hour: pace * per_hour, sure_per_hour: sure * per_hour, seconds })
    }

    /// The rise, if it exceeds the growth of a program that warms up, and if there are so many points: the points before the
    /// window show how the process sways.
    fn established_growth(&self, points: usize) -> Option<Growth> {
        self.growth.filter(|growth| self.points.len() >= points && growth.bytes() >= LEAST_BYTES)
    }
}

/// The median slope between all pairs of points, by point, and the lowest that is sure.
fn slope(points: &[f64]) -> (f64, f64) {
    let pairs = |index: usize| {
        points[index + 1..].iter().zip(1u32..).map(move |(later, away)| (later - points[index]) / f64::from(away))
    };
    let mut slopes: Vec<f64> = (0..points.len()).flat_map(pairs).collect();
    slopes.sort_by(f64::total_cmp);
    let n = points.len() as f64;
    let uncertain = SURE * (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
    let lowest = ((slopes.len() as f64 - uncertain) / 2.0).max(0.0) as usize;
    match slopes.get(slopes.len() / 2) {
        Some(median) => (*median, slopes[lowest]),
        None => (0.0, 0.0),
    }
}

fn quantile(points: &[f64], share: f64) -> f64 {
    let mut sorted = points.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get((share * (sorted.len() - 1) as f64).round() as usize).copied().unwrap_or(0.0)
}

/// One figure of memory over time.
struct MemorySeries {
    /// Five minutes, after ten more.
    fast: Steps,
    /// An hour, after half of one more.
    slow: Steps,
}

impl Default for MemorySeries {
    fn default() -> Self {
        Self { fast: Steps::new(10, 30, 90), slow: Steps::new(60, 60, 240) }
    }
}

impl MemorySeries {
    fn add(&mut self, tick: u64, bytes: u64) {
        self.fast.add(tick, bytes as f64);
        self.slow.add(tick, bytes as f64);
    }

    /// A rise that matters, with `left` bytes until a limit of `limit`.
    fn find_growth(&self, left: f64, limit: f64) -> Option<Growth> {
        let fast = self.fast.established_growth(90).filter(|it| it.per_hour * FAST_HOURS >= left);
        let slow = self.slow.established_growth(90).filter(|it| it.per_hour >= SLOW_SHARE_AN_HOUR * limit);
        fast.or(slow)
    }
}

/// Resident memory, and the program's objects if its allocator counts.
#[derive(Default)]
pub(super) struct GrowthDetector {
    rss: MemorySeries,
    heap: MemorySeries,
    /// Restarts of the application, where that is not the monitor's own process.
    restarted: Option<u64>,
}

impl GrowthDetector {
    pub(super) fn add(&mut self, tick: u64, memory: &Memory) {
        // After a restart the old points mean nothing.
        let restarted = memory.application.as_ref().and_then(|it| it.restarted_at_unix_ms.last().copied());
        if restarted != self.restarted {
            *self = Self { restarted, ..Self::default() };
        }
        if let Ok(process) = &memory.process {
            self.rss.add(tick, process.rss_bytes + process.hugetlb_bytes);
        }
        if let Some(heap) = memory.heap {
            self.heap.add(tick, heap.live_bytes());
        }
    }

    /// How the program's objects grew in the last five minutes, whether or not that matters to the limit.
    pub(super) fn recent_heap_growth(&self) -> Option<Growth> {
        self.heap.fast.established_growth(60)
    }

    /// `keeper` says which endpoint keeps what came. One sentence for the two: the program's own objects, where they are known to grow, say more.
    pub(super) fn growth_finding(&self, memory: &Memory, keeper: Option<String>) -> Option<Finding> {
        let headline = memory.headline().ok()?;
        let (limit, left) =
            (headline.limit_bytes as f64, headline.limit_bytes.saturating_sub(headline.used_bytes) as f64);
        let heap = self.heap.find_growth(left, limit).map(|growth| ("allocated and not freed memory", growth));
        let (what, growth) = heap.or_else(|| Some(("resident memory", self.rss.find_growth(left, limit)?)))?;
        let [pace, sure] = [growth.per_hour, growth.sure_per_hour].map(format::bytes);
        let until = format::span((left / growth.per_hour * 3_600.0) as u64);
        let keeper = keeper.map(|keeper| format!(": {keeper}")).unwrap_or_default();
        let sentence = format!(
            "{what} grows by {pace} an hour (surely by {sure}){keeper}: at this pace it reaches the {}'s {} in about {until}",
            headline.scope,
            format::bytes(limit),
        );
        Some(warning(sentence, FindingSubject::Memory))
    }
}

#[cfg(test)]
mod tests;
