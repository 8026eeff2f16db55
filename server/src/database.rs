//! Database health: what the probe finds, and how an application hands its database over. Knows neither the pages nor the monitor.

mod classify;
mod listener;
mod probe;
mod server;

use mongodb::{Client, options::ClientOptions};

pub(crate) use listener::{CHECK_OUT, CommandReader, Listener, TakenShape};
pub(crate) use probe::{Found, Probe};

/// What the monitor's own client calls itself.
const APP_NAME: &str = "watchboard";

/// The database to watch: a MongoDB client's options, a client, a connection string, or `()` for none.
///
/// Options and connection strings are the better gift: the monitor then probes on a small client of its own, with short
/// time-outs. From a [`Client`] its options cannot be read, so the probe shares its pool.
#[derive(Clone, Debug, Default)]
pub struct Database(pub(crate) Target);

#[derive(Clone, Debug, Default)]
pub(crate) enum Target {
    #[default]
    NotConfigured,
    Uri(String),
    Options(Box<ClientOptions>),
    Client(Client),
}

impl Database {
    /// The database of a connection string, `mongodb://…`; a string that cannot be used shows on the board as such.
    pub fn from_uri(uri: impl Into<String>) -> Self {
        Self(Target::Uri(uri.into()))
    }
}

impl From<()> for Database {
    fn from((): ()) -> Self {
        Self(Target::NotConfigured)
    }
}

impl From<ClientOptions> for Database {
    fn from(options: ClientOptions) -> Self {
        Self(Target::Options(Box::new(options)))
    }
}

impl From<Client> for Database {
    fn from(client: Client) -> Self {
        Self(Target::Client(client))
    }
}

impl<T: Into<Database>> From<Option<T>> for Database {
    fn from(database: Option<T>) -> Self {
        database.map_or_else(Self::default, Into::into)
    }
}
