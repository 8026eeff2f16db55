//! The monitor: owns the state, runs the sampler and the database probe on a thread of its own, and answers the board.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use axum::Router;
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval, sleep},
};
use watchboard_app::{
    port::Telemetry,
    wire::{STEP_SECONDS, Seen, Snapshot, Timeline},
};

use crate::{
    clock::now_unix_ms,
    dashboard,
    database::{Database, Probe},
    requests::{Registry, RequestsLayer},
    sampler::{Frozen, Sampler},
};

/// The time between two snapshots, and between two questions to the database.
const TICK: Duration = Duration::from_secs(1);
/// Somebody looks while a reader came within this time: a little longer than the longest refresh interval of a page.
const WATCHED_WITHIN: Duration = Duration::from_secs(65);

/// What an application is watched with: its [layer](Self::layer) records, its [dashboard](Self::dashboard) shows.
/// Clones are the same monitor; when the last one and all its layers and dashboards are gone, its thread ends.
#[derive(Clone)]
pub struct Monitor {
    state: Arc<State>,
}

/// How a monitor is made.
#[derive(Debug, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct Builder {
    service: Option<String>,
    database: Database,
}

impl Builder {
    /// The name of the watched application; that of the executable otherwise.
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.service = Some(name.into());
        self
    }

    /// The MongoDB to watch: [`ClientOptions`](mongodb::options::ClientOptions), a [`Client`](mongodb::Client), or a
    /// [connection string](Database::from_uri).
    pub fn mongodb(mut self, database: impl Into<Database>) -> Self {
        self.database = database.into();
        self
    }

    /// Starts watching. Where the monitor's thread cannot be started, the board says so by its age: it is stale from the first second on.
    pub fn build(self) -> Monitor {
        let service = self.service.unwrap_or_else(executable_name);
        let registry = Arc::new(Registry::new());
        let mut sampler = Sampler::new(service, Arc::clone(&registry));
        let probe = Probe::new(self.database.0);
        let first = sampler.tick(0, probe.found().clone(), false);
        let state =
            Arc::new(State { registry, frozen: ArcSwap::from_pointee(first), read_at_unix_ms: AtomicU64::new(0) });
        let watched = Arc::downgrade(&state);
        let started = thread::Builder::new().name("watchboard".to_owned()).spawn(move || run(sampler, probe, &watched));
        if let Err(error) = started {
            tracing::error!(%error, "the monitor's thread cannot be started: its figures will not move");
        }
        Monitor { state }
    }
}

fn executable_name() -> String {
    let path = std::env::current_exe().ok();
    path.and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .unwrap_or_else(|| "application".to_owned())
}

impl Monitor {
    /// A monitor with a name or a database of its own.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The layer that records requests: for [`Router::layer`], after the host's routes and before the board is mounted.
    pub fn layer(&self) -> RequestsLayer {
        RequestsLayer::new(Arc::clone(&self.state.registry))
    }

    /// The board, to be nested at any path or merged at the root. It is not in its own figures as long as the
    /// [layer](Self::layer) is applied before it is mounted.
    ///
    /// Whoever can reach it sees it all: put the host's own authentication in front.
    pub fn dashboard(&self) -> Router {
        dashboard::router(Arc::clone(&self.state) as Arc<dyn Telemetry>)
    }

    /// Watches `app` and mounts the board at `path` beside it; `/` mounts it at the root.
    ///
    /// # Panics
    /// As [`Router::route`] does, where `app` has a route of its own at the same place.
    pub fn watch<S: Clone + Send + Sync + 'static>(&self, app: Router<S>, path: &str) -> Router<S> {
        let watched = app.layer(self.layer());
        match path.trim_end_matches('/') {
            "" => watched.merge(self.dashboard().with_state(())),
            path => watched.nest_service(path, self.dashboard()),
        }
    }
}

/// What the layer writes, the sampler freezes and the board reads.
struct State {
    registry: Arc<Registry>,
    frozen: ArcSwap<Frozen>,
    /// When a reader last came; costly probes run only while somebody looks.
    read_at_unix_ms: AtomicU64,
}

impl State {
    fn is_watched(&self) -> bool {
        let read_at = self.read_at_unix_ms.load(Relaxed);
        now_unix_ms().saturating_sub(read_at) < WATCHED_WITHIN.as_millis() as u64
    }
}

impl Telemetry for State {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.read_at_unix_ms.store(now_unix_ms(), Relaxed);
        Arc::clone(&self.frozen.load().snapshot)
    }

    fn timeline(&self, seen: Option<Seen>) -> Timeline {
        let frozen = self.frozen.load();
        let seen = seen.filter(|seen| seen.started_at_unix_ms == frozen.snapshot.started_at_unix_ms);
        seen.map_or_else(|| frozen.timeline.clone(), |seen| frozen.timeline.since(seen.tick / STEP_SECONDS))
    }

    fn now_unix_ms(&self) -> u64 {
        now_unix_ms()
    }
}

/// The monitor's thread: ends when nobody holds the monitor any more.
fn run(sampler: Sampler, probe: Probe, state: &Weak<State>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return tracing::error!(%error, "the monitor's runtime cannot be started: its figures will not move");
        }
    };
    let (found, database) = watch::channel(probe.found().clone());
    runtime.block_on(async {
        if probe.is_configured() {
            tokio::spawn(ask_database(probe, found));
        }
        sample(sampler, database, state).await;
    });
}

async fn ask_database(mut probe: Probe, found: watch::Sender<watchboard_app::wire::Database>) {
    loop {
        probe.round().await;
        found.send_replace(probe.found().clone());
        sleep(TICK).await;
    }
}

async fn sample(mut sampler: Sampler, database: watch::Receiver<watchboard_app::wire::Database>, state: &Weak<State>) {
    let started = Instant::now();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let Some(state) = state.upgrade() else { return };
        let tick = started.elapsed().as_secs_f64().round() as u64;
        let database = database.borrow().clone();
        state.frozen.store(Arc::new(sampler.tick(tick, database, state.is_watched())));
    }
}
