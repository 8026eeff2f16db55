//! The monitor: the face of its state and of its thread, which runs the sampler and the database's probe.

mod builder;
mod message;
mod starter;
mod state;
mod thread;

use std::{fmt, sync::Arc};

use arc_swap::ArcSwap;
use axum::Router;
#[cfg(feature = "mongodb")]
use mongodb::options::ClientOptions;
use tokio::sync::{mpsc, watch};
use watchboard_app::port::Telemetry;

pub use self::builder::Builder;
use self::{
    message::{LastRead, MAX_MESSAGES},
    starter::Starter,
    state::{MonitorEnd, State},
    thread::MonitorThread,
};
use crate::{
    board,
    board::{access::AccessPolicy, sign_in_link::SignInLinks},
    commands::Listener,
    database::Database,
    fleet::{Fleet, FleetOptions, Published},
    history::store::{HistoryFolder, Outbox},
    memory::{Probes, WatchTarget},
    requests::{Policy, Recorder, RequestsLayer},
    sample::{RuntimeProbe, Sampler, ServiceLabel},
    supervision::{Supervision, ThreadEnd, panics, program},
};

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
    /// The builder's database, or that of the first client that is listened to.
    #[cfg_attr(not(feature = "mongodb"), expect(dead_code, reason = "there is no client to listen to"))]
    database: watch::Sender<Database>,
    state: Arc<State>,
    /// Whether `/readyz` depends on the database.
    ready_needs_database: bool,
    access: AccessPolicy,
    /// The links of the default policy.
    links: Option<SignInLinks>,
}

impl Monitor {
    /// Starts the monitor. If its thread cannot be started, the board is stale until it can.
    pub(crate) fn start(
        service: ServiceLabel,
        target: Option<WatchTarget>,
        database: Database,
        policy: Policy,
        ready_needs_database: bool,
        (access, links): (AccessPolicy, Option<SignInLinks>),
        (folder, fleet): (Option<HistoryFolder>, Option<FleetOptions>),
    ) -> Self {
        panics::note_locations();
        let is_awaited = folder.is_some() || fleet.is_some();
        let outbox = fleet.as_ref().map(|fleet| Arc::new(Outbox::new(fleet.instance(), folder.is_some())));
        let rules = policy.rules.clone();
        let recorder = Recorder::new(policy);
        let listener = Listener::new();
        // An application in another process has no runtime here.
        let runtime = if target.is_none() { RuntimeProbe::current() } else { None };
        let supervision = Supervision::default();
        let probes = Probes::new(target, &supervision);
        let stores = (folder, outbox.clone());
        let mut sampler = Sampler::new(service, probes, recorder, listener, runtime, stores, &supervision);
        let (results, latest) = watch::channel(database.clone().into_probe().result().clone());
        let frozen = Arc::new(ArcSwap::from_pointee(sampler.tick(0, &latest.borrow(), false)));
        let (read, database_read) = (Arc::<LastRead>::default(), Arc::<LastRead>::default());
        let (message_sender, messages) = mpsc::channel(MAX_MESSAGES);
        let (database, databases) = watch::channel(database);
        let (alive, end) = ThreadEnd::new();
        let thread = MonitorThread {
            sampler,
            started: std::time::Instant::now(),
            frozen: Arc::clone(&frozen),
            read: Arc::clone(&read),
            database_read: Arc::clone(&database_read),
            messages,
            parked: vec![],
            databases,
            results,
            latest,
            supervision: supervision.clone(),
            alive,
        };
        let starter = Starter::new(thread);
        starter.start();
        let fleet = fleet.zip(outbox).map(|(options, outbox)| {
            let (frozen, faults) = (Arc::clone(&frozen), Arc::clone(&supervision.faults));
            let published = Published {
                full: Box::new(move || frozen.load_full()),
                health: Box::new(move |full| board::health_body(full, &program::faults_with(&faults))),
            };
            Arc::new(Fleet::start(options, (outbox, rules), published, &supervision.faults))
        });
        Self {
            recorder,
            #[cfg(feature = "mongodb")]
            listener,
            database,
            state: Arc::new(State {
                messages: message_sender,
                frozen,
                read,
                database_read,
                starter,
                faults: supervision.faults,
                end: MonitorEnd { thread: end, is_awaited },
                fleet,
            }),
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
        self.database.send_if_modified(|known| {
            let is_first = !known.is_configured();
            if is_first {
                *known = options.clone().into();
            }
            is_first
        });
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
        let (state, needs_database) = (Arc::clone(&self.state), self.ready_needs_database);
        let unready = move || {
            let full = state.full_snapshot();
            let too_old = full.stale().map(|why| format!("stale: {why}"));
            too_old.or_else(|| needs_database.then(|| full.snapshot.database.unready()).flatten())
        };
        let recorder = self.recorder;
        let unmatched_routes = move || recorder.unmatched_routes();
        let host_state = board::HostState { unready: Arc::new(unready), unmatched_routes: Arc::new(unmatched_routes) };
        board::router(Arc::clone(&self.state) as Arc<dyn Telemetry>, &host_state, self.access.clone())
    }

    /// Ends the monitor's thread in order: the last seconds of the [history](crate::Builder::data_dir) are stored, with the mark of a
    /// clean stop. This waits 1.5 s at most. Dropping the last clone and the last dashboard does the same: call it where something
    /// else, such as `std::process::exit`, ends the process.
    ///
    /// ```no_run
    /// let monitor = watchboard::Monitor::builder().data_dir("/var/lib/shop/watchboard").build();
    /// monitor.stop();
    /// ```
    pub fn stop(&self) {
        self.state.stop();
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
            // In this order: of two default fallbacks the second stays, and that one is watched. The board's own page for unknown paths
            // must not answer for the host's.
            "" => self.dashboard().reset_fallback().with_state(()).merge(watched),
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
