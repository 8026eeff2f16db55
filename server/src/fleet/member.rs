//! This process as a member of the fleet: the threads and tasks that deliver, give signs of life and merge.

use std::{
    sync::{Arc, mpsc::SyncSender},
    thread,
    time::Duration,
};

use arc_swap::ArcSwapOption;
use mongodb::Database;
use tokio::runtime::{self, Handle, Runtime};
use watchboard_wire::{FullSnapshot, InstanceRow, Reading, RefreshCursor, RefreshQuery, RefreshResponse, Unknown};

use super::{
    client::connect,
    delivery::{Delivery, RETRY_AFTER},
    instances::read_instances,
    merger::{Merger, PART},
    options::{FleetOptions, Published},
    presence::Presence,
    reading::FleetReader,
    source::health_of_one,
    sums_of_runs::SumsOfRuns,
};
use crate::{
    history::store::{MongoSteps, Outbox, StoreError, wait_on},
    requests::{Policy, Rules},
    supervision::{Faults, ThreadEnd, supervise, supervise_task},
};

/// A page waits so long for the store.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);
/// The end of a run waits so long for the last batch, and to say that it ends.
const ENDED_WITHIN: Duration = Duration::from_secs(6);

/// This instance's part in the fleet. Whoever drops it waits a moment until the last batch is delivered.
pub(crate) struct Fleet {
    outbox: Arc<Outbox>,
    /// The way to the store, once a connection string that can be used has one.
    connection: Arc<ArcSwapOption<StoreConnection>>,
    /// Made by the first page that asks.
    reader: Arc<tokio::sync::Mutex<Option<FleetReader>>>,
    /// The host's rules, by which rows of pages are judged.
    rules: Rules,
    /// That of the delivery.
    end: ThreadEnd,
}

/// The store, and the runtime of its client.
struct StoreConnection {
    steps: MongoSteps,
    runtime: Handle,
}

impl Fleet {
    /// Starts the thread that delivers. `outbox` is what it delivers.
    pub(crate) fn start(
        options: FleetOptions,
        (outbox, rules): (Arc<Outbox>, Rules),
        published: Published,
        faults: &Arc<Faults>,
    ) -> Self {
        let presence = Arc::new(Presence::new(options.label.clone(), published, Arc::clone(&outbox)));
        let (alive, end) = ThreadEnd::new();
        let connection = Arc::<ArcSwapOption<StoreConnection>>::default();
        let fleet = Self {
            outbox: Arc::clone(&outbox),
            connection: Arc::clone(&connection),
            reader: Arc::default(),
            rules,
            end,
        };
        let recorder = Arc::clone(faults);
        let run = move || {
            let _alive: SyncSender<()> = alive;
            supervise(PART, &recorder, || {
                let runtime = runtime::Builder::new_multi_thread()
                    .worker_threads(1)
                    .max_blocking_threads(3)
                    .thread_name("watchboard-fleet")
                    .enable_all()
                    .build()?;
                run(&options, &outbox, &presence, &connection, (&runtime, &recorder));
                connection.store(None);
                runtime.shutdown_background();
                Ok(())
            });
        };
        if let Err(error) = thread::Builder::new().name("watchboard-fleet".to_owned()).spawn(run) {
            faults.record(PART, format!("its thread cannot be started: {error}"));
        }
        fleet
    }

    /// The answer to a page of the fleet. `own` is the snapshot of this process.
    pub(crate) async fn refresh(
        &self,
        query: RefreshQuery,
        cursor: Option<RefreshCursor>,
        own: Arc<FullSnapshot>,
    ) -> Reading<RefreshResponse> {
        let (reader, rules) = (Arc::clone(&self.reader), self.rules.clone());
        self.ask(async move |steps| {
            let mut reader = reader.lock().await;
            let reader = reader.get_or_insert_with(|| FleetReader::new(Policy { rules, ..Policy::default() }));
            Box::pin(reader.answer(&steps, &query, cursor, &own.snapshot)).await
        })
        .await
    }

    /// All instances, the worst first.
    pub(crate) async fn instances(&self) -> Reading<Vec<InstanceRow>> {
        self.ask(async |steps| Ok(read_instances(&steps).await?.0)).await
    }

    /// The body of `/health` as an instance last wrote it.
    pub(crate) async fn instance_health(&self, name: String) -> Reading<Option<String>> {
        self.ask(async move |steps| health_of_one(&steps.of(name)).await).await
    }

    /// The status codes and the last errors of all instances, in JSON.
    pub(crate) async fn sums_of_runs(&self) -> Reading<String> {
        self.ask(async |steps| Ok(SumsOfRuns::of_all(&steps).await?.into_json().to_string())).await
    }

    /// Runs a question on the runtime of the store's client.
    async fn ask<T: Send + 'static, F>(&self, question: impl FnOnce(MongoSteps) -> F) -> Reading<T>
    where
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let Some(connection) = self.connection.load_full() else {
            let why = self.outbox.delivery().failure.unwrap_or_else(|| "it is being connected to".to_owned());
            return Err(Unknown::because(format!("the fleet's MongoDB has no answer: {why}")));
        };
        let asked = connection.runtime.spawn(question(connection.steps.clone()));
        match tokio::time::timeout(ANSWERED_WITHIN, asked).await {
            Ok(Ok(answer)) => answer.map_err(|error| Unknown::because(error.into_reason())),
            Ok(Err(_)) => Err(Unknown::because("the fleet's reader failed: see the log")),
            Err(_) => Err(Unknown::because(format!("the fleet's MongoDB has not answered within {ANSWERED_WITHIN:?}"))),
        }
    }

    /// Waits a moment until the last batch is delivered, and until the store has that the run has ended. Another call waits no more.
    pub(crate) fn finish(&self) {
        self.outbox.close();
        self.end.wait(ENDED_WITHIN);
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.finish();
    }
}

/// Connects, and delivers until the run ends.
fn run(
    options: &FleetOptions,
    outbox: &Outbox,
    presence: &Arc<Presence>,
    connection: &ArcSwapOption<StoreConnection>,
    (runtime, faults): (&Runtime, &Arc<Faults>),
) {
    let Some(database) = connect_until_closed(options, outbox, runtime) else { return };
    let own = MongoSteps::new(database, &options.label.name);
    let connected = StoreConnection { steps: own.clone(), runtime: runtime.handle().clone() };
    connection.store(Some(Arc::new(connected)));
    let (steps, present, recorder) = (own.clone(), Arc::clone(presence), Arc::clone(faults));
    let seen = runtime.spawn(async move {
        let keep = || Arc::clone(&present).keep(steps.clone());
        supervise_task(PART, &recorder, keep, |_| {}).await
    });
    let (steps, holder, recorder) = (own.clone(), presence.run_id().to_owned(), Arc::clone(faults));
    let merging = runtime.spawn(async move {
        let merge = || Merger::new(&steps, holder.clone()).run();
        supervise_task(PART, &recorder, merge, |_| {}).await
    });
    // That of a viewer has nothing, and waits for the end.
    Delivery::new(options, own.clone(), runtime.handle().clone(), Arc::clone(presence)).run(outbox);
    seen.abort();
    merging.abort();
    let present = Arc::clone(presence);
    let _ = wait_on(runtime.handle(), async move || present.stop(&own).await);
}

/// The database, once a connection string that can be used has one with its collections; `None` if the run ends before.
fn connect_until_closed(options: &FleetOptions, outbox: &Outbox, runtime: &Runtime) -> Option<Database> {
    loop {
        let (uri, name) = (options.uri.clone(), options.label.name.clone());
        match wait_on(runtime.handle(), async move || connect(&uri, &name).await) {
            Ok(database) => {
                outbox.note_connected();
                return Some(database);
            }
            Err(error) => outbox.note_failure(error.into_reason()),
        }
        if outbox.is_closed() {
            return None;
        }
        thread::sleep(RETRY_AFTER);
    }
}
