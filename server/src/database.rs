//! Database health: what the probe finds, and how an application hands its database over. Knows neither the pages nor the monitor.

#[cfg(feature = "mongodb")]
pub(crate) mod mongodb;
mod probe;
#[cfg(feature = "mongodb")]
mod reachability;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::fmt;

#[cfg(feature = "mongodb")]
use ::mongodb::{Client, options::ClientOptions};
use watchboard_wire as wire;

#[cfg(feature = "mongodb")]
use self::mongodb::MongoDb;
use self::probe::Source;
pub(crate) use probe::{Probe, ProbeResult};

/// The database to watch: a MongoDB client's options, a client, a connection string, or `()` for none.
///
/// Options and connection strings are the better gift: the monitor then probes on a small client of its own, with short
/// time-outs. From a [`Client`] its options cannot be read, so the probe shares its pool.
#[derive(Clone, Default)]
pub struct Database(pub(crate) Target);

#[derive(Clone, Default)]
pub(crate) enum Target {
    #[default]
    NotConfigured,
    #[cfg(feature = "mongodb")]
    Uri(String),
    #[cfg(feature = "mongodb")]
    Options(Box<ClientOptions>),
    #[cfg(feature = "mongodb")]
    Client(Client),
    #[cfg(feature = "sqlite")]
    Sqlite(std::path::PathBuf),
}

impl Target {
    /// What the probe asks, and in `database` what is known of it before; none where nothing is configured.
    #[cfg_attr(
        not(any(feature = "mongodb", feature = "sqlite")),
        expect(unused_variables, reason = "nothing can be configured")
    )]
    fn source(self, database: &mut wire::DatabaseHealth) -> Option<Box<dyn Source>> {
        match self {
            Self::NotConfigured => None,
            #[cfg(feature = "mongodb")]
            Self::Uri(uri) => Some(Box::new(MongoDb::of_uri(uri, database))),
            #[cfg(feature = "mongodb")]
            Self::Options(options) => Some(Box::new(MongoDb::of_options(*options, database))),
            #[cfg(feature = "mongodb")]
            Self::Client(client) => Some(Box::new(MongoDb::of_client(client, database))),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(path) => Some(Box::new(sqlite::Sqlite::new(path, database))),
        }
    }
}

impl Database {
    /// The database of a connection string, `mongodb://…`; a string that cannot be used shows on the board as such.
    #[cfg(feature = "mongodb")]
    pub fn from_uri(uri: impl Into<String>) -> Self {
        Self(Target::Uri(uri.into()))
    }

    /// The SQLite database in a file, opened to be read alone, anew for each question; it is never created. With the feature
    /// `sqlite`.
    #[cfg(feature = "sqlite")]
    pub fn sqlite(path: impl Into<std::path::PathBuf>) -> Self {
        Self(Target::Sqlite(path.into()))
    }
}

/// Without what is in it: a connection string has a password.
impl fmt::Debug for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            Target::NotConfigured => "NotConfigured",
            #[cfg(feature = "mongodb")]
            Target::Uri(_) => "Uri",
            #[cfg(feature = "mongodb")]
            Target::Options(_) => "Options",
            #[cfg(feature = "mongodb")]
            Target::Client(_) => "Client",
            #[cfg(feature = "sqlite")]
            Target::Sqlite(_) => "Sqlite",
        };
        write!(formatter, "Database({name})")
    }
}

impl From<()> for Database {
    fn from((): ()) -> Self {
        Self(Target::NotConfigured)
    }
}

#[cfg(feature = "mongodb")]
impl From<ClientOptions> for Database {
    fn from(options: ClientOptions) -> Self {
        Self(Target::Options(Box::new(options)))
    }
}

#[cfg(feature = "mongodb")]
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
