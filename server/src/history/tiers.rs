//! The history in memory: the last minutes by the second, the last day by a quarter of an hour, and three tiers between. When the
//! seconds of a step are complete they are folded into a frame of the next tier; a window is then covered by the coarsest
//! frames that fit, and at its new end by finer ones.

use std::collections::VecDeque;

use watchboard_wire::Window;

use super::frame::{Frame, fold};

/// Ticks that a frame of each tier stands for. Each is a multiple of the one before.
pub(super) const STEPS: [u64; 5] = [1, 10, 60, 300, 900];
/// How many frames of each are kept: those of five minutes, fifteen, an hour, six, a day; and those that are leaving a window
/// whose sums are some seconds old.
const KEPT: [usize; STEPS.len()] = [300 + 14, 90 + 2, 60 + 2, 72 + 2, 96 + 2];
/// All frames together take about no more than this. Five hundred busy endpoints reach it: then the oldest of the heaviest
/// tier go, and the windows that want them begin later.
const MOST_BYTES: usize = 28 << 20;

/// The tier whose frames a window begins with.
pub(super) fn tier(window: Window) -> usize {
    match window {
        Window::Minute | Window::FiveMinutes => 0,
        Window::FifteenMinutes => 1,
        Window::Hour => 2,
        Window::SixHours => 3,
        Window::Day => 4,
    }
}

#[derive(Default)]
pub(crate) struct Tiers {
    /// By tier, oldest first.
    frames: [VecDeque<Frame>; STEPS.len()],
    /// Up to which tick each tier is complete: what came later is in the finer ones alone.
    complete: [u64; STEPS.len()],
    /// Behind which tick each tier has lost nothing yet.
    gone: [u64; STEPS.len()],
    bytes: [usize; STEPS.len()],
}

impl Tiers {
    /// Adds the frame of one tick, later than all before it. Ticks without a frame are gaps.
    pub(crate) fn push(&mut self, frame: Frame) {
        let now = frame.start + 1;
        // A tick may be missing at the end of a step: what is complete by now is folded before the new frame counts.
        self.fold_until(frame.start);
        self.add(0, frame);
        self.complete[0] = now;
        self.fold_until(now);
    }

    /// Folds every step that is complete at `now`.
    fn fold_until(&mut self, now: u64) {
        for (tier, step) in STEPS.into_iter().enumerate().skip(1) {
            let end = now / step * step;
            if end <= self.complete[tier] {
                continue;
            }
            let fresh = self.frames[tier - 1].partition_point(|frame| frame.start < self.complete[tier]);
            let fresh: Vec<&Frame> = self.frames[tier - 1].range(fresh..).filter(|frame| frame.start < end).collect();
            let folded: Vec<Frame> = fresh
                .chunk_by(|a, b| a.start / step == b.start / step)
                .map(|frames| fold(frames[0].start / step * step, frames))
                .collect();
            for frame in folded {
                self.add(tier, frame);
            }
            self.complete[tier] = end;
        }
    }

    fn add(&mut self, tier: usize, frame: Frame) {
        self.bytes[tier] += frame.bytes();
        self.frames[tier].push_back(frame);
        if self.frames[tier].len() > KEPT[tier] {
            self.drop_oldest(tier);
        }
        while self.bytes() > MOST_BYTES {
            let Some(tier) = self.heaviest() else { return };
            self.drop_oldest(tier);
        }
    }

    /// The tier that holds the most, of those whose oldest frame can go: it is in the next tier too, or there is none.
    fn heaviest(&self) -> Option<usize> {
        let can_go = |tier: &usize| match (self.frames[*tier].front(), self.complete.get(tier + 1)) {
            (Some(oldest), Some(complete)) => oldest.start < *complete,
            (Some(_), None) => self.frames[*tier].len() > 1,
            (None, _) => false,
        };
        (0..STEPS.len()).filter(can_go).max_by_key(|tier| self.bytes[*tier])
    }

    fn drop_oldest(&mut self, tier: usize) {
        if let Some(oldest) = self.frames[tier].pop_front() {
            self.bytes[tier] -= oldest.bytes();
            self.gone[tier] = oldest.start + STEPS[tier];
        }
    }

    /// Whether frames of a tier that stood at or after a tick are no longer there.
    pub(super) fn has_lost(&self, tier: usize, from: u64) -> bool {
        self.gone[tier] > from
    }

    /// The first tick from `from` on of which a tier has the frame.
    pub(super) fn from(&self, tier: usize, from: u64) -> u64 {
        from.max(self.gone[tier])
    }

    /// The memory that all frames hold.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.iter().sum()
    }

    /// The frames of the ticks from `from` to before `to`, each tick in one frame: of `tier` where that is complete, of
    /// finer tiers after that. Both ends are at a step of the tier, or `to` is now.
    pub(super) fn cover(&self, tier: usize, from: u64, to: u64) -> impl Iterator<Item = &Frame> {
        (0..=tier).rev().flat_map(move |part| {
            let begins = if part == tier { from } else { from.max(self.complete[part + 1].min(to)) };
            let ends = if part == 0 { to } else { to.min(self.complete[part].max(from)) };
            let frames = &self.frames[part];
            let first = frames.partition_point(|frame| frame.start < begins);
            let last = frames.partition_point(|frame| frame.start < ends);
            frames.range(first..last.max(first))
        })
    }
}

#[cfg(test)]
#[path = "tiers_tests.rs"]
mod tests;
