//! The history in memory: eight tiers of frames, from the last minutes by the second to thirteen months by two days. The complete
//! frames of a step fold into a frame of the next tier. A window takes the coarsest frames that fit, and finer ones at its new end.

use std::{collections::VecDeque, ops::Range};

use watchboard_wire::Window;

use super::frame::{Frame, fold};

/// Ticks of a frame in each tier. Each is a multiple of the one before.
pub(super) const STEPS: [u64; 8] = [1, 10, 60, 300, 900, 3_600, 21_600, 172_800];
/// Frames of each tier: those of five minutes, fifteen, an hour, six, a day, seven days, thirty, thirteen months, and those that leave a
/// window whose sums are some seconds old.
const KEPT: [usize; STEPS.len()] = [300 + 14, 90 + 2, 60 + 2, 72 + 2, 96 + 2, 168 + 2, 120 + 2, 198 + 2];
/// The memory of all frames, about. Five hundred busy endpoints reach it. Then the oldest frames of the heaviest tier are dropped, and
/// the windows that need them begin later.
const MAX_BYTES: usize = 56 << 20;

/// The tier whose frames a window begins with.
pub(super) fn tier(window: Window) -> usize {
    match window {
        Window::Minute | Window::FiveMinutes => 0,
        Window::FifteenMinutes => 1,
        Window::Hour => 2,
        Window::SixHours => 3,
        Window::Day => 4,
        Window::Week => 5,
        Window::Month => 6,
        Window::ThirteenMonths => 7,
    }
}

/// Folds frames, by rising start, into those of longer steps.
pub(super) fn fold_steps(frames: &[&Frame], step: u64) -> Vec<Frame> {
    let steps = frames.chunk_by(|a, b| a.start / step == b.start / step);
    steps.map(|frames| fold(frames[0].start / step * step, frames)).collect()
}

/// The tier whose steps are stored in part when a run ends in order.
const TEN_SECONDS: usize = 1;

/// The ticks whose frames of a tier a history that begins at a tick takes over from earlier runs: before the step in which it begins, and
/// what the run before had of its ten seconds.
pub(super) fn earlier_span(tier: usize, first_tick: u64) -> Range<u64> {
    let begun = if tier == TEN_SECONDS { STEPS[tier] } else { 0 };
    let end = first_tick / STEPS[tier] * STEPS[tier] + begun;
    // The frames of five minutes are made of those of a minute.
    let reach =
        if STEPS[tier] == 60 { STEPS[tier + 1] * KEPT[tier + 1] as u64 } else { STEPS[tier] * KEPT[tier] as u64 };
    end.saturating_sub(reach)..end
}

/// The finest tier above that of a window that also has the window before; `None` if no tier reaches as far back. Its frames are few.
fn tier_of_before(window: Window) -> Option<usize> {
    let reach = |tier: &usize| STEPS[*tier] * (KEPT[*tier] as u64 - 2);
    (tier(window) + 1..STEPS.len()).find(|tier| reach(tier) >= 2 * window.seconds() + STEPS[*tier])
}

/// The first tick that there are figures of, by the start of the first step of each tier and its length, the finest tier first. A coarse
/// step may begin before them, so a finer one that begins within it tells.
pub(super) fn first_of(firsts: impl DoubleEndedIterator<Item = (u64, u64)>) -> Option<u64> {
    let finer = |(oldest, coarse): (u64, u64), (start, step)| {
        if start < oldest + coarse { (start, step) } else { (oldest, coarse) }
    };
    firsts.rev().reduce(finer).map(|(oldest, _)| oldest)
}

/// All frames of the history.
pub(crate) struct Tiers {
    /// The first tick of this run.
    first: u64,
    /// By tier, oldest first.
    frames: [VecDeque<Frame>; STEPS.len()],
    /// The tick up to which each tier is complete. Later ticks are in the finer tiers only.
    complete: [u64; STEPS.len()],
    /// The tick from which each tier still has all frames.
    gone: [u64; STEPS.len()],
    bytes: [usize; STEPS.len()],
}

impl Tiers {
    /// No frames. Those before the first tick are gone.
    pub(super) fn new(first_tick: u64) -> Self {
        Self {
            first: first_tick,
            frames: Default::default(),
            complete: STEPS.map(|step| first_tick / step * step),
            gone: STEPS.map(|step| first_tick / step * step),
            bytes: [0; STEPS.len()],
        }
    }

    /// The frames of one tier for a span of ticks that begins and ends at its steps.
    pub(super) fn of_span(tier: usize, frames: Vec<Frame>, (from, to): (u64, u64)) -> Self {
        let mut tiers = Self::new(to);
        (tiers.gone[tier], tiers.complete[tier]) = (from, to);
        tiers.frames[tier] = frames.into();
        tiers
    }

    /// Adds the frame of one tick, later than all before it. Ticks without a frame are gaps.
    pub(crate) fn push(&mut self, frame: Frame) {
        let now = frame.start + 1;
        // The last tick of a step may be missing, so a step may be complete only now.
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
            let fresh = self.at(tier - 1, self.complete[tier])..self.at(tier - 1, end);
            let fresh: Vec<&Frame> = self.frames[tier - 1].range(fresh).collect();
            for frame in fold_steps(&fresh, step) {
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
        while self.bytes() > MAX_BYTES {
            let Some(tier) = self.heaviest() else { return };
            self.drop_oldest(tier);
        }
    }

    /// The tier with the most bytes whose oldest frame can be dropped: the next tier has it too, or there is no next tier.
    fn heaviest(&self) -> Option<usize> {
        let can_go = |tier: &usize| match (self.frames[*tier].front(), self.complete.get(tier + 1)) {
            (Some(oldest), Some(complete)) => oldest.start < *complete,
            (Some(_), None) => self.frames[*tier].len() > 1,
            (None, _) => false,
        };
        (0..STEPS.len()).filter(can_go).max_by_key(|tier| self.bytes[*tier])
    }

    /// Takes over the frames of earlier runs, by rising start, which all end before this run. Those of a minute make those of five minutes
    /// too.
    pub(super) fn restore(&mut self, tier: usize, mut earlier: Vec<Frame>) {
        if tier == TEN_SECONDS && self.complete[tier] > self.first / STEPS[tier] * STEPS[tier] {
            // This run's part of the step is a frame already.
            earlier.retain(|frame| frame.start < self.first / STEPS[tier] * STEPS[tier]);
        }
        if STEPS[tier] == 60 {
            let step = STEPS[tier + 1];
            let own = self.first / step * step;
            let frames: Vec<&Frame> = earlier.iter().filter(|frame| frame.start < own).collect();
            self.prepend(tier + 1, fold_steps(&frames, step));
        }
        self.prepend(tier, earlier);
    }

    /// Folds anew the steps that have less than their parts: the one in which this run began, and those that an earlier run did not
    /// complete. Returns the tier and the start of each.
    pub(super) fn refold(&mut self) -> Vec<(usize, u64)> {
        let mut refolded = vec![];
        for (tier, step) in STEPS.into_iter().enumerate().skip(1) {
            let begins = self.gone[tier - 1] / step * step;
            let parts: Vec<&Frame> = self.frames[tier - 1].range(self.at(tier - 1, begins)..).collect();
            let start_of = |parts: &[&Frame]| parts[0].start / step * step;
            let is_fuller = |parts: &&[&Frame]| {
                let known = self.frames[tier].get(self.at(tier, start_of(parts)));
                let known = known.filter(|known| known.start == start_of(parts)).map_or(0, |known| known.seconds);
                start_of(parts) < self.complete[tier] && parts.iter().map(|part| part.seconds).sum::<u64>() > known
            };
            let steps = parts.chunk_by(|a, b| a.start / step == b.start / step);
            let fuller: Vec<Frame> = steps.filter(is_fuller).map(|parts| fold(start_of(parts), parts)).collect();
            for frame in fuller {
                let (at, start) = (self.at(tier, frame.start), frame.start);
                self.bytes[tier] += frame.bytes();
                match self.frames[tier].get_mut(at).filter(|known| known.start == start) {
                    Some(known) => self.bytes[tier] -= std::mem::replace(known, frame).bytes(),
                    None => self.frames[tier].insert(at, frame),
                }
                self.gone[tier] = self.gone[tier].min(start);
                refolded.push((tier, start));
            }
        }
        refolded
    }

    /// The index of the first frame of a tier that begins at a tick or later.
    fn at(&self, tier: usize, tick: u64) -> usize {
        self.frames[tier].partition_point(|frame| frame.start < tick)
    }

    fn prepend(&mut self, tier: usize, earlier: Vec<Frame>) {
        for frame in earlier.into_iter().rev() {
            let bytes = frame.bytes();
            if self.frames[tier].len() >= KEPT[tier] || self.bytes() + bytes > MAX_BYTES {
                return;
            }
            self.bytes[tier] += bytes;
            self.gone[tier] = frame.start;
            self.frames[tier].push_front(frame);
        }
    }

    /// The first tick that there are figures of; `None` without a frame.
    pub(super) fn oldest(&self) -> Option<u64> {
        first_of(self.frames.iter().zip(STEPS).filter_map(|(frames, step)| Some((frames.front()?.start, step))))
    }

    /// The tick up to which a tier has all complete steps.
    pub(super) fn complete_until(&self, tier: usize) -> u64 {
        self.complete[tier]
    }

    fn drop_oldest(&mut self, tier: usize) {
        if let Some(oldest) = self.frames[tier].pop_front() {
            self.bytes[tier] -= oldest.bytes();
            self.gone[tier] = oldest.start + STEPS[tier];
        }
    }

    /// Whether a tier has dropped frames at or after a tick.
    pub(super) fn has_lost(&self, tier: usize, from: u64) -> bool {
        self.gone[tier] > from
    }

    /// The first tick from `from` on whose frame a tier still has.
    pub(super) fn from(&self, tier: usize, from: u64) -> u64 {
        from.max(self.gone[tier])
    }

    /// The frames of the window before one that begins at a tick, with the tick at which they end; `None` unless all of them are there.
    pub(super) fn before(&self, window: Window, begins: u64) -> Option<(u64, impl Iterator<Item = &Frame>)> {
        let tier = tier_of_before(window)?;
        let end = begins / STEPS[tier] * STEPS[tier];
        let from = end.checked_sub(window.seconds())? / STEPS[tier] * STEPS[tier];
        (!self.has_lost(tier, from)).then(|| (end, self.cover(tier, from, end)))
    }

    /// The memory of all frames, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.iter().sum()
    }

    /// The frames that cover the ticks from `from` to before `to`, each tick once: of `tier` as far as that is complete, then of finer
    /// tiers. Both ends are at a step of the tier, or `to` is now.
    pub(super) fn cover(&self, tier: usize, from: u64, to: u64) -> impl Iterator<Item = &Frame> {
        (0..=tier).rev().flat_map(move |part| {
            let begins = if part == tier { from } else { from.max(self.complete[part + 1].min(to)) };
            // Behind its complete steps, that of ten seconds has what the run before had of those in which this one began.
            let ends = if part <= TEN_SECONDS { to } else { to.min(self.complete[part].max(from)) };
            let first = self.at(part, begins);
            self.frames[part].range(first..self.at(part, ends).max(first))
        })
    }
}

#[cfg(test)]
mod tests;
