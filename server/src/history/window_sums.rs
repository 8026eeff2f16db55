//! The sums of one window. New frames are added, and frames that leave the window are subtracted, so that a request for the window costs as
//! much as is new.

use std::collections::VecDeque;

use watchboard_wire::{Columns, Timeline, TimelineColumns, Window, WindowBefore, WindowTotals};

use super::{
    compact::{self, Sign},
    frame::Frame,
    points::point,
    strips::StripSums,
    tiers::{Tiers, tier},
};
use crate::{
    commands::CommandTally,
    requests::{Aliases, Class, Tally},
};

/// The sums of one window.
pub(crate) struct WindowSums {
    pub(super) window: Window,
    /// The ticks of the sums: from `from` to before `to`.
    from: u64,
    to: u64,
    whole: Tally,
    seconds: u64,
    /// By the endpoint's id.
    rows: Vec<Option<Box<SumsRow>>>,
    all_commands: CommandTally,
    /// By the number of the shape.
    commands: Vec<Option<Box<CommandTally>>>,
    timeline: Timeline<TimelineColumns>,
    pub(super) strips: StripSums,
    /// The window before, and the tick at which it ends.
    before: Option<(u64, WindowBefore)>,
    /// The tick at which the sums were made from scratch. Changes since then are known.
    made_at: u64,
}

/// One endpoint in the window.
pub(super) struct SumsRow {
    pub(super) sums: Tally,
    pub(super) line: Line,
    /// The tick at which it came into the window, and the tick of its last change.
    pub(super) came_at: u64,
    pub(super) changed_at: u64,
    /// Requests in flight, as a page last got them.
    pub(super) in_flight: u64,
    /// Open WebSockets, other upgraded connections and streams, as above.
    pub(super) open: u64,
}

/// Requests over time: the points of a sparkline.
#[derive(Default)]
pub(super) struct Line {
    pub(super) last: u64,
    pub(super) counts: VecDeque<u32>,
}

impl WindowSums {
    pub(super) fn new(window: Window, started_at_unix_ms: u64) -> Self {
        Self {
            window,
            from: 0,
            to: 0,
            whole: Tally::default(),
            seconds: 0,
            rows: vec![],
            all_commands: CommandTally::default(),
            commands: vec![],
            timeline: Timeline { started_at_unix_ms, window, ..Timeline::default() },
            strips: StripSums::default(),
            before: None,
            made_at: 0,
        }
    }

    /// The sums of a past span, by the points of a window.
    pub(super) fn of_span(
        window: Window,
        started_at_unix_ms: u64,
        (tiers, aliases): (&Tiers, &Aliases),
        (from, to): (u64, u64),
    ) -> Self {
        let mut sums = Self { made_at: to - 1, ..Self::new(window, started_at_unix_ms) };
        tiers.cover(tier(window), from, to).for_each(|frame| sums.apply(Sign::Add, frame, aliases, to));
        sums.extend_timeline(tiers, from, to);
        (sums.from, sums.to) = (from, to);
        sums
    }

    /// Updates the sums to the ticks before `to`.
    pub(super) fn advance(&mut self, tiers: &Tiers, aliases: &Aliases, to: u64) {
        if self.to == to || to == 0 {
            return;
        }
        let tier = tier(self.window);
        // The window begins with the first frame that the tier still has.
        let from = tiers.from(tier, self.window.first_point(to - 1) * self.window.step_seconds());
        if self.to == 0 || tiers.has_lost(0, self.to) || tiers.has_lost(tier, self.from) {
            *self = Self { made_at: to - 1, ..Self::new(self.window, self.timeline.started_at_unix_ms) };
            tiers.cover(tier, from, to).for_each(|frame| self.apply(Sign::Add, frame, aliases, to));
        } else {
            tiers.cover(0, self.to, to).for_each(|frame| self.apply(Sign::Add, frame, aliases, to));
            tiers.cover(tier, self.from, from).for_each(|frame| self.apply(Sign::Subtract, frame, aliases, to));
        }
        self.extend_timeline(tiers, from, to);
        (self.from, self.to) = (from, to);
        self.sum_before(tiers);
    }

    /// Adds the points from the last one on, which may have been a part of one.
    fn extend_timeline(&mut self, tiers: &Tiers, from: u64, to: u64) {
        let step = self.window.step_seconds();
        let first = (self.to.saturating_sub(1) / step).max(from / step);
        for number in first..=(to - 1) / step {
            let next = Timeline { first: number, columns: point(tiers, self.window, number, to), ..self.timeline };
            if self.timeline.is_empty() {
                self.timeline = next;
            } else {
                self.timeline.extend(next);
            }
        }
    }

    /// Sums the window before. It moves by the steps of its tier, so it is summed anew only then.
    fn sum_before(&mut self, tiers: &Tiers) {
        let before = tiers.before(self.window, self.from);
        self.before = match (before, self.before.take()) {
            (Some((end, _)), Some(known)) if known.0 == end => Some(known),
            (Some((end, frames)), _) => {
                let (mut sums, mut seconds) = (Tally::default(), 0);
                frames.for_each(|frame| {
                    frame.requests.apply_whole(Sign::Add, &mut sums);
                    seconds += frame.seconds;
                });
                let before = WindowBefore {
                    seconds,
                    requests: sums.requests(),
                    server_errors: sums.count(Class::ServerError),
                    latency_p99_us: sums.latencies.latency().map(|latency| latency.p99_us),
                };
                Some((end, before))
            }
            (None, _) => None,
        };
    }

    fn apply(&mut self, sign: Sign, frame: &Frame, aliases: &Aliases, to: u64) {
        let (line_step, most) = (self.window.line_step_seconds(), self.window.line_points());
        for (id, encoded) in frame.requests.iter() {
            let row = row_or_new(&mut self.rows, aliases.row(id), to - 1);
            if row.sums.requests() == 0 {
                row.came_at = to - 1;
            }
            let before = row.sums.requests();
            compact::apply(sign, encoded, &mut row.sums);
            row.changed_at = to - 1;
            if row.sums.is_empty() {
                // An endpoint that has left the window keeps its row without its histograms.
                row.sums = Tally::default();
            }
            if sign == Sign::Add {
                row.line.add(frame.start / line_step, row.sums.requests().wrapping_sub(before), most);
            }
        }
        for (shape, encoded) in frame.commands.iter() {
            if self.commands.len() <= shape {
                self.commands.resize_with(shape + 1, || None);
            }
            compact::apply(sign, encoded, &mut **self.commands[shape].get_or_insert_default());
        }
        frame.commands.apply_whole(sign, &mut self.all_commands);
        frame.requests.apply_whole(sign, &mut self.whole);
        let seconds = frame.seconds;
        self.seconds = if sign == Sign::Add { self.seconds + seconds } else { self.seconds.saturating_sub(seconds) };
    }

    /// The number of the first point of a line that is still in the window.
    pub(super) fn first_of_line(&self) -> u64 {
        self.from / self.window.line_step_seconds()
    }

    /// The endpoints of the window, also those that have left it.
    pub(super) fn rows(&mut self) -> impl Iterator<Item = (usize, &mut SumsRow)> {
        self.rows.iter_mut().enumerate().filter_map(|(id, row)| Some((id, row.as_deref_mut()?)))
    }

    /// Adds a row for an endpoint that has requests in flight.
    pub(super) fn know(&mut self, id: usize) {
        row_or_new(&mut self.rows, id, self.to.saturating_sub(1));
    }

    pub(super) fn row(&mut self, id: usize) -> Option<&mut SumsRow> {
        self.rows.get_mut(id)?.as_deref_mut()
    }

    /// All commands of the window, without the waits for a connection.
    pub(super) fn all_commands(&self) -> &CommandTally {
        &self.all_commands
    }

    /// The commands of the window, by shape.
    pub(super) fn commands(&self) -> impl Iterator<Item = (usize, &CommandTally)> {
        let known = self.commands.iter().enumerate().filter_map(|(shape, sums)| Some((shape, sums.as_deref()?)));
        known.filter(|(_, sums)| sums.calls() > 0)
    }

    /// The memory that it holds, in bytes.
    pub(super) fn held_bytes(&self) -> usize {
        let row = |row: &SumsRow| {
            size_of::<SumsRow>() - size_of::<Tally>()
                + row.sums.held_bytes()
                + row.line.counts.capacity() * size_of::<u32>()
        };
        let commands = self.commands.iter().flatten().map(|sums| sums.held_bytes()).sum::<usize>();
        let rows = self.rows.iter().flatten().map(|it| row(it)).sum::<usize>();
        let places = (self.rows.capacity() + self.commands.capacity()) * size_of::<usize>();
        rows + places + commands + self.timeline.columns.held_bytes()
    }

    pub(super) fn timeline(&self) -> &Timeline<TimelineColumns> {
        &self.timeline
    }

    /// Its ticks: the first, and one past the last.
    pub(super) fn span(&self) -> (u64, u64) {
        (self.from, self.to)
    }

    pub(super) fn made_at(&self) -> u64 {
        self.made_at
    }

    pub(super) fn whole(&self) -> (&Tally, u64) {
        (&self.whole, self.seconds)
    }

    pub(super) fn totals(&self) -> WindowTotals {
        WindowTotals {
            seconds: self.seconds,
            requests: self.whole.requests(),
            server_errors: self.whole.count(Class::ServerError),
            client_errors: self.whole.count(Class::ClientError),
            dropped: self.whole.count(Class::Dropped),
            response_bytes: self.whole.response_bytes,
            duration_sum_us: self.whole.duration_sum_us,
            latency: self.whole.latencies.latency(),
            memory: self.whole.memory(),
            database: self.whole.usage(),
            before: self.before.map(|(_, before)| before),
        }
    }
}

/// The row of an endpoint; a new one comes at `tick`.
fn row_or_new(rows: &mut Vec<Option<Box<SumsRow>>>, id: usize, tick: u64) -> &mut SumsRow {
    if rows.len() <= id {
        rows.resize_with(id + 1, || None);
    }
    rows[id].get_or_insert_with(|| Box::new(SumsRow::new(tick)))
}

impl SumsRow {
    fn new(tick: u64) -> Self {
        Self { sums: Tally::default(), line: Line::default(), came_at: tick, changed_at: tick, in_flight: 0, open: 0 }
    }
}

impl Line {
    fn add(&mut self, number: u64, count: u64, most: usize) {
        let missing = number.saturating_sub(self.last) as usize;
        if self.counts.is_empty() || missing >= most {
            self.counts.clear();
            self.counts.push_back(0);
        } else {
            self.counts.extend(std::iter::repeat_n(0, missing));
        }
        self.last = self.last.max(number);
        let excess = self.counts.len().saturating_sub(most);
        self.counts.drain(..excess);
        if let Some(newest) = self.counts.back_mut() {
            *newest = newest.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        }
    }
}
