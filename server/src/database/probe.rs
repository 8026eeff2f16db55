//! The probe: once a second it says `hello` on a client of the monitor's own, within a time of its own. It never touches the application's calls.

use std::time::Duration;

use mongodb::{
    Client,
    bson::{Document, doc},
    options::ClientOptions,
};
use tokio::time::{Instant, timeout};
use watchboard_app::wire::{Database, DatabaseFailure, DatabaseServer, DatabaseState, FailureKind};

use super::{
    APP_NAME, Target,
    classify::{classify, no_answer},
    server::ServerState,
};
use crate::clock::now_unix_ms;

/// How long the driver may look for a usable server. Shorter than [`ANSWER_WITHIN`], or "refused" would show as a time-out.
const SELECT_WITHIN: Duration = Duration::from_secs(1);
/// How long a whole probe may take.
const ANSWER_WITHIN: Duration = Duration::from_millis(1800);
/// One connection for the probe, one to replace it when it hangs.
const POOL: u32 = 2;

/// What a round found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    pub(crate) database: Database,
    /// The server's own state; none before it has told any of it.
    pub(crate) server: Option<DatabaseServer>,
}

/// Probes one database and remembers what it found.
pub(crate) struct Probe {
    target: Target,
    client: Option<Client>,
    found: Found,
    server: ServerState,
}

impl Probe {
    /// A probe, and what is known before its first round.
    pub(crate) fn new(target: Target) -> Self {
        let state = match target {
            Target::NotConfigured => DatabaseState::NotConfigured,
            _ => DatabaseState::Connecting,
        };
        let database = Database { state, since_unix_ms: now_unix_ms(), ..Database::default() };
        let found = Found { database, server: None };
        Self { target, client: None, found, server: ServerState::default() }
    }

    pub(crate) fn is_configured(&self) -> bool {
        !matches!(self.target, Target::NotConfigured)
    }

    pub(crate) fn found(&self) -> &Found {
        &self.found
    }

    /// One round: takes at most [`ANSWER_WITHIN`] and a little, and cannot fail but only find a failure. `watched` while somebody
    /// looks at the database view.
    pub(crate) async fn round(&mut self, watched: bool) {
        let started = Instant::now();
        let answer = match timeout(ANSWER_WITHIN, self.ask()).await {
            Ok(answer) => answer,
            Err(_) => Err(no_answer()),
        };
        let now = now_unix_ms();
        let found = &mut self.found.database;
        found.probed_at_unix_ms = Some(now);
        let state = match answer {
            Ok(()) => {
                found.answered_at_unix_ms = Some(now);
                found.latency_us = Some(started.elapsed().as_micros() as u64);
                DatabaseState::Healthy
            }
            Err(failure) => DatabaseState::Failed(failure),
        };
        if state != found.state {
            found.since_unix_ms = now;
            found.state = state;
        }
        if let (DatabaseState::Healthy, Some(client)) = (&self.found.database.state, &self.client) {
            self.server.read(client, watched).await;
            self.found.server = Some(self.server.found().clone());
        }
    }

    async fn ask(&mut self) -> Result<(), DatabaseFailure> {
        let client = self.client().await?;
        let admin = client.database("admin");
        let hello = admin.run_command(doc! { "hello": 1 }).await.map_err(|error| classify(&error))?;
        self.found.database.topology = Some(topology(&hello));
        if self.found.database.server_version.is_none() || self.found.database.state != DatabaseState::Healthy {
            // After an outage it may be another server.
            let build = admin.run_command(doc! { "buildInfo": 1 }).await.map_err(|error| classify(&error))?;
            self.found.database.server_version = build.get_str("version").ok().map(ToOwned::to_owned);
        }
        Ok(())
    }

    /// The client, made at the first round; a target that no client can be made of is tried again.
    async fn client(&mut self) -> Result<Client, DatabaseFailure> {
        if let Some(client) = &self.client {
            return Ok(client.clone());
        }
        let client = match &self.target {
            Target::NotConfigured => return Err(bad_target("no database is configured")),
            Target::Client(client) => {
                "the application's client".clone_into(&mut self.found.database.hosts);
                client.clone()
            }
            Target::Uri(uri) => {
                let options = ClientOptions::parse(uri).await.map_err(|error| classify(&error))?;
                self.own_client(options)?
            }
            Target::Options(options) => self.own_client(ClientOptions::clone(options))?,
        };
        Ok(self.client.insert(client).clone())
    }

    fn own_client(&mut self, mut options: ClientOptions) -> Result<Client, DatabaseFailure> {
        let hosts: Vec<String> = options.hosts.iter().map(ToString::to_string).collect();
        self.found.database.hosts = hosts.join(", ");
        options.app_name = Some(APP_NAME.to_owned());
        options.max_pool_size = Some(POOL);
        options.min_pool_size = None;
        options.server_selection_timeout = Some(SELECT_WITHIN);
        options.connect_timeout = Some(ANSWER_WITHIN);
        // The application's handlers are for its own client's events.
        options.command_event_handler = None;
        options.cmap_event_handler = None;
        options.sdam_event_handler = None;
        Client::with_options(options).map_err(|error| classify(&error))
    }
}

fn bad_target(detail: &str) -> DatabaseFailure {
    DatabaseFailure { kind: FailureKind::BadUri, detail: detail.to_owned() }
}

/// What `hello` says of the server's place.
fn topology(hello: &Document) -> String {
    if hello.get_str("msg").is_ok_and(|message| message == "isdbgrid") {
        return "sharded cluster".to_owned();
    }
    let Ok(set) = hello.get_str("setName") else { return "standalone".to_owned() };
    let is = |field| hello.get_bool(field).unwrap_or(false);
    let role = match (is("isWritablePrimary"), is("secondary")) {
        (true, _) => "primary",
        (_, true) => "secondary",
        _ => "no primary",
    };
    format!("replica set {set} ({role})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hello_tells_the_place() {
        assert_eq!(topology(&doc! { "isWritablePrimary": true }), "standalone");
        assert_eq!(topology(&doc! { "setName": "rs0", "isWritablePrimary": true }), "replica set rs0 (primary)");
        assert_eq!(topology(&doc! { "setName": "rs0", "secondary": true }), "replica set rs0 (secondary)");
        assert_eq!(topology(&doc! { "msg": "isdbgrid" }), "sharded cluster");
    }

    #[tokio::test]
    async fn a_bad_connection_string_is_named_without_its_secrets() {
        let mut probe = Probe::new(Target::Uri("mongodb://user:s3cret@host:1/?socketTimeoutMS=oops".to_owned()));
        probe.round(false).await;
        let text = probe.found().database.status_text();
        assert!(text.starts_with("error: bad connection string: "), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
    }
}
