//! Figures of a past span: which steps show it, where these are, and the answer that is made of them.

use watchboard_wire::{CommandName, CommandRow, Part, RefreshCursor, RefreshResponse, Snapshot, Window};

use super::{
    History, NameLookup,
    answer::{AnswerFigures, command_rows},
    store::{StoreTier, StoredPast},
    storing::{StepDecoder, tier_of},
    tiers::{STEPS, Tiers, fold_steps, tier},
    window_sums::WindowSums,
};
use crate::requests::Reader;

/// A past span, and how it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PastSpan {
    /// The window whose points show it.
    pub(crate) window: Window,
    /// From one tick to before the other, at steps of the window.
    pub(crate) ticks: (u64, u64),
    /// The steps that the store has of it; `None` if the frames in memory suffice.
    pub(crate) stored: Option<StoreTier>,
}

impl PastSpan {
    /// Whether a page with this cursor has all of it.
    pub(crate) fn is_had_by(&self, cursor: &RefreshCursor, started_at_unix_ms: u64) -> bool {
        let is_of_these = (cursor.started_at_unix_ms, cursor.window) == (started_at_unix_ms, self.window);
        is_of_these && self.ticks.1 <= cursor.tick + 1
    }
}

/// The stored steps that make the points of a window.
fn stored_steps(window: Window) -> Option<StoreTier> {
    match window {
        Window::Minute | Window::FiveMinutes => None,
        Window::FifteenMinutes => Some(StoreTier::TenSeconds),
        Window::Hour | Window::SixHours => Some(StoreTier::Minute),
        Window::Day => Some(StoreTier::QuarterHour),
        Window::Week => Some(StoreTier::Hour),
        Window::Month => Some(StoreTier::SixHours),
        Window::ThirteenMonths => Some(StoreTier::TwoDays),
    }
}

impl History {
    /// How the span from one tick to before another is shown: by the finest points that there are of it. What was before the history, or
    /// is to come, is left out; `None` if that is all.
    pub(crate) fn past_span(&self, (from, to): (u64, u64), has_store: bool) -> Option<PastSpan> {
        let (from, to) = (from.max(self.oldest), to.min(self.now));
        if from >= to {
            return None;
        }
        let show = |window: Window| {
            let step = window.step_seconds();
            let ticks = (from / step * step, to.div_ceil(step).saturating_mul(step).min(self.now));
            let is_held = !self.tiers.has_lost(tier(window), ticks.0);
            let kept = |tier: &StoreTier| has_store && self.now.saturating_sub(tier.kept_seconds()) <= ticks.0;
            let stored = stored_steps(window).filter(|tier| !is_held && kept(tier));
            let points = ticks.1.div_ceil(step) - ticks.0 / step;
            let is_shown = (is_held || stored.is_some()) && points <= window.points() as u64;
            is_shown.then_some(PastSpan { window, ticks, stored })
        };
        Window::ALL.into_iter().find_map(show)
    }

    /// The response to a page of a past span, and the commands of the span. `frames` are those of the store.
    pub(crate) fn answer_past(
        &self,
        span: &PastSpan,
        part: &Part,
        frames: Option<&PastFrames>,
        snapshot: &Snapshot,
        names: NameLookup<'_>,
    ) -> (RefreshResponse, (CommandRow, Vec<(u16, CommandRow)>)) {
        let Self { started_at_unix_ms, tiers, causes, marks, slowest_of, aliases, .. } = self;
        let tiers = frames.map_or(tiers, |frames| &frames.0);
        let mut sums = WindowSums::of_span(span.window, *started_at_unix_ms, (tiers, aliases), span.ticks);
        let commands = command_rows(&sums);
        let figures = AnswerFigures { window_sums: &mut sums, tiers, aliases, causes, marks, slowest_of };
        let mut response = figures.answer(part, None, snapshot, names);
        // What is in flight or open is of now.
        response.endpoints.retain(|row| row.requests > 0);
        let endpoints = response.endpoints.iter_mut().chain(response.endpoint.iter_mut().map(|detail| &mut detail.row));
        endpoints.for_each(|row| (row.in_flight, row.open) = (0, 0));
        response.long_lived.clear();
        response.span = Some(span.ticks);
        (response, commands)
    }
}

/// The frames of a past span that were stored.
pub(crate) struct PastFrames(Tiers);

impl PastFrames {
    /// The frames of a span from the steps that the store has.
    pub(crate) fn new(
        span: &PastSpan,
        past: &StoredPast,
        reader: &mut Reader,
        command: &dyn Fn(&CommandName) -> Option<u16>,
    ) -> Self {
        let mut decoder = StepDecoder::new(&past.names);
        let frames: Vec<_> = past.steps.iter().filter_map(|step| decoder.decode(step, reader, command)).collect();
        let tier = tier(span.window);
        let is_finer = span.stored.is_some_and(|stored| tier_of(stored) < tier);
        let frames = if is_finer { fold_steps(&frames.iter().collect::<Vec<_>>(), STEPS[tier]) } else { frames };
        Self(Tiers::of_span(tier, frames, span.ticks))
    }
}

#[cfg(test)]
pub(crate) mod tests;
