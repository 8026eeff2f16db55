//! How a monitor is made: what it is called, which database it watches, and what the host decides of requests.

use std::{borrow::Cow, time::Duration};

use crate::{
    Access, Incoming, Monitor,
    board::access::AccessPolicy,
    database::{Database, Probe},
    memory::Watch,
    requests::{Policy, Routes},
};

/// How a monitor is made.
///
/// A route is named by its template, `/users/{id}`, or several by their common beginning, `/internal/*`.
#[derive(Debug, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct Builder {
    service: Option<String>,
    watch: Option<Watch>,
    database: Database,
    policy: Policy,
    ready_needs_database: bool,
    access: AccessPolicy,
}

impl Builder {
    /// The name of the watched application; that of its executable otherwise.
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.service = Some(name.into());
        self
    }

    /// Another process to watch the memory of than this one, with all that descend from it: for a monitor that stands in front of an
    /// application instead of within. What only a program itself can tell, as which endpoint allocates, is then not shown.
    pub fn watch_process(mut self, watch: Watch) -> Self {
        self.watch = Some(watch);
        self
    }

    /// Another database to watch, as `Database::sqlite("shop.db")`; of several calls the last counts.
    pub fn database(mut self, database: impl Into<Database>) -> Self {
        self.database = database.into();
        self
    }

    /// The MongoDB to watch: [`ClientOptions`](mongodb::options::ClientOptions), a [`Client`](mongodb::Client), or a
    /// [connection string](Database::from_uri).
    #[cfg(feature = "mongodb")]
    pub fn mongodb(mut self, database: impl Into<Database>) -> Self {
        self.database = database.into();
        self
    }

    /// Requests of these routes are not recorded: `/livez`, `/internal/*`; `(unmatched)` for those of no route.
    pub fn ignore(mut self, route: impl Into<String>) -> Self {
        self.policy.rules.ignore(route);
        self
    }

    /// Requests for which `ignores` holds are not recorded. It runs for every request, before the handler.
    pub fn ignore_if(mut self, ignores: impl Fn(&Incoming<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.policy.ignore = Some(Box::new(ignores));
        self
    }

    /// Requests of these routes share one row of their method: `.group("/assets/*", "assets")`.
    pub fn group(mut self, route: impl Into<String>, row: impl Into<String>) -> Self {
        self.policy.rules.group(route, row);
        self
    }

    /// The row of a request, where `row` names one; its route otherwise. It runs for every request, before the handler. Name
    /// few rows: each counts against the [cap](Self::max_endpoints).
    pub fn group_by(
        mut self,
        row: impl Fn(&Incoming<'_>) -> Option<Cow<'static, str>> + Send + Sync + 'static,
    ) -> Self {
        self.policy.group = Some(Box::new(row));
        self
    }

    /// Names the requests that no route of axum's matched: those of a proxied application, or of a service that is no axum router.
    pub fn routes(mut self, routes: Routes) -> Self {
        self.policy.routes = Some(routes);
        self
    }

    /// At most this many endpoints have a row of their own, 512 unless set; further ones share the `(other)` row of their
    /// method. One takes some 10 KB, and its history of a busy day another 60. What is ignored or
    /// grouped does not count.
    pub fn max_endpoints(mut self, most: usize) -> Self {
        self.policy.max_endpoints = most;
        self
    }

    /// How long requests are meant to take at most, 500 ms unless set. An endpoint whose p99 is above it is named in the
    /// board's status.
    pub fn objective(mut self, objective: Duration) -> Self {
        self.policy.rules.objective(objective);
        self
    }

    /// The same for some routes; of several that fit the first counts.
    pub fn objective_of(mut self, route: impl Into<String>, objective: Duration) -> Self {
        self.policy.rules.objective_of(route, objective);
        self
    }

    /// Tells clients the time until the response's head in a `Server-Timing` header. Off unless set: it tells strangers too.
    pub fn server_timing(mut self, on: bool) -> Self {
        self.policy.server_timing = on;
        self
    }

    /// Whether `/readyz` answers 503, with the reason, while the database is not healthy: for an application that can do nothing
    /// without it, so that a balancer sends its requests elsewhere. Off unless set, since an outage of the database would then take
    /// all its replicas out at once.
    pub fn ready_needs_database(mut self, needs: bool) -> Self {
        self.ready_needs_database = needs;
        self
    }

    /// Who may see the board: a function of the request's head, or a type that is [`Access`]. Unless it is set, only who asks from this
    /// machine itself, without a proxy between, by the name `localhost` or a loopback address; for that the application has to be served by
    /// `into_make_service_with_connect_info::<SocketAddr>()`.
    ///
    /// Where something in front of the board asks for credentials already, `access(|_: &Parts| true)` says so.
    pub fn access(mut self, access: impl Access) -> Self {
        self.access = AccessPolicy::new(access);
        self
    }

    /// Starts watching.
    pub fn build(self) -> Monitor {
        let service = self.service.or_else(|| self.watch.is_none().then(executable_name));
        let (probe, ready_needs_database) = (Probe::new(self.database.0), self.ready_needs_database);
        Monitor::start(service, self.watch, probe, self.policy, ready_needs_database, self.access)
    }
}

fn executable_name() -> String {
    let path = std::env::current_exe().ok();
    path.and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .unwrap_or_else(|| "application".to_owned())
}
