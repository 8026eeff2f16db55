//! Who merges: one process at a time has the lease, by the clock of the fleet's store. A process that was frozen may think that it still has it. So
//! each holder has a number, and what one has merged is never replaced by one with a smaller number.

use std::time::{Duration, Instant};

use mongodb::{
    bson::{Timestamp, doc},
    options::FindOptions,
};

use crate::history::store::{MongoSteps, StoreError};

const LEASE: &str = "lease";
/// The lease is free so long after its holder was last heard of.
const HELD: Duration = Duration::from_secs(9);
/// An end that is later than this is nobody's. The clock of another primary may be ahead by it.
const BELIEVED: Duration = Duration::from_mins(1);
/// The time between two signs of the holder, and between two tries of the others.
const RENEWED_EACH: Duration = Duration::from_secs(3);

/// What its holder knows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tenure {
    /// Larger than that of each holder before.
    pub(super) number: i64,
    /// Up to where the holders before have merged.
    pub(super) merged: Option<Timestamp>,
}

pub(super) struct MergeLease {
    steps: MongoSteps,
    holder: String,
    tenure: Option<Tenure>,
    asked_at: Option<Instant>,
}

/// Makes the lease. One that is there stays.
pub(super) async fn make_lease(steps: &MongoSteps) -> Result<(), StoreError> {
    let first = doc! { "$setOnInsert": { "number": 0_i64 } };
    let statement = doc! { "q": { "_id": "merge" }, "u": first, "upsert": true };
    steps.update(LEASE, vec![statement]).await.map(drop)
}

impl MergeLease {
    pub(super) fn new(steps: MongoSteps, holder: String) -> Self {
        Self { steps, holder, tenure: None, asked_at: None }
    }

    /// The tenure, if this process has the lease.
    pub(super) async fn hold(&mut self) -> Result<Option<Tenure>, StoreError> {
        let is_asked = self.asked_at.is_some_and(|asked_at| asked_at.elapsed() < RENEWED_EACH);
        if !is_asked {
            let now = Instant::now();
            // Without an answer the lease has to be thought lost.
            let before = self.tenure.take();
            let tenure = self.ask().await?;
            self.asked_at = Some(now);
            self.tenure = tenure.map(|tenure| before.filter(|before| before.number == tenure.number).unwrap_or(tenure));
        }
        Ok(self.tenure)
    }

    pub(super) async fn ask(&self) -> Result<Option<Tenure>, StoreError> {
        let holder = &self.holder;
        let soon = doc! { "$add": ["$$NOW", BELIEVED.as_millis() as i64] };
        let is_date = doc! { "$eq": [{ "$type": "$until" }, "date"] };
        let is_held = doc! { "$and": [is_date, { "$gte": ["$until", "$$NOW"] }, { "$lte": ["$until", &soon] }] };
        let is_free = doc! { "$or": [{ "$eq": ["$holder", holder] }, { "$not": [is_held] }] };
        // Nearly always another one holds it: to look costs less than to try.
        let look = FindOptions::builder().projection(doc! { "is_free": &is_free }).build();
        match self.steps.find(LEASE, doc! { "_id": "merge" }, look).await?.first() {
            Some(lease) if lease.get_bool("is_free").unwrap_or(false) => {}
            Some(_) => return Ok(None),
            None => {
                make_lease(&self.steps).await?;
                return Ok(None);
            }
        }
        // By the time: so it is larger than that of each holder before, also if the document was lost or spoiled.
        let now = doc! { "$toLong": "$$NOW" };
        let is_number = doc! { "$eq": [{ "$type": "$number" }, "long"] };
        let is_number = doc! { "$and": [is_number, { "$lt": ["$number", { "$toLong": soon }] }] };
        let is_own = doc! { "$and": [{ "$eq": ["$holder", holder] }, &is_number] };
        let next = doc! { "$cond": [is_number, { "$max": [{ "$add": ["$number", 1_i64] }, &now] }, &now] };
        let number = doc! { "$cond": [is_own, "$number", next] };
        let until = doc! { "$add": ["$$NOW", HELD.as_millis() as i64] };
        let take = doc! {
            "findAndModify": LEASE,
            "query": { "_id": "merge", "$expr": is_free },
            "update": [{ "$set": { "number": number, "holder": holder, "until": until } }],
            "new": true,
            "writeConcern": { "w": "majority" },
        };
        let reply = self.steps.command(take).await?;
        let Ok(lease) = reply.get_document("value") else { return Ok(None) };
        // A time that has not come yet would hide all that is new.
        let until = lease.get_datetime("until").map_or(0, |until| until.timestamp_millis() / 1000);
        let merged = lease.get_timestamp("merged").ok().filter(|merged| i64::from(merged.time) <= until);
        Ok(lease.get_i64("number").ok().map(|number| Tenure { number, merged }))
    }

    /// Leaves for the next holder up to where this one has merged.
    pub(super) async fn note_merged(&self, tenure: Tenure, merged: Timestamp) -> Result<(), StoreError> {
        let own = doc! { "_id": "merge", "holder": &self.holder, "number": tenure.number };
        let update = doc! { "q": own, "u": { "$set": { "merged": merged } } };
        self.steps.update(LEASE, vec![update]).await.map(drop)
    }
}
