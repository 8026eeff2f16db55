//! Looks for the steps of a tier that instances have written and that are not merged yet.

use std::{collections::HashSet, ops::Range};

use mongodb::bson::Timestamp;

use crate::history::store::{MAX_WRITTEN, MongoSteps, StoreError, StoreTier, WrittenStep};

/// What was written shows a moment after its time: so far back is looked again, and now and then further.
const OVERLAP_SECONDS: u32 = 5;
const LONG_OVERLAP_SECONDS: u32 = 300;
const LOOKS_TO_LONG: u32 = 60;

pub(super) struct Look {
    pub(super) tier: StoreTier,
    /// Up to where all is merged.
    pub(super) merged: Option<Timestamp>,
    /// Steps within the overlap that are merged.
    seen: HashSet<WrittenStep>,
    /// Looks with the long overlap are due when this is zero.
    looks_to_long: u32,
}

/// The steps that a look has found.
pub(super) struct Fresh {
    pub(super) steps: Vec<WrittenStep>,
    /// When the last was written that was looked through.
    last: Option<Timestamp>,
    /// Whether there may be more.
    is_cut: bool,
    /// The server's own Unix second; zero if nothing was there to look through.
    pub(super) now: u32,
}

impl Look {
    pub(super) fn new(tier: StoreTier) -> Self {
        Self { tier, merged: None, seen: HashSet::new(), looks_to_long: 0 }
    }

    /// Begins a tenure where the holder before has merged all. What was newest comes first, and the look further back later.
    pub(super) fn begin(&mut self, merged: Option<Timestamp>) {
        (self.merged, self.looks_to_long) = (merged, LOOKS_TO_LONG);
        self.seen.clear();
    }

    /// What is new and begins within a span.
    pub(super) async fn fresh(&mut self, steps: &MongoSteps, starts: Range<u64>) -> Result<Fresh, StoreError> {
        let overlap = if self.looks_to_long == 0 { LONG_OVERLAP_SECONDS } else { OVERLAP_SECONDS };
        self.looks_to_long = self.looks_to_long.checked_sub(1).unwrap_or(LOOKS_TO_LONG);
        let after = self.merged.map(|merged| earlier(merged, overlap));
        let (written, now) = steps.written_after(self.tier, starts, after).await?;
        // A time that has not come yet would hide all that is written until then.
        let last = written.iter().map(|step| step.written).rfind(|written| written.time <= now);
        let is_cut = written.len() == MAX_WRITTEN;
        let steps = written.into_iter().filter(|step| !self.seen.contains(step)).collect();
        Ok(Fresh { steps, last, is_cut, now })
    }

    /// What was written since a Unix second, begins then or later, and is not merged yet, and the server's own Unix second.
    pub(super) async fn live(&self, steps: &MongoSteps, since: u64) -> Result<(Vec<WrittenStep>, u64), StoreError> {
        let after = Timestamp { time: u32::try_from(since).unwrap_or(u32::MAX), increment: 0 };
        let (mut written, now) = steps.written_after(self.tier, since..u64::from(u32::MAX), Some(after)).await?;
        written.retain(|step| !self.seen.contains(step));
        Ok((written, now.into()))
    }

    /// Remembers what is merged while a look is being merged.
    pub(super) fn note_live(&mut self, steps: Vec<WrittenStep>) {
        self.seen.extend(steps);
    }

    /// Remembers what is merged. `until` is a time before the look.
    pub(super) fn note_merged(&mut self, fresh: Fresh, until: Option<Timestamp>) {
        let looked_until = if fresh.is_cut { fresh.last } else { fresh.last.max(until) };
        self.merged = self.merged.max(looked_until);
        self.seen.extend(fresh.steps);
        let forgotten = self.merged.map(|merged| earlier(merged, LONG_OVERLAP_SECONDS + OVERLAP_SECONDS));
        self.seen.retain(|step| Some(step.written) > forgotten);
    }
}

/// The time so many seconds before.
fn earlier(time: Timestamp, seconds: u32) -> Timestamp {
    Timestamp { time: time.time.saturating_sub(seconds), increment: 0 }
}
