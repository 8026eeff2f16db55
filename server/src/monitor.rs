//! The monitor: it owns the state, runs the sampler and the database's probe on its own thread, and answers the board.

#[cfg(feature = "mongodb")]
use std::sync::{Mutex, PoisonError};
use std::{
    fmt,
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
    board::{access::AccessPolicy, sign_in_link::SignInLinks},
    clock::now_unix_ms,
    commands::Listener,
    database::{Database, Probe, ProbeResult},
    memory::{Probes, Watch},
    requests::{Policy, Recorder, RequestsLayer, note_locations},
    sample::{RuntimeProbe, Sampler},
};

/// The time between two snapshots, and between two questions to the database.
const TICK: Duration = Duration::from_secs(1);
/// The least pause between two questions to the database, even after a slow answer.
const REST: Duration = Duration::from_millis(250);
/// The board has a viewer if a reader came within this time: a little longer than the longest refresh interval of a page.
const WATCHED_WITHIN: Duration = Duration::from_secs(65);
/// So many pages may wait for the monitor's thread at once.
const QUESTIONS: usize = 64;
/// A page waits this long at most. The thread answers within milliseconds, unless the machine is overloaded.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// Watches an application: its [layer](Self::layer) records requests, its [dashboard](Self::dashboard) shows the board.
/// A clone is the same monitor. Its thread ends when the last clone and the last dashboard are dropped.
///
/// ```no_run
/// use axum::{Router, routing::get};
/// use watchboard::Monitor;
///
/// let monitor = Monitor::builder().service("shop").build();
/// let shop: Router = Router::new().route("/products", get(|| async { "products" }));
/// let app = shop.layer(monitor.layer()).nest_service("/ops/board", monitor.dashboard());
/// ```
#[derive(Clone)]
pub struct Monitor {
    recorder: &'static Recorder,
    #[cfg(feature = "mongodb")]
    listener: &'static Listener,
    /// Takes the options of the first client that is listened to, if the builder has no database.
    #[cfg(feature = "mongodb")]
    database_sender: Arc<Mutex<Option<oneshot::Sender<Database>>>>,
    state: Arc<State>,
    /// Whether `/readyz` depends on the database.
    ready_needs_database: bool,
    access: AccessPolicy,
    /// The links of the default policy.
    links: Option<SignInLinks>,
}

impl Monitor {
    /// Starts the monitor. If its thread cannot be started, the board is stale from the first second on, and shows its age.
    /// Without a service name the application has the name of its process.
    pub(crate) fn start(
        service: Option<String>,
        watch: Option<Watch>,
        probe: Probe,
        policy: Policy,
        ready_needs_database: bool,
        access: AccessPolicy,
        links: Option<SignInLinks>,
    ) -> Self {
        note_locations();
        let recorder = Recorder::new(policy);
        let listener = Listener::new();
        // An application in another process has no runtime here.
        let runtime = if watch.is_none() { RuntimeProbe::current() } else { None };
        let mut sampler = Sampler::new(service, Probes::new(watch), recorder, listener, runtime);
        let frozen = Arc::new(ArcSwap::from_pointee(sampler.tick(0, probe.result(), false)));
        let (read_at, database_read_at) = (Arc::<LastRead>::default(), Arc::<LastRead>::default());
        let (ask, questions) = mpsc::channel(QUESTIONS);
        let state = State {
            ask,
            frozen: Arc::clone(&frozen),
            read_at: Arc::clone(&read_at),
            database_read_at: Arc::clone(&database_read_at),
        };
        let monitor_thread = MonitorThread { sampler, frozen, read_at, database_read_at, questions };
        let (database_sender, database) = oneshot::channel();
        let started =
            thread::Builder::new().name("watchboard".to_owned()).spawn(move || run(monitor_thread, probe, database));
        if let Err(error) = started {
            tracing::error!(%error, "the monitor's thread cannot be started: its figures will not move");
        }
        // Without the feature there is no client to listen to.
        #[cfg(not(feature = "mongodb"))]
        drop(database_sender);
        Self {
            recorder,
            #[cfg(feature = "mongodb")]
            listener,
            #[cfg(feature = "mongodb")]
            database_sender: Arc::new(Mutex::new(Some(database_sender))),
            state: Arc::new(state),
            ready_needs_database,
            access,
            links,
        }
    }

    /// The layer that records requests. Apply it by [`Router::layer`] after your routes, and mount the board after it.
    ///
    /// ```no_run
    /// use axum::{Router, routing::get};
    ///
    /// let monitor = watchboard::Monitor::builder().build();
    /// let shop: Router = Router::new().route("/products", get(|| async { "products" })).layer(monitor.layer());
    /// ```
    pub fn layer(&self) -> RequestsLayer {
        RequestsLayer::new(self.recorder)
    }

    /// Adds event handlers to the options of the application's MongoDB client. Handlers that the options already have stay. Make the
    /// client from the options that it returns.
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
    /// The board then shows the application's commands by name, database and collection, with their times and errors, its connection
    /// pool, and the commands of each endpoint. For any listener the driver decodes each command and reply: docs/performance.md has
    /// the cost. Documents, filters and error texts are never kept. If the builder has no database, the monitor probes this one, by
    /// a client of its own.
    #[cfg(feature = "mongodb")]
    #[cfg_attr(docsrs, doc(cfg(feature = "mongodb")))]
    #[must_use = "a client is listened to only if it is made of the options that this returns"]
    pub fn listen(&self, options: ClientOptions) -> ClientOptions {
        if let Some(database_sender) = self.database_sender.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // Nobody waits for it if the builder has a database.
            let _ = database_sender.send(options.clone().into());
        }
        self.listener.listen(options)
    }

    /// The board as a router: nest it at any path, or merge it at the root. Apply the [layer](Self::layer) before you mount the board,
    /// and the board's own requests are not in its figures.
    ///
    /// The builder's [`access`](crate::Builder::access) decides who may see it. By default it prints a link that opens the board.
    ///
    /// ```no_run
    /// let monitor = watchboard::Monitor::builder().build();
    /// let board: axum::Router = axum::Router::new().nest_service("/ops/board", monitor.dashboard());
    /// ```
    pub fn dashboard(&self) -> Router {
        if let Some(links) = &self.links {
            links.print(None);
        }
        let (frozen, needs_database) = (Arc::clone(&self.state.frozen), self.ready_needs_database);
        // Not by the port: a balancer is no viewer.
        let unready = move || needs_database.then(|| frozen.load().snapshot.database.unready()).flatten();
        let unready: board::Unready = Arc::new(unready);
        board::router(Arc::clone(&self.state) as Arc<dyn Telemetry>, &unready, self.access.clone())
    }

    /// A link that opens the board at `url` once, within an hour: for a page or a message of the application's own. `None` if the
    /// builder's [`access`](crate::Builder::access) decides who may see the board, or the system has no random numbers.
    ///
    /// ```no_run
    /// let monitor = watchboard::Monitor::builder().build();
    /// if let Some(link) = monitor.sign_in_link("http://127.0.0.1:8080/ops/board") {
    ///     println!("the board is at {link}");
    /// }
    /// ```
    pub fn sign_in_link(&self, url: &str) -> Option<String> {
        self.links.as_ref()?.link(url).ok()
    }

    /// Records all requests to `app`, and mounts the board at `path`; `/` mounts it at the root.
    ///
    /// # Panics
    /// Panics as [`Router::route`] does if `app` has a route at the same path.
    ///
    /// ```no_run
    /// use axum::{Router, routing::get};
    ///
    /// let shop: Router = Router::new().route("/products", get(|| async { "products" }));
    /// let app = watchboard::Monitor::builder().build().watch(shop, "/ops/board");
    /// ```
    pub fn watch<S: Clone + Send + Sync + 'static>(&self, app: Router<S>, path: &str) -> Router<S> {
        if let Some(links) = &self.links {
            links.print(Some(path));
        }
        let watched = app.layer(self.layer());
        match path.trim_end_matches('/') {
            // In this order: of two default fallbacks the second stays, and that one is watched.
            "" => self.dashboard().with_state(()).merge(watched),
            path => watched.nest_service(path, self.dashboard()),
        }
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let service = &self.state.frozen.load().snapshot.service;
        formatter.debug_struct("Monitor").field("service", service).finish_non_exhaustive()
    }
}

/// The monitor's state that the board reads.
struct State {
    ask: mpsc::Sender<Question>,
    frozen: Arc<ArcSwap<FullSnapshot>>,
    /// The last read of any view, and of the database view: costly probes run only for viewers.
    read_at: Arc<LastRead>,
    database_read_at: Arc<LastRead>,
}

/// The time of the last read.
#[derive(Default)]
struct LastRead(AtomicU64);

impl LastRead {
    fn set_to_now(&self) {
        self.0.store(now_unix_ms(), Relaxed);
    }

    fn is_recent(&self) -> bool {
        now_unix_ms().saturating_sub(self.0.load(Relaxed)) < WATCHED_WITHIN.as_millis() as u64
    }
}

/// A page's question, and where its answer goes.
struct Question {
    ask: Ask,
    seen: Option<RefreshCursor>,
    answer: oneshot::Sender<RefreshResponse>,
}

impl Telemetry for State {
    fn full_snapshot(&self) -> Arc<FullSnapshot> {
        self.read_at.set_to_now();
        self.frozen.load_full()
    }

    fn refresh(&self, ask: Ask, seen: Option<RefreshCursor>) -> Pin<Box<dyn Future<Output = RefreshResult> + Send>> {
        self.read_at.set_to_now();
        if ask.part == Part::Database {
            self.database_read_at.set_to_now();
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

/// The state of the monitor's thread.
struct MonitorThread {
    sampler: Sampler,
    frozen: Arc<ArcSwap<FullSnapshot>>,
    read_at: Arc<LastRead>,
    database_read_at: Arc<LastRead>,
    questions: mpsc::Receiver<Question>,
}

/// The monitor's thread. It ends when nobody can ask it any more.
fn run(monitor_thread: MonitorThread, probe: Probe, database: oneshot::Receiver<Database>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return tracing::error!(%error, "the monitor's runtime cannot be started: its figures will not move");
        }
    };
    let (results, latest) = watch::channel(probe.result().clone());
    runtime.block_on(async {
        tokio::spawn(ask_database(probe, database, results, Arc::clone(&monitor_thread.database_read_at)));
        Box::pin(monitor_thread.sample_and_answer(latest)).await;
    });
}

/// Asks the builder's database, or that of the first client that is listened to.
async fn ask_database(
    mut probe: Probe,
    database: oneshot::Receiver<Database>,
    results: watch::Sender<ProbeResult>,
    read_at: Arc<LastRead>,
) {
    if !probe.is_configured() {
        let Ok(database) = database.await else { return std::future::pending().await };
        probe = database.into_probe();
    }
    loop {
        let started = Instant::now();
        probe.round(read_at.is_recent()).await;
        results.send_replace(probe.result().clone());
        sleep(TICK.saturating_sub(started.elapsed()).max(REST)).await;
    }
}

impl MonitorThread {
    async fn sample_and_answer(mut self, mut latest: watch::Receiver<ProbeResult>) {
        let started = Instant::now();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        ticks.tick().await;
        loop {
            tokio::select! {
                biased;
                _ = ticks.tick() => {
                    let tick = started.elapsed().as_secs_f64().round() as u64;
                    let result = latest.borrow().clone();
                    let watched = self.read_at.is_recent();
                    self.frozen.store(Arc::new(self.sampler.tick(tick, &result, watched)));
                }
                // An outage does not wait for the next tick.
                Ok(()) = latest.changed() => {
                    let result = latest.borrow_and_update();
                    if let Some(frozen) = self.sampler.update_database(&self.frozen.load(), &result.database) {
                        self.frozen.store(Arc::new(frozen));
                    }
                }
                question = self.questions.recv() => {
                    let Some(Question { ask, seen, answer }) = question else { return };
                    if let Some(frozen) = self.sampler.read_costly(&self.frozen.load()) {
                        self.frozen.store(Arc::new(frozen));
                    }
                    // It fails if nobody waits any more.
                    let _ = answer.send(self.sampler.answer(&ask, seen, &self.frozen.load().snapshot, &latest.borrow()));
                }
            }
        }
    }
}
