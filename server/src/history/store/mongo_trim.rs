//! The part of the collections that removes what is too old or too much. They expire by themselves too, each at the time of its tier.

use mongodb::{
    bson::{Document, doc},
    options::FindOptions,
};

use super::{
    KeptTimes, MARKS_KEPT_SECONDS, MAX_STORED_MARKS, StoreError, StoreTier,
    mongo_steps::{MARKS, MongoSteps, NAMES, STEPS, in_time, read_all, start_of},
    tier::removal_order,
};

impl MongoSteps {
    /// As [`super::Store::trim`].
    pub(super) async fn trim(&self, now: u64, kept_times: &KeptTimes, most_bytes: u64) -> Result<(), StoreError> {
        self.remove_marks_before(now.saturating_sub(MARKS_KEPT_SECONDS) * 1000).await?;
        if let Some(unix_ms) = self.mark_beyond(MAX_STORED_MARKS).await? {
            self.remove_marks_before(unix_ms + 1).await?;
        }
        for tier in StoreTier::ALL {
            self.remove_before(tier, now.saturating_sub(kept_times.kept_seconds(tier))).await?;
        }
        let mut held = self.bytes().await?;
        for (tier, before) in removal_order(now) {
            if held <= most_bytes {
                break;
            }
            let mut end = None;
            for (start, bytes) in self.sizes_before(tier, before).await? {
                if held <= most_bytes {
                    break;
                }
                held = held.saturating_sub(bytes);
                end = Some(start + 1);
            }
            if let Some(end) = end {
                self.remove_before(tier, end).await?;
            }
        }
        Ok(())
    }

    /// The stored bytes of all steps and marks of this instance, and of the names.
    pub(super) async fn bytes(&self) -> Result<u64, StoreError> {
        let own = self.within(&(0..u64::MAX));
        let of_steps = STEPS.iter().map(|collection| (*collection, own.clone()));
        let mut bytes = 0;
        for (collection, filter) in of_steps.chain([(MARKS, own.clone()), (NAMES, doc! {})]) {
            let sum = doc! { "$group": { "_id": null, "bytes": { "$sum": "$bytes" } } };
            let collection = self.collection(collection);
            let sums = collection.aggregate([doc! { "$match": filter }, sum]);
            let sums = read_all(sums.with_type()).await?;
            bytes += sums.first().and_then(|sum| sum.get_i64("bytes").ok()).unwrap_or_default().max(0) as u64;
        }
        Ok(bytes)
    }

    /// The starts and the stored bytes of the steps of a tier that begin before a second, the oldest first.
    async fn sizes_before(&self, tier: StoreTier, before: u64) -> Result<Vec<(u64, u64)>, StoreError> {
        let oldest_first = FindOptions::builder().sort(doc! { "_id": 1 }).projection(doc! { "bytes": 1 }).build();
        let documents = self.find(STEPS[tier as usize], self.within(&(0..before)), oldest_first).await?;
        let size = |document: &Document| Some((start_of(document)?, document.get_i64("bytes").ok()?.max(0) as u64));
        Ok(documents.iter().filter_map(size).collect())
    }

    /// Removes the steps of a tier that begin before a second.
    async fn remove_before(&self, tier: StoreTier, before: u64) -> Result<(), StoreError> {
        self.remove(STEPS[tier as usize], self.within(&(0..before))).await
    }

    async fn remove_marks_before(&self, unix_ms: u64) -> Result<(), StoreError> {
        self.remove(MARKS, self.within(&(0..unix_ms))).await
    }

    /// The Unix millisecond of the newest mark that is beyond so many.
    async fn mark_beyond(&self, most: u64) -> Result<Option<u64>, StoreError> {
        let options = FindOptions::builder().sort(doc! { "_id": -1 }).skip(most).limit(1).build();
        let beyond = self.find(MARKS, self.within(&(0..u64::MAX)), options).await?;
        Ok(beyond.first().and_then(start_of))
    }

    async fn remove(&self, collection: &str, filter: Document) -> Result<(), StoreError> {
        in_time(self.collection(collection).delete_many(filter)).await.map(drop)
    }
}
