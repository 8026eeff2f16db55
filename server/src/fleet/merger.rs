//! Merges the steps of all instances, so that a view of the fleet costs the same for three instances and for a thousand. Each step is made anew
//! from all that there is of it: whoever merges it, how often, and however late a part of it comes, the result is the same.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
    time::Duration,
};

use mongodb::bson::Timestamp;
use tokio::time::{MissedTickBehavior, interval};

use super::{
    lease::{MergeLease, Tenure},
    outliers::{MinuteByInstance, store_outliers},
    points::{ALL_INSTANCES, InstancePoints, POINTS, encode_points, fold_points, points_of_steps},
};
use crate::{
    history::{
        Merged, merge_steps,
        store::{MongoSteps, StoreError, StoreTier, StoredStep, WrittenStep},
    },
    supervision::Faults,
};

/// The name of the fleet's threads and tasks in the list of faults.
pub(super) const PART: &str = "fleet";
/// The time between two looks for what is new.
const LOOK_EACH: Duration = Duration::from_millis(500);
/// What was written shows a moment after its time: so far back is looked again, and now and then further.
const OVERLAP_SECONDS: u32 = 5;
const LONG_OVERLAP_SECONDS: u32 = 300;
const LONG_OVERLAP_EVERY: u64 = 60;
/// Steps that are older may lack parts that have expired already: what comes so late is not merged.
const MERGED_FOR_SECONDS: u32 = 46 * 60 * 60;

pub(super) struct Merger {
    lease: MergeLease,
    steps: MongoSteps,
    /// The figures of each instance that heat maps show.
    points: MongoSteps,
    /// The start of the newest step that this process has merged. Those of a clock that is ahead do not count.
    newest: Option<u64>,
    /// The minute in which outliers were last looked for.
    judged: Option<u64>,
    /// By which tenure `merged` and `seen` are known.
    tenure: Option<i64>,
    merged: Option<Timestamp>,
    /// Steps within the overlap that are merged.
    seen: HashSet<WrittenStep>,
    rounds: u64,
    /// Older steps are not merged.
    merged_for_seconds: u32,
}

impl Merger {
    pub(super) fn new(steps: &MongoSteps, holder: String) -> Self {
        let steps = steps.of(ALL_INSTANCES);
        Self {
            lease: MergeLease::new(steps.clone(), holder),
            points: steps.of(POINTS),
            newest: None,
            judged: None,
            steps,
            tenure: None,
            merged: None,
            seen: HashSet::new(),
            rounds: 0,
            merged_for_seconds: MERGED_FOR_SECONDS,
        }
    }

    /// Merges for ever, while it has the lease.
    pub(super) async fn run(mut self, faults: Arc<Faults>) {
        let mut ticks = interval(LOOK_EACH);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            // A store that does not answer is told by the delivery.
            let Ok(Some(tenure)) = self.lease.hold().await else { continue };
            if let Ok(late @ 1..) = self.round(tenure).await {
                faults.record(PART, format!("{late} steps came more than 46 h late and are not in the sums of all"));
            }
            let _ = self.find_outliers().await;
        }
    }

    /// Merges what is new. Returns how many steps came too late for that.
    pub(super) async fn round(&mut self, tenure: Tenure) -> Result<usize, StoreError> {
        if self.tenure != Some(tenure.number) {
            // The holder before may have read something and not merged it.
            (self.tenure, self.merged) =
                (Some(tenure.number), tenure.merged.map(|merged| earlier(merged, LONG_OVERLAP_SECONDS)));
            self.seen.clear();
        }
        let is_long = self.rounds.is_multiple_of(LONG_OVERLAP_EVERY);
        self.rounds += 1;
        let overlap = if is_long { LONG_OVERLAP_SECONDS } else { OVERLAP_SECONDS };
        let after = self.merged.map(|merged| earlier(merged, overlap));
        let (written, now) = self.steps.written_after(StoreTier::TenSeconds, after).await?;
        let fresh: Vec<WrittenStep> = written.into_iter().filter(|step| !self.seen.contains(step)).collect();
        let Some(newest) = fresh.iter().map(|step| step.written).max() else { return Ok(0) };
        let oldest = u64::from(now.saturating_sub(self.merged_for_seconds));
        let starts: BTreeSet<u64> = fresh.iter().map(|step| step.start).filter(|start| *start >= oldest).collect();
        let late = fresh.iter().filter(|step| step.start < oldest).count();
        self.merge(&starts, tenure).await?;
        self.newest = self.newest.max(starts.range(..=u64::from(now)).next_back().copied());
        let merged = self.merged.map_or(newest, |merged| merged.max(newest));
        self.merged = Some(merged);
        self.seen.extend(fresh);
        let forgotten = earlier(merged, LONG_OVERLAP_SECONDS + OVERLAP_SECONDS);
        self.seen.retain(|step| step.written > forgotten);
        self.lease.note_merged(tenure, merged).await?;
        Ok(late)
    }

    /// Makes these steps of ten seconds anew, and the longer ones that they are a part of.
    async fn merge(&self, starts: &BTreeSet<u64>, tenure: Tenure) -> Result<(), StoreError> {
        for start in starts {
            let parts = self.steps.of_all_instances(StoreTier::TenSeconds, *start).await?;
            let points = points_of_steps(&parts);
            let parts: Vec<StoredStep> = parts.into_iter().map(|(_, step)| step).collect();
            self.store(StoreTier::TenSeconds, *start, merge_steps(*start, &parts, Merged::Instances), tenure).await?;
            self.store_points(StoreTier::TenSeconds, *start, &points, tenure).await?;
        }
        let mut starts = starts.clone();
        for pair in StoreTier::ALL.windows(2) {
            let [shorter, tier] = [pair[0], pair[1]];
            starts = starts.iter().map(|start| start / tier.step_seconds() * tier.step_seconds()).collect();
            for start in &starts {
                let span = *start..start + tier.step_seconds();
                let parts = self.steps.newest_steps(shorter, span.clone(), usize::MAX).await?;
                self.store(tier, *start, merge_steps(*start, &parts, Merged::ShorterSteps), tenure).await?;
                let points = self.points.newest_steps(shorter, span, usize::MAX).await?;
                self.store_points(tier, *start, &fold_points(&points), tenure).await?;
            }
        }
        Ok(())
    }

    async fn store(
        &self,
        tier: StoreTier,
        start: u64,
        merged: Option<Vec<u8>>,
        tenure: Tenure,
    ) -> Result<(), StoreError> {
        match merged {
            Some(bytes) => self.steps.replace_merged(&StoredStep { tier, start, bytes }, tenure.number).await,
            None => Ok(()),
        }
    }

    async fn store_points(
        &self,
        tier: StoreTier,
        start: u64,
        points: &InstancePoints,
        tenure: Tenure,
    ) -> Result<(), StoreError> {
        let bytes = encode_points(points);
        self.points.replace_merged(&StoredStep { tier, start, bytes }, tenure.number).await
    }

    /// Looks once a minute for instances that are slower than the others.
    async fn find_outliers(&mut self) -> Result<(), StoreError> {
        let Some(newest) = self.newest else { return Ok(()) };
        let minute = newest / 60 * 60;
        if self.judged == Some(minute) || minute == 0 {
            return Ok(());
        }
        let mut by_instance = MinuteByInstance::default();
        for start in (minute - 60..minute).step_by(10) {
            for (instance, step) in self.steps.of_all_instances(StoreTier::TenSeconds, start).await? {
                by_instance.add(&instance, step);
            }
        }
        let outliers = by_instance.outliers();
        // They are seldom there, and names are many.
        let names = if outliers.is_empty() { vec![] } else { self.steps.names().await? };
        store_outliers(&self.steps, &outliers, &names).await?;
        self.judged = Some(minute);
        Ok(())
    }
}

/// The time so many seconds before.
fn earlier(time: Timestamp, seconds: u32) -> Timestamp {
    Timestamp { time: time.time.saturating_sub(seconds), increment: 0 }
}

#[cfg(test)]
mod tests;
