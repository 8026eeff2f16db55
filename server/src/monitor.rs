//! The monitor: owns the state, runs the sampler and the database probe on a thread of its own, and answers the board.

#[cfg(feature = "mongodb")]
use std::sync::{Mutex, PoisonError};
use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use axum::Router;
#[cfg(feature = "mongodb")]
use mongodb::options::ClientOptions;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use watchboard_app::port::{RefreshResult, Telemetry};
use watchboard_wire::{Ask, FullSnapshot, Part, RefreshCursor, RefreshResponse, Unknown};

use crate::{
    board,
    board::access::AccessPolicy,
    builder::Builder,
    clock::now_unix_ms,
    commands::Listener,
    database::{Database, Probe, ProbeResult},
    memory::{Probes, Watch},
    requests::{Policy, Recorder, RequestsLayer, note_locations},
    sample::{RuntimeProbe, Sampler},
};

/// The time between two snapshots, and between two questions to the database.
const TICK: Duration = Duration::from_secs(1);
/// The database has this long between two questions, even if it took long to answer.
const REST: Duration = Duration::from_millis(250);
/// Somebody looks while a reader came within this time: a little longer than the longest refresh interval of a page.
const WATCHED_WITHIN: Duration = Duration::from_secs(65);
/// Pages that wait for the monitor's thread at once.
const QUESTIONS: usize = 64;
/// How long they wait: it answers within milliseconds, unless the machine is overloaded.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// What an application is watched with: its [layer](Self::layer) records, its [dashboard](Self::dashboard) shows.
/// Clones are the same monitor; when the last one and all its dashboards are gone, its thread ends.
#[derive(Clone)]
pub struct Monitor {
    recorder: &'static Recorder,
    #[cfg(feature = "mongodb")]
    listener: &'static Listener,
    /// Where the options of a client go that is listened to, as long as there is no database to ask.
    #[cfg(feature = "mongodb")]
    listened: Arc<Mutex<Option<oneshot::Sender<Database>>>>,
    state: Arc<State>,
    /// Whether the application is not ready while its database is not healthy.
    ready_needs_database: bool,
    access: AccessPolicy,
}

impl Monitor {
    /// A monitor with a name, a database or a policy of its own.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Starts watching. Where the monitor's thread cannot be started, the board says so by its age: it is stale from the first second on.
    /// Without a name the application has that of its process.
    pub(crate) fn start(
        service: Option<String>,
        watch: Option<Watch>,
        probe: Probe,
        policy: Policy,
        ready_needs_database: bool,
        access: AccessPolicy,
    ) -> Self {
        note_locations();
        let recorder = Recorder::new(policy);
        let listener = Listener::new();
        // An application that is another process has none that could be asked.
        let runtime = if watch.is_none() { RuntimeProbe::current() } else { None };
        let mut sampler = Sampler::new(service, Probes::new(watch), recorder, listener, runtime);
        let frozen = Arc::new(ArcSwap::from_pointee(sampler.tick(0, probe.found(), false)));
        let (read_at, database_read_at) = (Arc::<LastRead>::default(), Arc::<LastRead>::default());
        let (ask, asked) = mpsc::channel(QUESTIONS);
        let state = State {
            ask,
            frozen: Arc::clone(&frozen),
            read_at: Arc::clone(&read_at),
            database_read_at: Arc::clone(&database_read_at),
        };
        let work = Work { sampler, frozen, read_at, database_read_at, asked };
        let (listened, database) = oneshot::channel();
        let started = thread::Builder::new().name("watchboard".to_owned()).spawn(move || run(work, probe, database));
        if let Err(error) = started {
            tracing::error!(%error, "the monitor's thread cannot be started: its figures will not move");
        }
        // Without the feature nobody can listen to a client.
        #[cfg(not(feature = "mongodb"))]
        drop(listened);
        Self {
            recorder,
            #[cfg(feature = "mongodb")]
            listener,
            #[cfg(feature = "mongodb")]
            listened: Arc::new(Mutex::new(Some(listened))),
            state: Arc::new(state),
            ready_needs_database,
            access,
        }
    }

    /// The layer that records requests: for [`Router::layer`], after the host's routes and before the board is mounted.
    pub fn layer(&self) -> RequestsLayer {
        RequestsLayer::new(self.recorder)
    }

    /// The options of the application's MongoDB client, with handlers of the monitor's beside those that they have: make the client of
    /// what is returned.
    ///
    /// ```no_run
    /// # async fn run() -> mongodb::error::Result<()> {
    /// use mongodb::{Client, options::ClientOptions};
    ///
    /// let options = ClientOptions::parse("mongodb://127.0.0.1:27017/shop").await?;
    /// let monitor = watchboard::Monitor::builder().build();
    /// let client = Client::with_options(monitor.listen(options))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// From then on the board shows which commands the application sends, by name, database and collection, how long they take and how they
    /// fail, its connection pool, and what each endpoint asks of the database. The driver decodes each command and reply for whoever
    /// listens: see docs/performance.md for what that costs. Neither documents nor filters nor error texts are kept. Where the monitor was given no
    /// database, it asks this one how it is, by a client of its own.
    #[cfg(feature = "mongodb")]
    #[must_use = "a client is listened to only when it is made of what this returns"]
    pub fn listen(&self, options: ClientOptions) -> ClientOptions {
        if let Some(listened) = self.listened.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // Nobody waits for it where a database was given before.
            let _ = listened.send(options.clone().into());
        }
        self.listener.listen(options)
    }

    /// The board, to be nested at any path or merged at the root. It is not in its own figures as long as the
    /// [layer](Self::layer) is applied before it is mounted.
    ///
    /// It is open to whom the builder's [`access`](Builder::access) lets in.
    pub fn dashboard(&self) -> Router {
        let (frozen, needs_database) = (Arc::clone(&self.state.frozen), self.ready_needs_database);
        // Not by the port: a balancer that asks is nobody who looks.
        let unready = move || needs_database.then(|| frozen.load().snapshot.database.unready()).flatten();
        let unready: board::Unready = Arc::new(unready);
        board::router(Arc::clone(&self.state) as Arc<dyn Telemetry>, &unready, self.access.clone())
    }

    /// Watches `app` and mounts the board at `path` beside it; `/` mounts it at the root.
    ///
    /// # Panics
    /// As [`Router::route`] does, where `app` has a route of its own at the same place.
    pub fn watch<S: Clone + Send + Sync + 'static>(&self, app: Router<S>, path: &str) -> Router<S> {
        let watched = app.layer(self.layer());
        match path.trim_end_matches('/') {
            // In this order, since of two default fallbacks the second stays: the one that is watched.
            "" => self.dashboard().with_state(()).merge(watched),
            path => watched.nest_service(path, self.dashboard()),
        }
    }
}

/// What the board reads.
struct State {
    ask: mpsc::Sender<Question>,
    frozen: Arc<ArcSwap<FullSnapshot>>,
    /// When a reader last came, and one of the database view; costly probes run only while somebody looks.
    read_at: Arc<LastRead>,
    database_read_at: Arc<LastRead>,
}

/// When somebody last looked.
#[derive(Default)]
struct LastRead(AtomicU64);

impl LastRead {
    fn now(&self) {
        self.0.store(now_unix_ms(), Relaxed);
    }

    fn is_recent(&self) -> bool {
        now_unix_ms().saturating_sub(self.0.load(Relaxed)) < WATCHED_WITHIN.as_millis() as u64
    }
}

/// What a page wants, and where its answer goes.
struct Question {
    ask: Ask,
    seen: Option<RefreshCursor>,
    answer: oneshot::Sender<RefreshResponse>,
}

impl Telemetry for State {
    fn full_snapshot(&self) -> Arc<FullSnapshot> {
        self.read_at.now();
        self.frozen.load_full()
    }

    fn refresh(&self, ask: Ask, seen: Option<RefreshCursor>) -> Pin<Box<dyn Future<Output = RefreshResult> + Send>> {
        self.read_at.now();
        if ask.part == Part::Database {
            self.database_read_at.now();
        }
        let (answer, answered) = oneshot::channel();
        let sent = self.ask.try_send(Question { ask, seen, answer });
        Box::pin(async move {
            sent.map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => Unknown::because("too many pages ask at once: try again"),
                mpsc::error::TrySendError::Closed(_) => Unknown::because("the monitor has stopped: see the log"),
            })?;
            match timeout(ANSWER_WITHIN, answered).await {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(_)) => Err(Unknown::because("the monitor failed to answer: see the log")),
                Err(_) => Err(Unknown::because(format!("the monitor did not answer within {ANSWER_WITHIN:?}"))),
            }
        })
    }
}

/// What the monitor's thread works on.
struct Work {
    sampler: Sampler,
    frozen: Arc<ArcSwap<FullSnapshot>>,
    read_at: Arc<LastRead>,
    database_read_at: Arc<LastRead>,
    asked: mpsc::Receiver<Question>,
}

/// The monitor's thread: ends when nobody can ask it any more.
fn run(work: Work, probe: Probe, listened: oneshot::Receiver<Database>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return tracing::error!(%error, "the monitor's runtime cannot be started: its figures will not move");
        }
    };
    let (found, database) = watch::channel(probe.found().clone());
    runtime.block_on(async {
        tokio::spawn(ask_database(probe, listened, found, Arc::clone(&work.database_read_at)));
        Box::pin(work.sample_and_answer(database)).await;
    });
}

/// Asks the database, or the one that is given later.
async fn ask_database(
    mut probe: Probe,
    listened: oneshot::Receiver<Database>,
    found: watch::Sender<ProbeResult>,
    read_at: Arc<LastRead>,
) {
    if !probe.is_configured() {
        let Ok(database) = listened.await else { return std::future::pending().await };
        probe = Probe::new(database.0);
    }
    loop {
        let started = Instant::now();
        probe.round(read_at.is_recent()).await;
        found.send_replace(probe.found().clone());
        sleep(TICK.saturating_sub(started.elapsed()).max(REST)).await;
    }
}

impl Work {
    async fn sample_and_answer(mut self, mut database: watch::Receiver<ProbeResult>) {
        let started = Instant::now();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        ticks.tick().await;
        loop {
            tokio::select! {
                biased;
                _ = ticks.tick() => {
                    let tick = started.elapsed().as_secs_f64().round() as u64;
                    let found = database.borrow().clone();
                    let watched = self.read_at.is_recent();
                    self.frozen.store(Arc::new(self.sampler.tick(tick, &found, watched)));
                }
                // An outage does not wait for the next tick.
                Ok(()) = database.changed() => {
                    let found = database.borrow_and_update();
                    if let Some(frozen) = self.sampler.update_database(&self.frozen.load(), &found.database) {
                        self.frozen.store(Arc::new(frozen));
                    }
                }
                question = self.asked.recv() => {
                    let Some(Question { ask, seen, answer }) = question else { return };
                    if let Some(frozen) = self.sampler.read_costly(&self.frozen.load()) {
                        self.frozen.store(Arc::new(frozen));
                    }
                    // Nobody waits any more where this fails.
                    let _ = answer.send(self.sampler.answer(&ask, seen, &self.frozen.load().snapshot, &database.borrow()));
                }
            }
        }
    }
}
