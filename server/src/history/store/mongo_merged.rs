//! The part of the collections that merging needs: what is new of all instances, their steps at one time, and the merged ones.

use std::ops::{ControlFlow, Range};

use mongodb::{
    bson::{Document, Timestamp, doc},
    options::FindOptions,
};

use super::{
    StoreError, StoreTier, StoredMark, StoredStep,
    mongo_steps::{MARKS, MongoSteps, STEPS, mark_of, read_each, record_of, replacement, signed, start_of, step_of},
};

/// New steps of one look; the rest comes with the next.
pub(crate) const MAX_WRITTEN: usize = 20_000;
/// The bytes of the steps of all instances at one time: those of a thousand with two hundred busy endpoints have a third of it.
const MAX_PARTS_BYTES: usize = 64 << 20;

/// Marks of a page.
const MAX_MARKS: i64 = 200;

/// What is merged of all is under names of control characters, which no instance has.
fn of_instances() -> Document {
    doc! { "$gt": "\u{1f}" }
}

/// A step that an instance has written, and when, by the logical clock of the deployment. That clock never goes back.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct WrittenStep {
    pub(crate) instance: String,
    pub(crate) start: u64,
    pub(crate) written: Timestamp,
}

impl MongoSteps {
    /// The steps of instances that begin within a span and were written after a time, the first ones first; and the server's own Unix second,
    /// which is zero without a step.
    pub(crate) async fn written_after(
        &self,
        tier: StoreTier,
        starts: Range<u64>,
        after: Option<Timestamp>,
    ) -> Result<(Vec<WrittenStep>, u32), StoreError> {
        let after = after.unwrap_or(Timestamp { time: 0, increment: 0 });
        let [from, to] = [starts.start, starts.end].map(signed);
        let starts = doc! { "$gte": from, "$lt": to };
        let filter = doc! { "written": { "$gt": after }, "_id.start": starts, "_id.instance": of_instances() };
        let options = FindOptions::builder()
            .sort(doc! { "written": 1 })
            .projection(doc! { "_id": 1, "written": 1, "now": "$$NOW" })
            .limit(signed(MAX_WRITTEN as u64))
            .build();
        let documents = self.find(STEPS[tier as usize], filter, options).await?;
        let now = documents.last().and_then(|last| last.get_datetime("now").ok());
        let now = now.map_or(0, |now| u32::try_from(now.timestamp_millis() / 1000).unwrap_or(u32::MAX));
        let step = |document: &Document| {
            let instance = document.get_document("_id").ok()?.get_str("instance").ok()?.to_owned();
            Some(WrittenStep { instance, start: start_of(document)?, written: document.get_timestamp("written").ok()? })
        };
        Ok((documents.iter().filter_map(step).collect(), now))
    }

    /// The steps of all instances that begin at one time, with the name of each. Those beyond a bound of bytes are left out.
    pub(crate) async fn of_all_instances(
        &self,
        tier: StoreTier,
        start: u64,
    ) -> Result<Vec<(String, StoredStep)>, StoreError> {
        let collection = self.collection(STEPS[tier as usize]);
        let filter = doc! { "_id.start": start.cast_signed(), "_id.instance": of_instances() };
        let (mut steps, mut room) = (vec![], MAX_PARTS_BYTES);
        read_each(collection.find(filter).projection(doc! { "record": 1 }), |document, _| {
            let name = document.get_document("_id").and_then(|id| id.get_str("instance")).unwrap_or_default();
            let Some((start, bytes)) = step_of(&document, tier) else { return ControlFlow::Continue(()) };
            let Some(less) = room.checked_sub(name.len() + bytes.len()) else { return ControlFlow::Break(()) };
            room = less;
            steps.push((name.to_owned(), StoredStep { tier, start, bytes }));
            ControlFlow::Continue(())
        })
        .await?;
        Ok(steps)
    }

    /// The newest marks of all instances within a span of Unix milliseconds, each with the name of its instance.
    pub(crate) async fn marks_of_all(&self, span: Range<u64>) -> Result<Vec<(String, StoredMark)>, StoreError> {
        let [from, to] = [span.start, span.end].map(signed);
        let filter = doc! { "_id.start": { "$gte": from, "$lt": to }, "_id.instance": of_instances() };
        let options = FindOptions::builder().sort(doc! { "_id.start": -1 }).limit(MAX_MARKS).build();
        let documents = self.find(MARKS, filter, options).await?;
        let mark = |document: &Document| {
            let instance = document.get_document("_id").ok()?.get_str("instance").ok()?.to_owned();
            Some((instance, mark_of(document)?))
        };
        Ok(documents.iter().filter_map(mark).collect())
    }

    /// Replaces a merged step, unless a later holder of the lease has merged it.
    pub(crate) async fn replace_merged(&self, step: &StoredStep, tenure: i64) -> Result<(), StoreError> {
        // Tenures have their time as number: a number of tomorrow is nobody's.
        let later = tenure.saturating_add(24 * 60 * 60 * 1000);
        let of_earlier = doc! { "tenure": { "$not": { "$gt": tenure } } };
        let earlier = vec![of_earlier, doc! { "tenure": { "$gt": later } }];
        let query = doc! { "_id": self.id(step.start), "$or": earlier };
        let statement = replacement(query, record_of(step), doc! { "tenure": tenure });
        self.update(STEPS[step.tier as usize], vec![statement]).await.map(drop)
    }
}
