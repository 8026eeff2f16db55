//! Merges the steps of all instances, so that a view of the fleet costs the same for three instances and for a thousand. Each step is made anew
//! from all that there is of it: whoever merges it, how often, and however late a part of it comes, the result is the same.

mod look;
mod storing;
mod turns;

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use self::{
    look::Look,
    storing::{store, store_points},
};
use super::{
    lease::{MergeLease, Tenure},
    outliers::{MinuteByInstance, store_outliers},
    points::{ALL_INSTANCES, POINTS, fold_points, points_of_steps},
};
use crate::history::{
    Merged, merge_steps,
    store::{KeptTimes, MongoSteps, StoreError, StoreTier, StoredStep},
};

/// The name of the fleet's threads and tasks in the list of faults.
pub(super) const PART: &str = "fleet";
/// Indexes that are there already cost the server a look.
const PREPARED_EACH: Duration = Duration::from_secs(20);
/// While much is late, what is of now is looked for as often. It begins and is written within these seconds.
const LIVE_EACH: Duration = Duration::from_secs(1);
const LIVE_SECONDS: u64 = 60;
/// Of a minute that was over earlier nobody asks for outliers. So it is while much is late.
const NEWS_SECONDS: u64 = 150;
/// Steps that began earlier than they are kept may lack parts that have expired already. MongoDB looks for those each minute.
const EXPIRY_MARGIN_SECONDS: u64 = 2 * 60 * 60;

pub(super) struct Merger {
    lease: MergeLease,
    steps: MongoSteps,
    /// The figures of each instance that heat maps show.
    points: MongoSteps,
    /// The start of the newest step that this process has merged. Those of a clock that is ahead do not count.
    newest: u64,
    /// The server's own Unix second, by the last look.
    now: u64,
    /// The last look for what is of now; `None` while that is merged.
    live_at: Option<Instant>,
    /// When the collections were last looked after.
    prepared_at: Option<Instant>,
    /// The minute in which outliers were last looked for.
    judged: Option<u64>,
    is_failing: bool,
    /// By which tenure the looks know what is merged.
    tenure: Option<i64>,
    looks: [Look; StoreTier::FINE.len()],
}

impl Merger {
    pub(super) fn new(steps: &MongoSteps, holder: String) -> Self {
        let steps = steps.of(ALL_INSTANCES);
        Self {
            lease: MergeLease::new(steps.clone(), holder),
            points: steps.of(POINTS),
            newest: 0,
            now: 0,
            live_at: None,
            prepared_at: None,
            judged: None,
            is_failing: false,
            steps,
            tenure: None,
            looks: StoreTier::FINE.map(Look::new),
        }
    }

    async fn merge_and_judge(&mut self, tenure: Tenure) -> Result<(), StoreError> {
        if self.prepared_at.is_none_or(|at| at.elapsed() >= PREPARED_EACH) {
            // A collection that was dropped alone comes back with the next step, and without its indexes.
            self.steps.prepare().await?;
            self.prepared_at = Some(Instant::now());
        }
        self.round(tenure).await?;
        self.find_outliers(tenure).await
    }

    /// Merges what is new. Steps of ten seconds make the longer ones. What comes when other instances' steps of ten seconds have expired is merged
    /// as minutes, and what comes when those have expired as quarters of an hour.
    pub(super) async fn round(&mut self, tenure: Tenure) -> Result<(), StoreError> {
        if self.tenure != Some(tenure.number) {
            self.tenure = Some(tenure.number);
            self.looks.iter_mut().for_each(|look| look.begin(tenure.merged));
        }
        let looked_until = self.looks[0].merged;
        self.live_at = Some(Instant::now());
        let mut before = u64::MAX;
        for at in 0..self.looks.len() {
            let tier = self.looks[at].tier;
            let fresh = self.looks[at].fresh(&self.steps, 0..before).await?;
            if tier == StoreTier::TenSeconds {
                // While an instance lives, it writes these: what is late can wait for them.
                if fresh.steps.is_empty() {
                    return Ok(());
                }
                self.now = fresh.now.into();
            }
            let oldest = first_with_all_parts(tier, self.now);
            let starts: BTreeSet<u64> =
                fresh.steps.iter().map(|step| step.start).filter(|start| *start >= oldest).collect();
            self.merge(tier, &starts, tenure).await?;
            self.looks[at].note_merged(fresh, looked_until);
            before = oldest;
        }
        match self.looks.iter().filter_map(|look| look.merged).min() {
            Some(merged) if Some(merged) > tenure.merged => self.lease.note_merged(tenure, merged).await,
            _ => Ok(()),
        }
    }

    /// Before each step of what takes long: renews the lease in time, and merges what is of now.
    async fn keep(&mut self, tenure: Tenure) -> Result<(), StoreError> {
        match self.lease.hold().await? {
            Some(held) if held.number == tenure.number => {}
            _ => return Err(StoreError::Refused("another process merges".to_owned())),
        }
        if self.now > 0 && self.live_at.take_if(|at| at.elapsed() >= LIVE_EACH).is_some() {
            Box::pin(self.merge_live(tenure)).await?;
            self.live_at = Some(Instant::now());
        }
        Ok(())
    }

    /// Merges what was written in the last seconds and is of them. The round that it is in has begun before.
    async fn merge_live(&mut self, tenure: Tenure) -> Result<(), StoreError> {
        let since = self.now - LIVE_SECONDS.min(self.now);
        let (steps, now) = self.looks[0].live(&self.steps, since).await?;
        self.now = self.now.max(now);
        let starts = steps.iter().map(|step| step.start).collect();
        self.merge(StoreTier::TenSeconds, &starts, tenure).await?;
        self.looks[0].note_live(steps);
        Ok(())
    }

    /// Makes these steps of a tier anew, the newest first, and the longer ones that they are a part of.
    async fn merge(&mut self, tier: StoreTier, starts: &BTreeSet<u64>, tenure: Tenure) -> Result<(), StoreError> {
        for start in starts.iter().rev() {
            self.keep(tenure).await?;
            let parts = self.steps.of_all_instances(tier, *start).await?;
            let mut points = points_of_steps(&parts);
            if tier > StoreTier::TenSeconds {
                // Those of instances that came in time have the highest of their shorter steps.
                let span = *start..start + tier.step_seconds();
                points.extend(fold_points(&self.points.newest_steps(tier, span, usize::MAX).await?));
            }
            let parts: Vec<StoredStep> = parts.into_iter().map(|(_, step)| step).collect();
            let merged = merge_steps(*start, &parts, Merged::Instances);
            store(&self.steps, (tier, *start), merged, tenure).await?;
            store_points(&self.points, (tier, *start), &points, tenure).await?;
        }
        if tier == StoreTier::TenSeconds {
            self.newest = starts.range(..=self.now).next_back().copied().unwrap_or(0).max(self.newest);
        }
        let (mut starts, mut shorter) = (starts.clone(), tier);
        for longer in StoreTier::ALL.into_iter().filter(|longer| *longer > tier) {
            starts = starts.iter().map(|start| start / longer.step_seconds() * longer.step_seconds()).collect();
            for start in &starts {
                self.keep(tenure).await?;
                let span = *start..start + longer.step_seconds();
                let parts = self.steps.newest_steps(shorter, span.clone(), usize::MAX).await?;
                store(&self.steps, (longer, *start), merge_steps(*start, &parts, Merged::ShorterSteps), tenure).await?;
                let points = self.points.newest_steps(shorter, span, usize::MAX).await?;
                store_points(&self.points, (longer, *start), &fold_points(&points), tenure).await?;
            }
            // What is that late is made of quarters of an hour: hours expire before them.
            shorter = if tier == StoreTier::QuarterHour { tier } else { longer };
        }
        Ok(())
    }

    /// Looks once a minute for instances that are slower than the others. Those of a minute that is long over are no news.
    async fn find_outliers(&mut self, tenure: Tenure) -> Result<(), StoreError> {
        let minute = self.newest / 60 * 60;
        if self.newest == 0 || self.judged == Some(minute) || self.now.saturating_sub(self.newest) > NEWS_SECONDS {
            return Ok(());
        }
        let mut by_instance = MinuteByInstance::default();
        for start in (minute.saturating_sub(60)..minute).step_by(10) {
            self.keep(tenure).await?;
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

/// The first step of a tier of which no part has expired, at the start of a longer one.
fn first_with_all_parts(tier: StoreTier, now: u64) -> u64 {
    let kept = KeptTimes::default().kept_seconds(tier) - EXPIRY_MARGIN_SECONDS;
    tier.longer_step_of(now.saturating_sub(kept)).end
}

#[cfg(test)]
mod tests;
