//! The options of a monitor: its name, its database, and the host's rules for requests.

mod fleet;
mod names;

use std::{borrow::Cow, path::PathBuf, time::Duration};

use self::{fleet::FleetChoice, names::executable_name};
use super::Monitor;
use crate::{
    Access, HistoryStep, Incoming, TraceUrl,
    board::{access::AccessPolicy, sign_in_link::SignInLinks},
    database::Database,
    history::store::{HistoryFolder, KeptTimes},
    memory::WatchTarget,
    requests::{Capacity, Policy, Routes},
    sample::{ServiceLabel, version},
};

/// The bytes of the history on disk, unless the host says another bound.
const HISTORY_MAX_BYTES: u64 = 256 << 20;

/// The options of a [`Monitor`].
///
/// A rule for routes has a template, `/users/{id}`, or a prefix of templates, `/internal/*`.
///
/// ```no_run
/// let monitor = watchboard::Monitor::builder().service("shop").ignore("/internal/*").build();
/// ```
#[derive(Debug, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct Builder {
    service: Option<String>,
    version: Option<String>,
    trace_url: Option<TraceUrl>,
    target: Option<WatchTarget>,
    database: Database,
    policy: Policy,
    ready_needs_database: bool,
    access: Option<AccessPolicy>,
    url: Option<String>,
    proxy_url: Option<String>,
    data_dir: Option<PathBuf>,
    history_max_bytes: Option<u64>,
    history_keep: KeptTimes,
    fleet: FleetChoice,
}

impl Monitor {
    /// A builder with default options.
    ///
    /// ```no_run
    /// let monitor = watchboard::Monitor::builder().build();
    /// ```
    pub fn builder() -> Builder {
        Builder::default()
    }
}

impl Builder {
    /// Sets the name of the application. The default is the name of its executable.
    ///
    /// ```
    /// let builder = watchboard::Monitor::builder().service("shop");
    /// ```
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.service = Some(name.into());
        self
    }

    /// Sets the version of the application, which marks its start on the charts. The default is the environment variable
    /// `WATCHBOARD_SERVICE_VERSION`, or the build id of the executable.
    ///
    /// ```
    /// let builder = watchboard::Monitor::builder().version(env!("CARGO_PKG_VERSION"));
    /// ```
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Watches the memory of other processes than this one: for a monitor in front of an application. Figures that only a program
    /// itself has, such as the allocations of each endpoint, are then not shown. A [`Watch`](crate::Watch) is fixed, a [`WatchTarget`] may change.
    ///
    /// ```
    /// use watchboard::{Monitor, Watch};
    ///
    /// let builder = Monitor::builder().watch_process(Watch::Listening(([127, 0, 0, 1], 8000).into()));
    /// ```
    pub fn watch_process(mut self, target: impl Into<WatchTarget>) -> Self {
        self.target = Some(target.into());
        self
    }

    /// Sets the database to watch: MongoDB's `ClientOptions` or `Client`, a [`Database`], an `Option` of one, or `()`. The last call
    /// counts.
    ///
    /// ```
    /// # #[cfg(feature = "mongodb")] {
    /// use watchboard::{Database, Monitor};
    ///
    /// let builder = Monitor::builder().database(Database::from_uri("mongodb://127.0.0.1:27017/shop"));
    /// # }
    /// ```
    pub fn database(mut self, database: impl Into<Database>) -> Self {
        self.database = database.into();
        self
    }

    /// Does not record requests of these routes; `(unmatched)` stands for requests that no route matches.
    ///
    /// ```
    /// let builder = watchboard::Monitor::builder().ignore("/livez").ignore("/internal/*");
    /// ```
    pub fn ignore(mut self, route: impl Into<String>) -> Self {
        self.policy.rules.ignore(route);
        self
    }

    /// Does not record requests for which `ignores` returns true. It runs for every request, before the handler.
    ///
    /// ```
    /// let builder = watchboard::Monitor::builder().ignore_if(|request| request.headers().contains_key("x-synthetic"));
    /// ```
    pub fn ignore_if(mut self, ignores: impl Fn(&Incoming<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.policy.ignore = Some(Box::new(ignores));
        self
    }

    /// Puts requests of these routes into one row for each method.
    ///
    /// ```
    /// let builder = watchboard::Monitor::builder().group("/assets/*", "assets");
    /// ```
    pub fn group(mut self, route: impl Into<String>, row: impl Into<String>) -> Self {
        self.policy.rules.group(route, row);
        self
    }

    /// Puts requests into the row that `row` names; for `None` into the row of their route. It runs for every request, before the
    /// handler. Name few rows: each counts against the [limit](Self::max_endpoints).
    ///
    /// ```
    /// let builder = watchboard::Monitor::builder()
    ///     .group_by(|request| request.headers().contains_key("x-batch").then(|| "batch".into()));
    /// ```
    pub fn group_by(
        mut self,
        row: impl Fn(&Incoming<'_>) -> Option<Cow<'static, str>> + Send + Sync + 'static,
    ) -> Self {
        self.policy.group = Some(Box::new(row));
        self
    }

    /// Names requests that no route of axum matches: for a proxied application, or a service that is no axum router.
    ///
    /// ```
    /// use watchboard::{Monitor, Routes};
    ///
    /// let builder = Monitor::builder().routes(Routes::default());
    /// ```
    pub fn routes(mut self, routes: Routes) -> Self {
        self.policy.routes = Some(routes);
        self
    }

    /// Limits the endpoints with a row of their own, 512 by default. Requests of further endpoints share the `(other)` row of their
    /// method. An endpoint takes some 10 KB, and the history of a busy day 60 KB more. Ignored and grouped routes do not count.
    ///
    /// ```
    /// let builder = watchboard::Monitor::builder().max_endpoints(200);
    /// ```
    pub fn max_endpoints(mut self, most: usize) -> Self {
        self.policy.max_endpoints = most;
        self
    }

    /// Sets the latency that requests should keep, 500 ms by default. An endpoint with a p99 above it is a finding.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let builder = watchboard::Monitor::builder().objective(Duration::from_millis(300));
    /// ```
    pub fn objective(mut self, objective: Duration) -> Self {
        self.policy.rules.objective(objective);
        self
    }

    /// Sets the latency objective of some routes. If several rules match a route, the first counts.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let builder = watchboard::Monitor::builder().objective_of("/reports/{id}", Duration::from_secs(5));
    /// ```
    pub fn objective_of(mut self, route: impl Into<String>, objective: Duration) -> Self {
        self.policy.rules.objective_of(route, objective);
        self
    }

    /// Shows a bound of the server around the application: how many of its places are taken. A full one is a finding.
    ///
    /// ```
    /// use watchboard::{Capacity, Monitor};
    ///
    /// let tunnels = Capacity::new("tunnels", 1000);
    /// let builder = Monitor::builder().capacity(&tunnels);
    /// ```
    pub fn capacity(mut self, capacity: &Capacity) -> Self {
        self.policy.capacities.push(capacity.clone());
        self
    }

    /// Sends a `Server-Timing` header with the time until the response's head. The default is off: every client can read it.
    ///
    /// ```
    /// let builder = watchboard::Monitor::builder().server_timing(true);
    /// ```
    pub fn server_timing(mut self, on: bool) -> Self {
        self.policy.server_timing = on;
        self
    }

    /// Lets a handler's panic go on after it was recorded. By default the layer sends an empty 500 instead. Set it if a layer outside of the
    /// monitor's makes the response to a panic, such as tower-http's `CatchPanicLayer`. Without such a layer the connection breaks.
    ///
    /// ```
    /// let builder = watchboard::Monitor::builder().resume_panics(true);
    /// ```
    pub fn resume_panics(mut self, resume: bool) -> Self {
        self.policy.resume_panics = resume;
        self
    }

    /// Keeps the texts of errors and panics as they were. By default they are kept masked: `#` stands for all that may be data. Whole
    /// texts may hold what clients sent: passwords, addresses. Whoever sees the board sees them.
    ///
    /// ```
    /// let builder = watchboard::Monitor::builder().keep_error_text(true);
    /// ```
    pub fn keep_error_text(mut self, keep: bool) -> Self {
        self.policy.keep_error_text = keep;
        self
    }

    /// Lets `/readyz` return 503, with the reason, while the database is not healthy, so that a balancer chooses another instance.
    /// The default is off: an outage of the database would take all instances out at once.
    ///
    /// ```
    /// let builder = watchboard::Monitor::builder().ready_needs_database(true);
    /// ```
    pub fn ready_needs_database(mut self, needs: bool) -> Self {
        self.ready_needs_database = needs;
        self
    }

    /// Sets who may see the board: a function of the request's head, or a type with [`Access`].
    ///
    /// By default the board opens by a link with a token, which serves once and becomes a session. The log has the link, and
    /// [`Monitor::sign_in_link`] makes more. Only local requests are served then: a loopback peer, a local `Host`, no headers of a
    /// proxy. Serve the application by `into_make_service_with_connect_info::<SocketAddr>()` for that. `/livez` and `/readyz` stay
    /// open to all. [`LocalOnly`](crate::LocalOnly) admits local requests without a link.
    ///
    /// ```
    /// use axum::http::request::Parts;
    ///
    /// // Something in front of the board asks for credentials already.
    /// let builder = watchboard::Monitor::builder().access(|_: &Parts| true);
    /// ```
    pub fn access(mut self, access: impl Access) -> Self {
        self.access = Some(AccessPolicy::new(access));
        self
    }

    /// Sets the board's URL, as the links in the log have it. Without it they have only the path.
    ///
    /// ```
    /// let builder = watchboard::Monitor::builder().url("http://127.0.0.1:8080/ops/board");
    /// ```
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// Links the page's requests to their traces in your own tool: a template of its URLs with `{trace_id}` or `{request_id}`.
    ///
    /// ```
    /// # fn main() -> Result<(), watchboard::TraceUrlError> {
    /// let builder = watchboard::Monitor::builder().trace_url("https://jaeger.local/trace/{trace_id}".parse()?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn trace_url(mut self, template: TraceUrl) -> Self {
        self.trace_url = Some(template);
        self
    }

    /// Says where clients send their requests, if that is not where the application listens: a board without requests tells it. A proxy sets it.
    ///
    /// ```
    /// let builder = watchboard::Monitor::builder().proxy_url("http://127.0.0.1:8000/");
    /// ```
    pub fn proxy_url(mut self, url: impl Into<String>) -> Self {
        self.proxy_url = Some(url.into());
        self
    }

    /// Keeps the history in a folder, so that its windows of up to 13 months outlive the process. One process at a time writes there. The
    /// folder is made if it is missing. Without it the history is in memory alone.
    ///
    /// ```
    /// let builder = watchboard::Monitor::builder().data_dir("/var/lib/shop/watchboard");
    /// ```
    pub fn data_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(folder.into());
        self
    }

    /// Bounds what [`Builder::data_dir`] keeps, in bytes. The default is 256 MiB. When it is full, the oldest figures of the finest steps go.
    ///
    /// ```
    /// let builder = watchboard::Monitor::builder().data_dir("/var/lib/shop/watchboard").history_max_bytes(64 << 20);
    /// ```
    pub fn history_max_bytes(mut self, bytes: u64) -> Self {
        self.history_max_bytes = Some(bytes);
        self
    }

    /// Sets for how long [`Builder::data_dir`] keeps steps of a length: at least 15 minutes, and as far as [`Builder::history_max_bytes`] lets it.
    ///
    /// ```
    /// use std::time::Duration;
    /// use watchboard::{HistoryStep, Monitor};
    ///
    /// let month = Duration::from_hours(31 * 24);
    /// let builder = Monitor::builder().data_dir("/var/lib/shop/watchboard").history_keep(HistoryStep::Minute, month);
    /// ```
    pub fn history_keep(mut self, step: HistoryStep, time: Duration) -> Self {
        self.history_keep.set(step, time.max(Duration::from_mins(15)));
        self
    }

    /// Joins a fleet: all instances that name the same database of a MongoDB, by default `watchboard`. Each writes its figures there every ten
    /// seconds, so that the board of any shows one or all. In an outage [`Builder::data_dir`] keeps what MongoDB lacks, or else memory.
    ///
    /// ```
    /// let builder = watchboard::Monitor::builder().fleet("mongodb://watchboard@mongo.internal/watchboard").instance("web-1");
    /// ```
    #[cfg(feature = "mongodb")]
    #[cfg_attr(docsrs, doc(cfg(feature = "mongodb")))]
    pub fn fleet(mut self, uri: impl Into<String>) -> Self {
        self.fleet.uri = Some(uri.into());
        self
    }

    /// Sets the name of this instance in the [fleet](Self::fleet), which keeps it over restarts; no other process may have it. The default is
    /// the name of the machine. With an empty name the board shows the fleet, and is no instance of it.
    ///
    /// ```
    /// let builder = watchboard::Monitor::builder().fleet("mongodb://mongo.internal").instance("web-1");
    /// ```
    #[cfg(feature = "mongodb")]
    #[cfg_attr(docsrs, doc(cfg(feature = "mongodb")))]
    pub fn instance(mut self, name: impl Into<String>) -> Self {
        self.fleet.instance = Some(name.into());
        self
    }

    /// Starts the monitor.
    ///
    /// ```no_run
    /// let monitor = watchboard::Monitor::builder().build();
    /// let app: axum::Router = monitor.watch(axum::Router::new(), "/ops/board");
    /// ```
    pub fn build(self) -> Monitor {
        let name = self.service.or_else(|| self.target.is_none().then(executable_name));
        let version = version(self.version, self.target.is_none());
        let max_bytes = self.history_max_bytes.unwrap_or(HISTORY_MAX_BYTES);
        let fleet =
            self.fleet.options((name.clone(), version.clone(), self.url.clone()), (max_bytes, self.history_keep));
        let service = ServiceLabel { name, trace_url: self.trace_url, version, proxy_url: self.proxy_url };
        let (access, links) = if let Some(access) = self.access {
            (access, None)
        } else {
            let links = SignInLinks::new(self.url);
            (AccessPolicy::new(links.clone()), Some(links))
        };
        Monitor::start(
            service,
            self.target,
            self.database,
            self.policy,
            self.ready_needs_database,
            (access, links),
            (self.data_dir.map(|path| HistoryFolder { path, max_bytes, kept_times: self.history_keep }), fleet),
        )
    }
}
