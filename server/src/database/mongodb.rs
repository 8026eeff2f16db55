//! MongoDB: the probe sends `hello` on a client of the monitor's own.

pub(crate) mod classify;
mod client_options;
mod hello;
mod login_backoff;
mod members;
mod misfit;
mod rights;
mod secrets;
mod server;

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use mongodb::{
    Client,
    bson::doc,
    error::{Error, ErrorKind},
    options::ClientOptions,
};
use tokio::time::Instant;
use watchboard_wire as wire;
use watchboard_wire::{DatabaseFailure, DatabaseState, FailureKind};

use self::{
    classify::Verdict,
    client_options::probe_options,
    hello::{SelfDescription, ServerRole, takes_writes, unready, unready_state},
    login_backoff::LoginBackoff,
    members::Members,
    rights::{MongoCredentials, Rights},
    server::ServerState,
};
use super::{
    probe::{DatabaseSource, ProbeResult, SignOfLife},
    reachability::{Reachability, reachability, speaks_tls},
};

/// A MongoDB to ask.
pub(super) struct MongoDb {
    /// The connection string, until its options are known.
    uri: Option<String>,
    /// The options of the probe's client; `None` if the client is the application's.
    options: Option<ClientOptions>,
    client: Option<Client>,
    members: Arc<Members>,
    credentials: MongoCredentials,
    logins: LoginBackoff,
    server: ServerState,
    /// When the last query began.
    asked_at: std::time::Instant,
}

impl MongoDb {
    pub(super) fn from_uri(uri: String, database: &mut wire::DatabaseHealth) -> Self {
        Self::new(Some(uri), None, database)
    }

    pub(super) fn from_options(options: ClientOptions, database: &mut wire::DatabaseHealth) -> Self {
        Self { options: Some(options), ..Self::new(None, None, database) }
    }

    /// The driver does not reveal the options of an application's client.
    pub(super) fn from_client(client: Client, database: &mut wire::DatabaseHealth) -> Self {
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
            credentials: MongoCredentials::default(),
            logins: LoginBackoff::default(),
            server: ServerState::default(),
            asked_at: std::time::Instant::now(),
        }
    }

    async fn round(&mut self, result: &mut ProbeResult) -> Result<Duration, DatabaseFailure> {
        let client = self.client(result).await?;
        let admin = client.database("admin");
        let started = Instant::now();
        let hello = match admin.run_command(doc! { "hello": 1 }).await {
            Ok(hello) => hello,
            Err(error) => return Err(self.classify_failure(&error).await),
        };
        let round_trip = started.elapsed();
        let this = SelfDescription::from(&hello);
        result.database.topology = Some(this.topology());
        if result.database.server_version.is_none() || result.database.state != DatabaseState::Healthy {
            // After an outage it may be another server. A server that needs a login for its version is no failure.
            if let Ok(build) = admin.run_command(doc! { "buildInfo": 1 }).await {
                result.database.server_version = build.get_str("version").ok().map(ToOwned::to_owned);
            }
        }
        if let Err(failure) = takes_writes(&hello, &this) {
            return Err(if this.role == ServerRole::Unready {
                explain_unready(&admin, failure).await
            } else {
                failure
            });
        }
        if self.options.is_some() {
            self.check_rights(&admin).await?;
        }
        Ok(round_trip)
    }

    async fn check_rights(&mut self, admin: &mongodb::Database) -> Result<(), DatabaseFailure> {
        match rights::check(admin, &self.credentials).await {
            Ok(Rights::Enough) => Ok(()),
            Ok(Rights::Insufficient(failure)) => Err(failure),
            Ok(Rights::Lost) => {
                // Connections that lost their login never get it again, even when the user is back.
                self.client = None;
                let detail = "the user is not there any more: it was dropped, or its connections were logged out";
                Err(DatabaseFailure::new(FailureKind::AuthenticationFailed, detail))
            }
            Err(error) => Err(self.classify_failure(&error).await),
        }
    }

    /// The client, made at the first round. A connection string that cannot be used is tried again.
    async fn client(&mut self, result: &mut ProbeResult) -> Result<Client, DatabaseFailure> {
        if let Some(client) = &self.client {
            return Ok(client.clone());
        }
        if let Some(uri) = &self.uri {
            let options = match ClientOptions::parse(uri).await {
                Ok(options) => options,
                Err(error) => return Err(uri_failure(uri, &error)),
            };
            self.options = Some(options);
            self.uri = None;
        }
        let Some(options) = &self.options else {
            return Err(DatabaseFailure::new(FailureKind::Other, "there is no client to ask with"));
        };
        let hosts: Vec<String> = options.hosts.iter().map(ToString::to_string).collect();
        result.database.hosts = hosts.join(", ");
        self.credentials = MongoCredentials::from(options);
        self.members = Arc::new(Members::from(options));
        let client =
            Client::with_options(probe_options(options.clone(), Arc::clone(&self.members))).map_err(|error| {
                // Only here does the driver check options together. Its error has none of their values.
                match classify::verdict(&error, false) {
                    Verdict::Failure(failure) if failure.kind == FailureKind::BadUri => failure,
                    _ => DatabaseFailure::new(FailureKind::BadUri, "its options cannot be used together"),
                }
            })?;
        Ok(self.client.insert(client).clone())
    }

    /// Why the driver got no answer.
    async fn classify_failure(&mut self, error: &Error) -> DatabaseFailure {
        let verdict = classify::verdict(error, self.tls());
        if matches!(verdict, Verdict::NoServer)
            && let Some(failure) = self.misfit()
        {
            return failure;
        }
        if let (ErrorKind::ServerSelection { message, .. }, [(address, server), ..]) =
            (&*error.kind, &self.members.answering_seeds()[..])
            && message.contains("wire version")
        {
            return classify::incompatible(address, server.wire_versions);
        }
        let failure = self.explain(verdict, error).await;
        self.advertised(failure)
    }

    /// Why the connection string does not fit the servers that answer. The driver has given these up: a new client asks them anew.
    fn misfit(&mut self) -> Option<DatabaseFailure> {
        let failure = misfit::misfit(self.options.as_ref()?, &self.members.answering_seeds())?;
        self.client = None;
        Some(failure)
    }

    /// The failure, or that of a set that names its members as nobody here can reach them.
    fn advertised(&mut self, failure: DatabaseFailure) -> DatabaseFailure {
        let Some((address, server)) = self.members.unnamed_seed() else { return failure };
        self.client = None;
        misfit::advertised(&address, &server, &failure)
    }

    async fn explain(&mut self, verdict: Verdict, error: &Error) -> DatabaseFailure {
        let tls = self.tls();
        let verdict = match verdict {
            Verdict::NoServer => self.members.no_server_verdict(tls).unwrap_or_else(|| match &self.options {
                Some(_) => Verdict::Silence,
                None => Verdict::Failure(classify::classify_by_text(error)),
            }),
            Verdict::GivenUp => self.members.failure_verdict(tls).unwrap_or(Verdict::Broken),
            verdict => verdict,
        };
        match verdict {
            Verdict::Failure(failure) => failure,
            Verdict::Silence | Verdict::NoServer => self.try_connection(classify::no_response()).await,
            Verdict::Broken | Verdict::GivenUp if tls => self.try_connection(classify::broken_off_tls()).await,
            Verdict::Broken | Verdict::GivenUp => match self.try_connection(classify::broken_off()).await {
                failure if failure.kind == FailureKind::BrokenOff && speaks_tls(&self.addresses()).await => {
                    classify::tls_required()
                }
                failure => failure,
            },
        }
    }

    /// The failure that a plain connection finds; `accepted` if the server takes one.
    async fn try_connection(&mut self, accepted: DatabaseFailure) -> DatabaseFailure {
        match reachability(&self.addresses()).await {
            Some(Reachability::Accepts) => accepted,
            Some(Reachability::Refuses) => classify::connection_refused(),
            Some(Reachability::Unroutable) => classify::host_not_found(),
            Some(Reachability::Unresolved) => classify::no_name_in_time(),
            Some(Reachability::Silent) | None => classify::silent(),
        }
    }

    fn addresses(&self) -> Vec<String> {
        let addresses = self.members.addresses();
        match &self.options {
            Some(options) if addresses.is_empty() => options.hosts.iter().map(ToString::to_string).collect(),
            _ => addresses,
        }
    }

    fn tls(&self) -> bool {
        self.options.as_ref().is_some_and(|options| matches!(options.tls, Some(mongodb::options::Tls::Enabled(_))))
    }
}

impl DatabaseSource for MongoDb {
    fn query<'a>(&'a mut self, result: &'a mut ProbeResult) -> BoxFuture<'a, Result<Duration, DatabaseFailure>> {
        self.asked_at = std::time::Instant::now();
        Box::pin(async move {
            let outcome = self.round(result).await;
            self.logins.note(outcome)
        })
    }

    fn sign_of_life(&self) -> SignOfLife {
        let members = Arc::clone(&self.members);
        Box::new(move |since| members.has_answered_since(since))
    }

    fn is_paused(&mut self) -> bool {
        // A server that ends meanwhile is asked at once: it gets no login.
        self.logins.is_paused() && (self.client.is_none() || self.members.may_answer())
    }

    fn read_state<'a>(&'a mut self, result: &'a mut ProbeResult, watched: bool) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            // The application's own client is left alone.
            if let (Some(client), Some(_)) = (&self.client, &self.options) {
                self.server.read(client, watched).await;
                result.server = Some(self.server.state().clone());
            }
        })
    }

    fn overdue(&mut self) -> BoxFuture<'_, DatabaseFailure> {
        if self.uri.is_some() {
            // The string's own names are still looked up.
            return Box::pin(std::future::ready(classify::no_name_in_time()));
        }
        if self.options.is_none() {
            let detail =
                "no answer over the application's client: the server, its network, or all its connections are busy";
            return Box::pin(std::future::ready(DatabaseFailure::new(FailureKind::TimedOut, detail)));
        }
        Box::pin(async move {
            if let Some(failure) = self.misfit() {
                return failure;
            }
            let silent =
                if self.members.has_answered_since(self.asked_at) { classify::late() } else { classify::no_response() };
            let failure = self.try_connection(silent).await;
            self.advertised(failure)
        })
    }
}

/// The state of a member that is neither primary nor secondary, if the login may ask.
async fn explain_unready(admin: &mongodb::Database, failure: DatabaseFailure) -> DatabaseFailure {
    let status = admin.run_command(doc! { "replSetGetStatus": 1 }).await;
    match status.ok().and_then(|status| unready_state(&status)) {
        Some(state) => DatabaseFailure::new(failure.kind, unready(&format!("is {state}"))),
        None => failure,
    }
}

/// Why a connection string cannot be used.
pub(crate) fn uri_failure(uri: &str, error: &Error) -> DatabaseFailure {
    match classify::verdict(error, false) {
        // The hosts of a connection string with +srv are looked up.
        Verdict::Failure(failure) if failure.kind == FailureKind::Unreachable => failure,
        Verdict::Silence | Verdict::Broken => classify::no_name(),
        _ => DatabaseFailure::new(FailureKind::BadUri, secrets::reason(uri, error)),
    }
}

#[cfg(test)]
mod tests {
    use crate::database::Database;

    #[tokio::test]
    async fn a_bad_connection_string_is_named_without_its_secrets() {
        let mut probe = Database::from_uri("mongodb://user:s3cret@host:1/?socketTimeoutMS=oops").into_probe();
        probe.round(false).await;
        let text = probe.result().database.status_text();
        assert!(text.starts_with("error: bad connection string: "), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
    }
}
