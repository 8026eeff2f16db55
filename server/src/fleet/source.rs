//! What the fleet's store has of all instances together, or of one.

use std::ops::Range;

use serde_json::Value;
use watchboard_wire::{InstanceRow, Memory, Snapshot, Unknown};

use super::{
    deflated::inflated_json, instances::row as row_of, outliers::read_outliers, points::ALL_INSTANCES,
    whole::snapshot_of_all,
};
use crate::history::{
    recent_requests,
    store::{MongoSteps, NameKey, StoreError, StoreTier, StoredMark, StoredStep},
};

/// Steps of one page, in bytes: those of a window with two hundred busy endpoints have a tenth of it.
const MAX_STEP_BYTES: usize = 64 << 20;

/// No clock is further ahead.
const AHEAD_SECONDS: u64 = 10 * 366 * 24 * 60 * 60;

/// Whose figures are read.
pub(super) struct Source<'a> {
    steps: MongoSteps,
    rows: &'a [InstanceRow],
    /// The instance; `None` for all of them.
    row: Option<InstanceRow>,
}

impl<'a> Source<'a> {
    /// All instances.
    pub(super) fn all(steps: &MongoSteps, rows: &'a [InstanceRow]) -> Self {
        Self { steps: steps.of(ALL_INSTANCES), rows, row: None }
    }

    /// The instance with this name. One that is not listed any more may still have a history.
    pub(super) async fn one(steps: &MongoSteps, rows: &'a [InstanceRow], name: &str) -> Result<Self, StoreError> {
        let own = steps.of(name);
        let listed = rows.iter().find(|row| row.name == name).cloned();
        let row = match listed {
            Some(row) => Some(row),
            None => own.state().await?.as_ref().and_then(row_of),
        };
        let row = row.ok_or_else(|| StoreError::Refused(format!("the fleet has no instance \"{name}\"")))?;
        Ok(Self { steps: own, rows, row: Some(row) })
    }

    pub(super) fn row(&self) -> Option<&InstanceRow> {
        self.row.as_ref()
    }

    /// The end of the newest step, as a Unix second; zero without one. In those of all, one instance whose clock is ahead has its steps in
    /// the future: they are shown when their time has come.
    pub(super) async fn newest(&self, now_unix_ms: u64) -> Result<u64, StoreError> {
        let now = now_unix_ms / 1000;
        for tier in StoreTier::FINE {
            let length = tier.step_seconds();
            let before = now + if self.row.is_none() { length } else { AHEAD_SECONDS };
            if let Some(start) = self.steps.newest_before(tier, before).await? {
                return Ok((start / length + 1) * length);
            }
        }
        Ok(0)
    }

    /// The first second that there is, to the length of a step.
    pub(super) async fn oldest(&self) -> Result<Option<u64>, StoreError> {
        let mut firsts = vec![];
        for tier in StoreTier::FINE {
            firsts.extend(self.steps.first(tier).await?);
        }
        Ok(firsts.into_iter().min())
    }

    /// The steps of a span. One instance writes the longer ones once they are complete, so its newest seconds are in shorter ones.
    pub(super) async fn steps(
        &self,
        tier: StoreTier,
        span: Range<u64>,
        newest: u64,
    ) -> Result<Vec<StoredStep>, StoreError> {
        let mut steps = self.steps.newest_steps(tier, span.clone(), MAX_STEP_BYTES).await?;
        if self.row.is_none() {
            return Ok(steps);
        }
        let last_of = |steps: &[StoredStep], tier: StoreTier| steps.last().map(|step| step.start + tier.step_seconds());
        // Those of more than a quarter of an hour are written each quarter.
        let quarter = newest / 900 * 900;
        let covered = last_of(&steps, tier);
        let mut covered = if tier > StoreTier::QuarterHour { covered.map(|end| end.min(quarter)) } else { covered };
        for finer in [StoreTier::Minute, StoreTier::TenSeconds].into_iter().filter(|finer| *finer < tier) {
            let from = covered.unwrap_or(span.start).max(span.start);
            if from < span.end {
                let more = self.steps.newest_steps(finer, from..span.end, MAX_STEP_BYTES).await?;
                covered = last_of(&more, finer).or(covered);
                steps.extend(more);
            }
        }
        Ok(steps)
    }

    pub(super) async fn names(&self) -> Result<Vec<(NameKey, Vec<u8>)>, StoreError> {
        self.steps.names().await
    }

    /// The marks of a span of Unix milliseconds. Those of all instances have the name of theirs.
    pub(super) async fn marks(&self, span: Range<u64>) -> Result<Vec<(String, StoredMark)>, StoreError> {
        match self.row() {
            None => self.steps.marks_of_all(span).await,
            Some(_) => Ok(self.steps.marks(span).await?.into_iter().map(|mark| (String::new(), mark)).collect()),
        }
    }

    /// The state of all, or what the instance last wrote of itself.
    pub(super) async fn snapshot(&self, own: &Snapshot, newest: u64, now_unix_ms: u64) -> Result<Snapshot, StoreError> {
        if let Some(row) = &self.row {
            return snapshot_of_one(&self.steps, row).await;
        }
        let times = (newest * 1000, now_unix_ms);
        let mut snapshot = snapshot_of_all(self.rows, read_outliers(&self.steps).await?, own, times);
        let span = newest.saturating_sub(60)..newest;
        let minute = self.steps.newest_steps(StoreTier::TenSeconds, span, MAX_STEP_BYTES).await?;
        snapshot.requests.last_minute = recent_requests(&minute, 10 * minute.len() as u64);
        snapshot.requests.last_ten_seconds = recent_requests(&minute[minute.len().saturating_sub(1)..], 10);
        Ok(snapshot)
    }
}

/// What an instance last wrote of itself. One of another version may have written what this one cannot read.
async fn snapshot_of_one(steps: &MongoSteps, row: &InstanceRow) -> Result<Snapshot, StoreError> {
    let document = steps.state().await?.unwrap_or_default();
    Ok(inflated_json(&document, "snapshot").unwrap_or_else(|| {
        let unknown = Err(Unknown::because("this instance is of a version that writes it otherwise"));
        Snapshot {
            service: row.service.clone(),
            version: row.version.clone().unwrap_or_default(),
            started_at_unix_ms: row.started_at_unix_ms,
            taken_at_unix_ms: row.last_seen_unix_ms,
            memory: Memory { process: unknown, ..Memory::default() },
            ..Snapshot::default()
        }
    }))
}

/// The body of `/health` as the instance last wrote it; `None` if there is none that can be read.
pub(super) async fn health_of_one(steps: &MongoSteps) -> Result<Option<String>, StoreError> {
    let health = steps.state().await?.and_then(|document| inflated_json::<Value>(&document, "health"));
    Ok(health.map(|health| health.to_string()))
}
