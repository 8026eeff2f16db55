//! MongoDB, asked by `hello` on a client of the monitor's own that is made once.

pub(crate) mod classify;
mod members;
mod rights;
mod secrets;
mod server;

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use mongodb::{
    Client,
    bson::{Document, doc},
    error::Error,
    event::EventHandler,
    options::ClientOptions,
};
use tokio::time::Instant;
use watchboard_wire as wire;
use watchboard_wire::{DatabaseFailure, DatabaseState, FailureKind};

use self::{
    classify::Verdict,
    members::Members,
    rights::{Login, Rights},
    server::ServerState,
};
use super::{
    probe::{ProbeResult, Source},
    reachability::{Reachability, reachability},
};

/// How long the driver may look for a usable server: shorter than a whole answer may take, or its reasons would show as a time-out.
const SELECT_WITHIN: Duration = Duration::from_secs(1);
/// How long a connection may take, and a monitor's answer.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);
/// How often the driver looks at each server: its least. With its usual ten seconds it would hold on to a frozen one for as long.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// One connection for the probe, one to replace it when it hangs.
const POOL: u32 = 2;

/// What the monitor's own client calls itself.
const APP_NAME: &str = "watchboard";

/// A MongoDB to ask.
pub(super) struct MongoDb {
    /// The connection string, until its options are known.
    uri: Option<String>,
    /// What the client is made of; none where it is the application's.
    options: Option<ClientOptions>,
    client: Option<Client>,
    members: Arc<Members>,
    login: Login,
    server: ServerState,
}

impl MongoDb {
    pub(super) fn of_uri(uri: String, database: &mut wire::DatabaseHealth) -> Self {
        Self::new(Some(uri), None, database)
    }

    pub(super) fn of_options(options: ClientOptions, database: &mut wire::DatabaseHealth) -> Self {
        Self { options: Some(options), ..Self::new(None, None, database) }
    }

    /// Nothing is known of an application's client but that it asks and answers.
    pub(super) fn of_client(client: Client, database: &mut wire::DatabaseHealth) -> Self {
        "the application's client".clone_into(&mut database.hosts);
        Self::new(None, Some(client), database)
    }

    fn new(uri: Option<String>, client: Option<Client>, database: &mut wire::DatabaseHealth) -> Self {
        "MongoDB".clone_into(&mut database.kind);
        Self {
            uri,
            options: None,
            client,
            members: Arc::default(),
            login: Login::default(),
            server: ServerState::default(),
        }
    }

    async fn round(&mut self, found: &mut ProbeResult) -> Result<Duration, DatabaseFailure> {
        let client = self.client(found).await?;
        let admin = client.database("admin");
        let started = Instant::now();
        let hello = match admin.run_command(doc! { "hello": 1 }).await {
            Ok(hello) => hello,
            Err(error) => return Err(self.why(&error).await),
        };
        let round_trip = started.elapsed();
        found.database.topology = Some(topology(&hello));
        if found.database.server_version.is_none() || found.database.state != DatabaseState::Healthy {
            // After an outage it may be another server. One that asks for a login before it tells is no failure.
            if let Ok(build) = admin.run_command(doc! { "buildInfo": 1 }).await {
                found.database.server_version = build.get_str("version").ok().map(ToOwned::to_owned);
            }
        }
        takes_writes(&hello)?;
        if self.options.is_some() {
            self.may_work(&admin).await?;
        }
        Ok(round_trip)
    }

    async fn may_work(&mut self, admin: &mongodb::Database) -> Result<(), DatabaseFailure> {
        match rights::check(admin, &self.login).await {
            Ok(Rights::Enough) => Ok(()),
            Ok(Rights::Lacking(failure)) => Err(failure),
            Ok(Rights::Lost) => {
                // Connections that lost their login never get it again, even when the user is back.
                self.client = None;
                let detail = "the user is not there any more: it was dropped, or its connections were logged out";
                Err(DatabaseFailure::new(FailureKind::AuthenticationFailed, detail))
            }
            Err(error) => Err(self.why(&error).await),
        }
    }

    /// The client, made at the first round; of a connection string that cannot be used it is tried again.
    async fn client(&mut self, found: &mut ProbeResult) -> Result<Client, DatabaseFailure> {
        if let Some(client) = &self.client {
            return Ok(client.clone());
        }
        if let Some(uri) = &self.uri {
            let options = match ClientOptions::parse(uri).await {
                Ok(options) => options,
                Err(error) => return Err(unusable(uri, &error)),
            };
            self.options = Some(options);
            self.uri = None;
        }
        let Some(options) = &self.options else {
            return Err(DatabaseFailure::new(FailureKind::Other, "there is no client to ask with"));
        };
        let hosts: Vec<String> = options.hosts.iter().map(ToString::to_string).collect();
        found.database.hosts = hosts.join(", ");
        self.login = Login::of(options);
        self.members = Arc::default();
        let client = Client::with_options(own(options.clone(), Arc::clone(&self.members))).map_err(|error| {
            // The driver judges options that go together only here; it says nothing of what they hold.
            match classify::told(&error, false) {
                Verdict::Failure(failure) if failure.kind == FailureKind::BadUri => failure,
                _ => DatabaseFailure::new(FailureKind::BadUri, "its options cannot be used together"),
            }
        })?;
        Ok(self.client.insert(client).clone())
    }

    /// Why the driver could not ask.
    async fn why(&mut self, error: &Error) -> DatabaseFailure {
        let tls = self.tls();
        let told = match classify::told(error, tls) {
            Verdict::NoServer => self.members.why_none(tls).unwrap_or_else(|| match &self.options {
                Some(_) => Verdict::Silence,
                None => Verdict::Failure(classify::by_text(error)),
            }),
            Verdict::GivenUp => self.members.failing(tls).unwrap_or(Verdict::Broken),
            told => told,
        };
        match told {
            Verdict::Failure(failure) => failure,
            Verdict::Silence | Verdict::NoServer => self.silence(classify::frozen()).await,
            Verdict::Broken | Verdict::GivenUp => self.silence(classify::broken_off()).await,
        }
    }

    /// What a connection meets that is made now; `open` where one is taken.
    async fn silence(&mut self, open: DatabaseFailure) -> DatabaseFailure {
        match reachability(&self.addresses()).await {
            Some(Reachability::Accepts) => open,
            Some(Reachability::Refuses) => classify::refused(),
            Some(Reachability::Unroutable) => classify::nowhere(),
            Some(Reachability::Silent) | None => classify::silent(),
        }
    }

    fn addresses(&self) -> Vec<String> {
        let met = self.members.addresses();
        match &self.options {
            Some(options) if met.is_empty() => options.hosts.iter().map(ToString::to_string).collect(),
            _ => met,
        }
    }

    fn tls(&self) -> bool {
        self.options.as_ref().is_some_and(|options| matches!(options.tls, Some(mongodb::options::Tls::Enabled(_))))
    }
}

impl Source for MongoDb {
    fn ask<'a>(&'a mut self, found: &'a mut ProbeResult) -> BoxFuture<'a, Result<Duration, DatabaseFailure>> {
        Box::pin(self.round(found))
    }

    fn tell<'a>(&'a mut self, found: &'a mut ProbeResult, watched: bool) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            // The application's own client is not burdened with it.
            if let (Some(client), Some(_)) = (&self.client, &self.options) {
                self.server.read(client, watched).await;
                found.server = Some(self.server.found().clone());
            }
        })
    }

    fn overdue(&mut self) -> BoxFuture<'_, DatabaseFailure> {
        if self.options.is_none() {
            let detail =
                "no answer over the application's client: the server, its network, or all its connections are busy";
            return Box::pin(std::future::ready(DatabaseFailure::new(FailureKind::TimedOut, detail)));
        }
        Box::pin(self.silence(classify::frozen()))
    }
}

/// The options of a client of the monitor's own.
fn own(mut options: ClientOptions, members: Arc<Members>) -> ClientOptions {
    options.app_name = Some(APP_NAME.to_owned());
    options.max_pool_size = Some(POOL);
    options.min_pool_size = None;
    options.server_selection_timeout = Some(SELECT_WITHIN);
    options.connect_timeout = Some(CONNECT_WITHIN);
    options.heartbeat_freq = Some(LOOK_EVERY);
    // The primary's own state is asked for, however the application reads.
    options.selection_criteria = None;
    options.read_concern = None;
    options.write_concern = None;
    // The application's handlers are for its own client's events.
    options.command_event_handler = None;
    options.cmap_event_handler = None;
    options.sdam_event_handler = Some(EventHandler::callback(move |event| members.note(event)));
    options
}

fn unusable(uri: &str, error: &Error) -> DatabaseFailure {
    match classify::told(error, false) {
        // Of a connection string with +srv the hosts are looked up.
        Verdict::Failure(failure) if failure.kind == FailureKind::Unreachable => failure,
        Verdict::Silence | Verdict::Broken => classify::no_name(),
        _ => DatabaseFailure::new(FailureKind::BadUri, secrets::reason(uri, error)),
    }
}

/// What `hello` says of the server's place.
fn topology(hello: &Document) -> String {
    if hello.get_str("msg").is_ok_and(|message| message == "isdbgrid") {
        return "sharded cluster".to_owned();
    }
    let Ok(set) = hello.get_str("setName") else { return "standalone".to_owned() };
    format!("replica set {set} ({})", role(hello))
}

/// The role of a member of a replica set.
fn role(hello: &Document) -> &'static str {
    let is = |field| hello.get_bool(field).unwrap_or(false);
    match (is("isWritablePrimary"), is("secondary"), is("arbiterOnly")) {
        (true, ..) => "primary",
        (_, true, _) => "secondary",
        (.., true) => "arbiter",
        _ => "no primary",
    }
}

/// Whether the server that answered takes writes. One that does not is met only where the connection string names it alone: the
/// driver asks primaries otherwise.
fn takes_writes(hello: &Document) -> Result<(), DatabaseFailure> {
    let is = |field| hello.get_bool(field).unwrap_or(false);
    if is("readOnly") {
        let detail = "the server was started read-only";
        return Err(DatabaseFailure::new(FailureKind::ReadOnly, detail));
    }
    if is("isWritablePrimary") {
        return Ok(());
    }
    let (kind, detail) = match (hello.get_str("setName").is_ok(), is("secondary"), hello.get_str("primary")) {
        (true, true, Ok(primary)) => (
            FailureKind::ReadOnly,
            format!("this server is a secondary, its primary is {primary}: leave directConnection out to follow it"),
        ),
        (true, true, Err(_)) => {
            (FailureKind::ReadOnly, "this server is a secondary of a set that has no primary now".to_owned())
        }
        (true, false, _) => (
            FailureKind::NoPrimary,
            "this server is neither primary nor secondary: it starts, recovers or only votes".to_owned(),
        ),
        (false, ..) => {
            (FailureKind::NoPrimary, "this server's replica set is not initiated, or has removed it".to_owned())
        }
    };
    Err(DatabaseFailure::new(kind, detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::{Probe, Target};

    #[test]
    fn hello_tells_the_place() {
        assert_eq!(topology(&doc! { "isWritablePrimary": true }), "standalone");
        assert_eq!(topology(&doc! { "setName": "rs0", "isWritablePrimary": true }), "replica set rs0 (primary)");
        assert_eq!(topology(&doc! { "setName": "rs0", "secondary": true }), "replica set rs0 (secondary)");
        assert_eq!(topology(&doc! { "setName": "rs0", "arbiterOnly": true }), "replica set rs0 (arbiter)");
        assert_eq!(topology(&doc! { "msg": "isdbgrid" }), "sharded cluster");
    }

    #[test]
    fn a_server_that_takes_no_writes_is_named() {
        let kind = |hello| takes_writes(&hello).err().map(|failure| failure.kind);
        assert_eq!(kind(doc! { "isWritablePrimary": true }), None);
        assert_eq!(kind(doc! { "isWritablePrimary": true, "readOnly": true }), Some(FailureKind::ReadOnly));
        assert_eq!(kind(doc! { "setName": "rs0", "secondary": true, "primary": "a:1" }), Some(FailureKind::ReadOnly));
        assert_eq!(kind(doc! { "setName": "rs0", "isWritablePrimary": false }), Some(FailureKind::NoPrimary));
        assert_eq!(kind(doc! { "isreplicaset": true, "isWritablePrimary": false }), Some(FailureKind::NoPrimary));
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
