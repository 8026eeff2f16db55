//! Says in the fleet's store that this instance lives, and how it is. Of two processes with one name the second waits until the first is gone.

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use mongodb::bson::{Bson, Document, doc};
use serde_json::Value;
use tokio::time::{MissedTickBehavior, interval};
use watchboard_wire::{InstanceFigures, InstanceState};

use super::{
    client::prepare,
    deflated::JsonDeflater,
    last_seen::{GONE_AFTER_MS, seen_by_now},
    options::{InstanceLabel, Published},
    sums_of_runs::{EARLIER_RUNS, SumsOfRuns},
};
use crate::history::store::{
    Outbox, StoreError,
    mongo_steps::{INSTANCES, MongoSteps},
};

/// The time between two signs of life.
const SEEN_EACH: Duration = Duration::from_secs(3);

pub(super) struct Presence {
    label: InstanceLabel,
    /// Tells this process from another one with the name.
    run: String,
    published: Published,
    outbox: Arc<Outbox>,
    /// The status codes of the runs before under this name, so that the sums of all do not fall at a restart.
    earlier_runs: OnceLock<Value>,
    deflater: Mutex<JsonDeflater>,
}

impl Presence {
    pub(super) fn new(label: InstanceLabel, published: Published, outbox: Arc<Outbox>) -> Self {
        let mut run = [0; 8];
        // Without random numbers the process id and the time have to do.
        if getrandom::fill(&mut run).is_err() {
            run = (crate::clock::now_unix_ms() ^ u64::from(std::process::id()) << 40).to_be_bytes();
        }
        let run = hex::encode(run);
        Self { label, run, published, outbox, earlier_runs: OnceLock::new(), deflater: Mutex::default() }
    }

    /// What tells this process from another one.
    pub(super) fn run_id(&self) -> &str {
        &self.run
    }

    /// Gives signs of life for ever. A failure is told by the delivery, which meets it too, and which writes the whole state after its steps.
    pub(super) async fn keep(self: Arc<Self>, own: MongoSteps) {
        let mut ticks = interval(SEEN_EACH);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if !self.outbox.is_of_viewer() {
                let _ = self.say(&own, InstanceState::Running, false).await;
                continue;
            }
            // A board alone delivers nothing by which it would know.
            match own.command(doc! { "ping": 1 }).await {
                Ok(_) => self.outbox.note_connected(),
                Err(error) => self.outbox.note_failure(error.into_reason()),
            }
        }
    }

    /// The run has ended in order.
    pub(super) async fn stop(&self, own: &MongoSteps) -> Result<(), StoreError> {
        if self.outbox.is_admitted() { self.say(own, InstanceState::Stopped, true).await } else { Ok(()) }
    }

    pub(super) async fn say(&self, own: &MongoSteps, state: InstanceState, is_whole: bool) -> Result<(), StoreError> {
        let is_new = !self.outbox.is_admitted();
        if is_new {
            let was_admitted = self.earlier_runs.get().is_some();
            if was_admitted && own.state().await?.is_none() {
                // Somebody has dropped the database, or the server came back without its data.
                prepare(own).await?;
                self.outbox.note_emptied();
            }
            let first = doc! { "$setOnInsert": { "last_stored": null } };
            own.update(INSTANCES, vec![doc! { "q": { "_id": &self.label.name }, "u": first, "upsert": true }]).await?;
        }
        // What the run before wrote of its requests stays until it is read.
        let is_admitted = self.write(own, state, is_whole && !is_new).await?;
        if is_admitted && is_new {
            self.read_earlier_runs(own).await?;
            self.write(own, state, true).await?;
        }
        let admission = if is_admitted { Ok(true) } else { self.other(own).await?.map_or(Ok(false), Err) };
        self.outbox.set_admission(admission);
        Ok(())
    }

    /// Writes the document, and whether this process has the name.
    async fn write(&self, own: &MongoSteps, state: InstanceState, is_whole: bool) -> Result<bool, StoreError> {
        let unseen = doc! { "$lt": ["$seen", { "$subtract": ["$$NOW", GONE_AFTER_MS] }] };
        let is_free = vec![
            doc! { "run": &self.run },
            doc! { "run": { "$exists": false } },
            doc! { "state": InstanceState::Stopped.word() },
            doc! { "$expr": unseen },
            doc! { "$expr": { "$not": [seen_by_now()] } },
        ];
        let set = doc! { "$set": self.document(state, is_whole), "$currentDate": { "seen": true } };
        let free = doc! { "_id": &self.label.name, "$or": is_free };
        Ok(own.update(INSTANCES, vec![doc! { "q": free, "u": set }]).await? > 0)
    }

    async fn read_earlier_runs(&self, own: &MongoSteps) -> Result<(), StoreError> {
        if self.earlier_runs.get().is_none() {
            let mut sums = SumsOfRuns::default();
            sums.add_document(&own.state().await?.unwrap_or_default());
            let _ = self.earlier_runs.set(sums.into_json());
        }
        Ok(())
    }

    /// The other process that has the name, in words; `None` if the document is gone.
    async fn other(&self, own: &MongoSteps) -> Result<Option<String>, StoreError> {
        let Some(other) = own.state().await? else { return Ok(None) };
        let (host, pid) = (other.get_str("host").unwrap_or("another host"), other.get_i64("pid").unwrap_or_default());
        let name = &self.label.name;
        Ok(Some(format!(
            "process {pid} on {host} is in the fleet as \"{name}\" already: give each instance a name of its own"
        )))
    }

    fn document(&self, state: InstanceState, is_whole: bool) -> Document {
        let full = (self.published.full)();
        let snapshot = &full.snapshot;
        let host = snapshot.memory.system.as_ref().map(|system| &*system.host).unwrap_or_default();
        let mut document = doc! {
            "run": &self.run,
            "state": state.word(),
            "service": self.label.service.as_ref().unwrap_or(&snapshot.service),
            "version": self.label.version.clone(),
            "host": host,
            "pid": i64::from(std::process::id()),
            "url": self.label.url.clone(),
            "clock_unix_ms": crate::clock::now_unix_ms().cast_signed(),
            "started_at_unix_ms": snapshot.started_at_unix_ms.cast_signed(),
            "figures": figures_document(InstanceFigures::of(snapshot)),
        };
        if is_whole {
            let mut deflater = self.deflater.lock().unwrap_or_else(PoisonError::into_inner);
            document.insert("health", deflater.deflate(&(self.published.health)(&full)));
            document.insert("snapshot", deflater.deflate(snapshot));
            document.insert(EARLIER_RUNS, deflater.deflate(&self.earlier_runs.get()));
        }
        document
    }
}

fn figures_document(figures: InstanceFigures) -> Document {
    let InstanceFigures {
        health,
        finding,
        requests_per_second,
        error_percent,
        p99_us,
        memory_bytes,
        memory_percent,
        cpu_percent,
        database,
    } = figures;
    let number = |number: Option<u64>| number.map_or(Bson::Null, |number| Bson::Int64(number.cast_signed()));
    doc! {
        "health": health.word(),
        "finding": finding,
        "requests_per_second": requests_per_second,
        "error_percent": error_percent,
        "p99_us": number(p99_us),
        "memory_bytes": number(memory_bytes),
        "memory_percent": memory_percent,
        "cpu_percent": cpu_percent,
        "database": database,
    }
}
