//! The collections of a MongoDB in which several instances keep their steps. Each value is a record as in the embedded store's file, so
//! that what another instance or a stranger wrote is known by its checksum, its key and its bound.

use std::{
    ops::{ControlFlow, Range},
    time::Duration,
};

use futures_util::TryStreamExt;
use mongodb::{
    Collection, Cursor, Database,
    bson::{Binary, Bson, Document, RawDocumentBuf, doc, spec::BinarySubtype},
    options::FindOptions,
};
use tokio::task::coop::consume_budget;
use watchboard_wire::FailureKind;

use super::{
    Batch, KeptTimes, MARKS_KEPT_SECONDS, NameKey, StoreError, StoreTier, StoredMark, StoredStep,
    record::{self, RecordKey, payload_bytes},
};
use crate::database::mongodb::classify::{classify, code};

/// Each tier's own collection, since each keeps its steps for another time.
pub(super) const STEPS: [&str; StoreTier::ALL.len()] =
    ["steps_10s", "steps_1m", "steps_15m", "steps_1h", "steps_6h", "steps_2d"];
pub(super) const NAMES: &str = "names";
pub(super) const MARKS: &str = "marks";
/// One document of each instance.
pub(crate) const INSTANCES: &str = "instances";
/// The deployment answers a command within this time, or the command has failed.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
/// Writes of one command, which takes 48 MB at most.
const MAX_WRITES: usize = 1_000;
const MAX_WRITE_BYTES: usize = 8 << 20;
/// The bytes of one document, and of all documents of a query: ours have less, and what strangers wrote has a bound here.
const MAX_DOCUMENT_BYTES: usize = 2 << 20;
const MAX_READ_BYTES: usize = 64 << 20;
/// Names are shared. One that nobody has sent for this long is of no step any more.
const NAMES_KEPT_SECONDS: u64 = 2 * MARKS_KEPT_SECONDS;
/// Steps and marks begin before this: as Unix milliseconds it is in the year 2109.
pub(super) const MAX_START: u64 = 1 << 42;
/// The server's error for a document that another client has made at the same moment.
const DUPLICATE_KEY: i32 = 11000;

/// The steps, names and marks of one instance.
#[derive(Clone, Debug)]
pub(crate) struct MongoSteps {
    database: Database,
    instance: String,
}

impl MongoSteps {
    /// Those of the instance with this name.
    pub(crate) fn new(database: Database, instance: impl Into<String>) -> Self {
        Self { database, instance: instance.into() }
    }

    /// Those of another instance.
    pub(crate) fn of(&self, instance: impl Into<String>) -> Self {
        Self { database: self.database.clone(), instance: instance.into() }
    }

    /// Makes the collections with their indexes. What is there already stays.
    pub(crate) async fn prepare(&self) -> Result<(), StoreError> {
        let expiry = |seconds: u64| {
            doc! { "key": { "at": 1 }, "name": "expiry", "expireAfterSeconds": seconds.min(i32::MAX as u64) as i32 }
        };
        for tier in StoreTier::ALL {
            let kept = KeptTimes::default().kept_seconds(tier);
            let indexes = vec![
                expiry(kept),
                // By which the steps of all instances at one time are found, and what is new.
                doc! { "key": { "_id.start": 1 }, "name": "start" },
                doc! { "key": { "written": 1 }, "name": "written" },
            ];
            self.command(doc! { "createIndexes": STEPS[tier as usize], "indexes": indexes }).await?;
        }
        let names = vec![expiry(NAMES_KEPT_SECONDS)];
        let marks = vec![expiry(MARKS_KEPT_SECONDS), doc! { "key": { "_id.start": 1 }, "name": "start" }];
        // An instance goes with the last of its steps.
        let seen = doc! { "key": { "seen": 1 }, "name": "expiry", "expireAfterSeconds": MARKS_KEPT_SECONDS as i32 };
        for (collection, indexes) in [(NAMES, names), (MARKS, marks), (INSTANCES, vec![seen])] {
            self.command(doc! { "createIndexes": collection, "indexes": indexes }).await?;
        }
        Ok(())
    }

    /// Runs a command on the database. Its writes are there when a majority of the members has them.
    pub(crate) async fn command(&self, command: Document) -> Result<Document, StoreError> {
        in_time(self.database.run_command(command)).await
    }

    pub(crate) fn collection(&self, name: &str) -> Collection<RawDocumentBuf> {
        self.database.collection(name)
    }

    /// Stores a batch: the names before the steps that have them.
    pub(crate) async fn append(&self, batch: &Batch) -> Result<(), StoreError> {
        let now = crate::clock::now_unix_ms();
        let instance = &self.instance;
        let names = batch
            .names
            .iter()
            .map(|(key, name)| (doc! { "_id": key.0.cast_signed() }, record::encode(RecordKey::Name(*key), now, name)));
        self.upsert(NAMES, names.collect()).await?;
        for tier in StoreTier::ALL {
            let steps = batch.steps.iter().filter(|step| step.tier == tier);
            let steps = steps.map(|step| (doc! { "_id": self.id(step.start) }, record_of(step)));
            self.upsert(STEPS[tier as usize], steps.collect()).await?;
        }
        let marks = batch.marks.iter().map(|StoredMark { at_unix_ms, bytes }| {
            let key = NameKey::of(bytes).0.cast_signed();
            let id = doc! { "instance": instance, "start": signed(*at_unix_ms), "key": key };
            (doc! { "_id": id }, record::encode(RecordKey::Mark(*at_unix_ms), now, bytes))
        });
        self.upsert(MARKS, marks.collect()).await?;
        let ten_seconds = batch.steps.iter().filter(|step| step.tier == StoreTier::TenSeconds);
        let mut state = Document::new();
        if let Some(last) = ten_seconds.map(|step| step.start).max() {
            state.insert("last_stored", signed(last));
        }
        if let Some(record) = &batch.run_record {
            state.insert("run_record", binary(record.clone()));
        }
        if state.is_empty() {
            return Ok(());
        }
        let update = doc! { "q": { "_id": instance }, "u": { "$set": state }, "upsert": true };
        self.update(INSTANCES, vec![update]).await.map(drop)
    }

    /// Replaces the records with these keys, or makes them.
    async fn upsert(&self, collection: &str, records: Vec<(Document, Vec<u8>)>) -> Result<(), StoreError> {
        let (mut updates, mut bytes) = (vec![], 0);
        for (query, record) in records {
            bytes += record.len();
            updates.push(replacement(query, record, Document::new()));
            if updates.len() >= MAX_WRITES || bytes >= MAX_WRITE_BYTES {
                self.update(collection, std::mem::take(&mut updates)).await?;
                bytes = 0;
            }
        }
        if updates.is_empty() { Ok(()) } else { self.update(collection, updates).await.map(drop) }
    }

    /// Runs update statements, and returns the number of documents that they have found or made. One that another client has made at the
    /// same moment is neither.
    pub(crate) async fn update(&self, collection: &str, updates: Vec<Document>) -> Result<i32, StoreError> {
        let concern = doc! { "w": "majority", "wtimeout": ANSWERED_WITHIN.as_millis() as i64 };
        let update = doc! { "update": collection, "updates": updates, "ordered": false, "writeConcern": concern };
        let reply = self.command(update).await?;
        let errors = reply.get_array("writeErrors").map(Vec::as_slice).unwrap_or_default();
        let error_code = |error: &Bson| error.as_document().and_then(|error| error.get_i32("code").ok());
        if let Some(code) = errors.iter().map(error_code).find(|code| *code != Some(DUPLICATE_KEY)) {
            return Err(StoreError::Refused(format!("MongoDB refused a write ({})", code.unwrap_or_default())));
        }
        if reply.contains_key("writeConcernError") {
            return Err(StoreError::Refused("no majority of the set's members has the write".to_owned()));
        }
        Ok(reply.get_i32("n").unwrap_or_default())
    }

    /// The newest steps of a tier within a span that take at most so many bytes, the oldest first.
    pub(crate) async fn newest_steps(
        &self,
        tier: StoreTier,
        span: Range<u64>,
        most_bytes: usize,
    ) -> Result<Vec<StoredStep>, StoreError> {
        let collection = self.collection(STEPS[tier as usize]);
        let newest_first = FindOptions::builder().sort(doc! { "_id": -1 }).projection(doc! { "record": 1 }).build();
        let (mut steps, mut room) = (vec![], most_bytes);
        read_each(collection.find(self.within(&span)).with_options(newest_first), |document, _| {
            // What is no step of its time is left out.
            let Some((start, bytes)) = step_of(&document, tier) else { return ControlFlow::Continue(()) };
            let Some(less) = room.checked_sub(bytes.len()) else { return ControlFlow::Break(()) };
            room = less;
            steps.push(StoredStep { tier, start, bytes });
            ControlFlow::Continue(())
        })
        .await?;
        steps.reverse();
        Ok(steps)
    }

    /// The documents of a query, up to a bound of bytes.
    pub(crate) async fn find(
        &self,
        collection: &str,
        filter: Document,
        options: FindOptions,
    ) -> Result<Vec<Document>, StoreError> {
        read_all(self.collection(collection).find(filter).with_options(options)).await
    }

    /// The key of the step that begins at a second.
    pub(super) fn id(&self, start: u64) -> Document {
        doc! { "instance": &self.instance, "start": signed(start) }
    }

    pub(super) fn within(&self, span: &Range<u64>) -> Document {
        doc! { "_id": { "$gte": self.id(span.start), "$lt": self.id(span.end) } }
    }

    pub(crate) async fn first(&self, tier: StoreTier) -> Result<Option<u64>, StoreError> {
        self.outermost(tier, &(0..MAX_START), 1).await
    }

    /// The start of the newest step of a tier that begins before a second.
    pub(crate) async fn newest_before(&self, tier: StoreTier, second: u64) -> Result<Option<u64>, StoreError> {
        self.outermost(tier, &(0..second.min(MAX_START)), -1).await
    }

    /// The start of the first step of a span in an order. What strangers wrote may begin at any time, ours at a step.
    async fn outermost(&self, tier: StoreTier, span: &Range<u64>, order: i32) -> Result<Option<u64>, StoreError> {
        let mut filter = self.within(span);
        filter.insert("_id.start", doc! { "$mod": [signed(tier.step_seconds()), 0] });
        let options = FindOptions::builder().sort(doc! { "_id": order }).projection(doc! { "_id": 1 }).limit(8).build();
        Ok(self.find(STEPS[tier as usize], filter, options).await?.iter().find_map(start_of))
    }

    /// The names that all instances share.
    pub(crate) async fn names(&self) -> Result<Vec<(NameKey, Vec<u8>)>, StoreError> {
        let documents = self.find(NAMES, doc! {}, FindOptions::default()).await?;
        let name = |document: &Document| {
            let key = NameKey(document.get_i64("_id").ok()?.cast_unsigned());
            let name = record::payload(document.get_binary_generic("record").ok()?, RecordKey::Name(key))?;
            // A name under the key of another would be shown in its place.
            (NameKey::of(&name) == key).then(|| (key, name.into_owned()))
        };
        let mut names: Vec<_> = documents.iter().filter_map(name).collect();
        names.sort_unstable_by_key(|(key, _)| *key);
        Ok(names)
    }

    /// Whether the store has the name with this key.
    pub(crate) async fn has_name(&self, key: NameKey) -> Result<bool, StoreError> {
        let options = FindOptions::builder().projection(doc! { "_id": 1 }).build();
        Ok(!self.find(NAMES, doc! { "_id": key.0.cast_signed() }, options).await?.is_empty())
    }

    pub(crate) async fn marks(&self, span: Range<u64>) -> Result<Vec<StoredMark>, StoreError> {
        let oldest_first = FindOptions::builder().sort(doc! { "_id": 1 }).build();
        let documents = self.find(MARKS, self.within(&span), oldest_first).await?;
        Ok(documents.iter().filter_map(mark_of).collect())
    }

    /// The document of this instance.
    pub(crate) async fn state(&self) -> Result<Option<Document>, StoreError> {
        let one = FindOptions::builder().limit(1).build();
        Ok(self.find(INSTANCES, doc! { "_id": &self.instance }, one).await?.pop())
    }
}

/// The document's start and the payload of its step; `None` if it is something else.
pub(super) fn step_of(document: &Document, tier: StoreTier) -> Option<(u64, Vec<u8>)> {
    let start = start_of(document)?;
    let payload = record::payload(document.get_binary_generic("record").ok()?, RecordKey::Step(tier, start))?;
    Some((start, payload.into_owned()))
}

/// The mark of a document; `None` if it is something else.
pub(super) fn mark_of(document: &Document) -> Option<StoredMark> {
    let at_unix_ms = start_of(document)?;
    let bytes = record::payload(document.get_binary_generic("record").ok()?, RecordKey::Mark(at_unix_ms))?;
    Some(StoredMark { at_unix_ms, bytes: bytes.into_owned() })
}

/// The start in a document's key. A number of another type is the same key to MongoDB.
pub(super) fn start_of(document: &Document) -> Option<u64> {
    let start = match document.get_document("_id").ok()?.get("start")? {
        Bson::Int64(start) => *start,
        Bson::Int32(start) => i64::from(*start),
        Bson::Double(start) if start.fract() == 0.0 => *start as i64,
        _ => return None,
    };
    start.try_into().ok().filter(|start| *start < MAX_START)
}

/// The record of a step. It says when it was written, which nobody has to know of a store with a clock of its own.
pub(super) fn record_of(step: &StoredStep) -> Vec<u8> {
    record::encode(RecordKey::Step(step.tier, step.start), crate::clock::now_unix_ms(), &step.bytes)
}

/// A statement that replaces the record that a query finds, or makes it, with more fields.
pub(super) fn replacement(query: Document, record: Vec<u8>, more: Document) -> Document {
    let mut set = doc! { "bytes": payload_bytes(&record).cast_signed(), "record": binary(record) };
    set.extend(more);
    let now = doc! { "at": true, "written": { "$type": "timestamp" } };
    doc! { "q": query, "u": { "$set": set, "$currentDate": now }, "upsert": true }
}

/// BSON has no larger number.
pub(super) fn signed(number: u64) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

pub(crate) fn binary(bytes: Vec<u8>) -> Bson {
    Binary { subtype: BinarySubtype::Generic, bytes }.into()
}

/// The result of an operation, or why there is none. A driver's text can hold data: its kind is told alone.
pub(crate) async fn in_time<T>(
    operation: impl IntoFuture<Output = mongodb::error::Result<T>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(ANSWERED_WITHIN, operation.into_future()).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(StoreError::Refused(match (classify(&error), code(&error)) {
            (failure, (code @ 1.., _)) if failure.kind == FailureKind::Other => {
                format!("{} (MongoDB's error {code})", failure.detail)
            }
            (failure, _) if failure.kind == FailureKind::NotAuthorised => {
                format!("{}; it needs the role readWrite on the fleet's database", failure.detail)
            }
            (failure, _) => failure.detail,
        })),
        Err(_) => Err(StoreError::Refused(format!("MongoDB has not answered within {ANSWERED_WITHIN:?}"))),
    }
}

/// Reads documents, up to a bound of bytes. A large one is left out.
pub(crate) async fn read_all(
    query: impl IntoFuture<Output = mongodb::error::Result<Cursor<RawDocumentBuf>>>,
) -> Result<Vec<Document>, StoreError> {
    let (mut documents, mut room) = (vec![], MAX_READ_BYTES);
    read_each(query, |document, bytes| {
        if bytes > MAX_DOCUMENT_BYTES {
            return ControlFlow::Continue(());
        }
        let Some(less) = room.checked_sub(bytes) else { return ControlFlow::Break(()) };
        room = less;
        documents.push(document);
        ControlFlow::Continue(())
    })
    .await?;
    Ok(documents)
}

/// Gives each document of a query with its bytes to `each`, one after the other. One that is no valid BSON is left out.
pub(crate) async fn read_each(
    query: impl IntoFuture<Output = mongodb::error::Result<Cursor<RawDocumentBuf>>>,
    mut each: impl FnMut(Document, usize) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    in_time(async {
        let mut cursor = query.into_future().await?;
        while let Some(raw) = cursor.try_next().await? {
            let Ok(document) = Document::try_from(&*raw) else { continue };
            if each(document, raw.as_bytes().len()).is_break() {
                break;
            }
            // A batch has thousands: others have their turn in between.
            consume_budget().await;
        }
        Ok(())
    })
    .await
}
