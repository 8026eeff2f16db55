//! Figures of a past span: which steps show it, where these are, and the answer that is made of them.

use watchboard_wire::{
    CommandName, CommandRow, ErrorSample, Part, RefreshCursor, RefreshResponse, Snapshot, Window, WindowTotals,
};

use super::{
    History, NameLookup,
    answer::{AnswerFigures, command_rows},
    reported::Reported,
    store::{KeptTimes, StoreTier, StoredPast},
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
    /// The steps of the store that show it; `None` if the store has none.
    pub(crate) stored: Option<StoreTier>,
    /// Whether the frames in memory suffice.
    pub(crate) is_held: bool,
}

impl PastSpan {
    /// The window that ends before a tick, from a store that has steps of ten seconds and longer alone.
    #[cfg(feature = "mongodb")]
    pub(crate) fn latest(window: Window, to: u64) -> Self {
        let window = Window::ALL
            .into_iter()
            .find(|longer| longer.seconds() >= window.seconds() && stored_steps(*longer).is_some());
        let window = window.unwrap_or_default();
        let from = window.first_point(to.saturating_sub(1)) * window.step_seconds();
        Self { window, ticks: (from, to), stored: stored_steps(window), is_held: false }
    }

    /// A span that ends by `now`, by the finest points that such a store keeps of it; `None` if that is before all of it.
    #[cfg(feature = "mongodb")]
    pub(crate) fn in_store((from, to): (u64, u64), (oldest, now): (u64, u64), kept: &KeptTimes) -> Option<Self> {
        let (most, step) = (Window::ThirteenMonths.points() as u64, Window::ThirteenMonths.step_seconds());
        let (from, to) = (from.max(oldest), to.min(now));
        let from = from.max(to.div_ceil(step).saturating_sub(most) * step);
        let show = |window: Window| {
            let (step, stored) = (window.step_seconds(), stored_steps(window)?);
            let ticks = (from / step * step, to.div_ceil(step).saturating_mul(step).min(now));
            let is_kept = now.saturating_sub(kept.kept_seconds(stored)) <= ticks.0;
            let points = ticks.1.div_ceil(step) - ticks.0 / step;
            (is_kept && points <= window.points() as u64).then_some(Self {
                window,
                ticks,
                stored: Some(stored),
                is_held: false,
            })
        };
        if from < to { Window::ALL.into_iter().find_map(show) } else { None }
    }

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
    /// is to come, is left out; `None` if that is all. `store` is what the store keeps, if it can be read.
    pub(crate) fn past_span(&self, (from, to): (u64, u64), store: Option<&KeptTimes>) -> Option<PastSpan> {
        let (from, to) = (from.max(self.oldest), to.min(self.now));
        // A span with more points than any window has is shown by its last ones.
        let (most, step) = (Window::ThirteenMonths.points() as u64, Window::ThirteenMonths.step_seconds());
        let from = from.max(to.div_ceil(step).saturating_sub(most) * step);
        if from >= to {
            return None;
        }
        let show = |window: Window| {
            let step = window.step_seconds();
            let ticks = (from / step * step, to.div_ceil(step).saturating_mul(step).min(self.now));
            let is_held = !self.tiers.has_lost(tier(window), ticks.0);
            let kept = |tier: &StoreTier| {
                store.is_some_and(|kept| self.now.saturating_sub(kept.kept_seconds(*tier)) <= ticks.0)
            };
            // The store has the errors and the slow requests of the span itself. What happened a moment ago is not there yet.
            let is_sent = |tier: StoreTier| ticks.1 <= self.sent.until[tier as usize].max(self.first);
            let stored = stored_steps(window).filter(|tier| (is_sent(*tier) || !is_held) && kept(tier));
            let points = ticks.1.div_ceil(step) - ticks.0 / step;
            let is_shown = (is_held || stored.is_some()) && points <= window.points() as u64;
            is_shown.then_some(PastSpan { window, ticks, stored, is_held })
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
        let Self { started_at_unix_ms, tiers, reported, marks, aliases, .. } = self;
        let (tiers, reported) = frames.map_or((tiers, reported), |frames| (&frames.tiers, &frames.reported));
        let mut sums = WindowSums::of_span(span.window, *started_at_unix_ms, (tiers, aliases), span.ticks);
        let commands = command_rows(&sums);
        let figures = AnswerFigures { window_sums: &mut sums, tiers, aliases, reported, marks };
        let mut response = figures.answer(part, None, snapshot, names);
        // What is in flight or open is of now.
        response.endpoints.retain(|row| row.requests > 0);
        let endpoints = response.endpoints.iter_mut().chain(response.endpoint.iter_mut().map(|detail| &mut detail.row));
        endpoints.for_each(|row| (row.in_flight, row.open) = (0, 0));
        response.long_lived.clear();
        let is_within = |sample: &ErrorSample| (span.ticks.0..span.ticks.1).contains(&(sample.at_unix_ms / 1000));
        response.causes.iter_mut().for_each(|cause| cause.samples.retain(is_within));
        response.uncounted_errors = uncounted_errors(&response);
        response.span = Some(span.ticks);
        (response, commands)
    }
}

/// The failed requests of a past span that none of its causes counts.
fn uncounted_errors(response: &RefreshResponse) -> u64 {
    let WindowTotals { server_errors, client_errors, dropped, .. } = response.totals;
    let points = response.causes.iter().flat_map(|cause| &cause.points);
    let counted: u64 = points.map(|(_, count)| u64::from(*count)).sum();
    (server_errors + client_errors + dropped).saturating_sub(counted)
}

/// What was stored of a past span.
pub(crate) struct PastFrames {
    tiers: Tiers,
    reported: Reported,
}

impl History {
    /// The frames of a span from the steps that the store has.
    pub(crate) fn past_frames(
        &self,
        span: &PastSpan,
        past: StoredPast,
        reader: &mut Reader,
        command: &dyn Fn(&CommandName) -> Option<u16>,
    ) -> PastFrames {
        let (mut decoder, mut reported) = (StepDecoder::new(&past.names), Reported::new());
        let causes = &mut reported.causes;
        let tier = tier(span.window);
        let is_finer = past.steps.iter().any(|step| tier_of(step.tier) < tier);
        // Each step goes as soon as its frame is there: those of many months take much memory.
        let frames = past.steps.into_iter().filter_map(|step| decoder.decode(&step, reader, command, causes));
        let frames: Vec<_> = frames.collect();
        reported.add_earlier(decoder.slow, &self.aliases);
        let frames = if is_finer { fold_steps(&frames.iter().collect::<Vec<_>>(), STEPS[tier]) } else { frames };
        PastFrames { tiers: Tiers::of_span(tier, frames, span.ticks), reported }
    }
}

#[cfg(test)]
pub(crate) mod tests;
