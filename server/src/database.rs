//! Database health: what the probe finds, and how an application hands its database over. Knows neither the pages nor the monitor.

mod knock;
mod mongodb;
mod probe;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::fmt;

use ::mongodb::{Client, options::ClientOptions};
use watchboard_app::wire;

pub(crate) use self::mongodb::{CHECK_OUT, CommandReader, Listener, TakenShape};
use self::{mongodb::MongoDb, probe::Source};
pub(crate) use probe::{Found, Probe};

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
    Uri(String),
    Options(Box<ClientOptions>),
    Client(Client),
    #[cfg(feature = "sqlite")]
    Sqlite(std::path::PathBuf),
}

impl Target {
    /// What the probe asks, and in `database` what is known of it before; none where nothing is configured.
    fn source(self, database: &mut wire::Database) -> Option<Box<dyn Source>> {
        match self {
            Self::NotConfigured => None,
            Self::Uri(uri) => Some(Box::new(MongoDb::of_uri(uri, database))),
            Self::Options(options) => Some(Box::new(MongoDb::of_options(*options, database))),
            Self::Client(client) => Some(Box::new(MongoDb::of_client(client, database))),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(path) => Some(Box::new(sqlite::Sqlite::new(path, database))),
        }
    }
}

impl Database {
    /// The database of a connection string, `mongodb://…`; a string that cannot be used shows on the board as such.
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
            Target::Uri(_) => "Uri",
            Target::Options(_) => "Options",
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
