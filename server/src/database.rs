//! Database health: the probe, and how an application names its database. Knows neither the pages nor the monitor.

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
use self::probe::DatabaseSource;
pub(crate) use probe::{Probe, ProbeResult};

/// The database to watch: the options of a MongoDB client, a client, a connection string, or `()` for no database.
///
/// Prefer options or a connection string: the monitor then probes on a small client of its own, with short time-outs. The driver
/// does not reveal the options of a `Client`, so the probe shares its connections.
///
/// ```
/// use watchboard::{Database, Monitor};
///
/// let builder = Monitor::builder().database(Database::default()); // no database, as `()`
/// ```
#[derive(Clone, Default)]
pub struct Database(DatabaseTarget);

#[derive(Clone, Default)]
enum DatabaseTarget {
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

impl DatabaseTarget {
    /// The source that the probe asks; writes the known facts into `database`. `None` if nothing is configured.
    #[cfg_attr(
        not(any(feature = "mongodb", feature = "sqlite")),
        expect(unused_variables, reason = "nothing can be configured")
    )]
    fn source(self, database: &mut wire::DatabaseHealth) -> Option<Box<dyn DatabaseSource>> {
        match self {
            Self::NotConfigured => None,
            #[cfg(feature = "mongodb")]
            Self::Uri(uri) => Some(Box::new(MongoDb::from_uri(uri, database))),
            #[cfg(feature = "mongodb")]
            Self::Options(options) => Some(Box::new(MongoDb::from_options(*options, database))),
            #[cfg(feature = "mongodb")]
            Self::Client(client) => Some(Box::new(MongoDb::from_client(client, database))),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(path) => Some(Box::new(sqlite::Sqlite::new(path, database))),
        }
    }
}

impl Database {
    /// The MongoDB of a connection string, `mongodb://…`. If the string cannot be used, the board says why.
    ///
    /// ```
    /// let database = watchboard::Database::from_uri("mongodb://127.0.0.1:27017/shop");
    /// ```
    #[cfg(feature = "mongodb")]
    #[cfg_attr(docsrs, doc(cfg(feature = "mongodb")))]
    pub fn from_uri(uri: impl Into<String>) -> Self {
        Self(DatabaseTarget::Uri(uri.into()))
    }

    /// The SQLite database in a file. Each question opens the file for reading; nothing creates it.
    ///
    /// ```
    /// let database = watchboard::Database::sqlite("shop.db");
    /// ```
    #[cfg(feature = "sqlite")]
    #[cfg_attr(docsrs, doc(cfg(feature = "sqlite")))]
    pub fn sqlite(path: impl Into<std::path::PathBuf>) -> Self {
        Self(DatabaseTarget::Sqlite(path.into()))
    }

    /// Whether there is a database to watch.
    pub(crate) fn is_configured(&self) -> bool {
        !matches!(self.0, DatabaseTarget::NotConfigured)
    }

    /// The probe of this database.
    pub(crate) fn into_probe(self) -> Probe {
        let mut health = wire::DatabaseHealth::default();
        let source = self.0.source(&mut health);
        Probe::new(source, health)
    }
}

/// Only its kind: a connection string has a password.
impl fmt::Debug for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            DatabaseTarget::NotConfigured => "NotConfigured",
            #[cfg(feature = "mongodb")]
            DatabaseTarget::Uri(_) => "Uri",
            #[cfg(feature = "mongodb")]
            DatabaseTarget::Options(_) => "Options",
            #[cfg(feature = "mongodb")]
            DatabaseTarget::Client(_) => "Client",
            #[cfg(feature = "sqlite")]
            DatabaseTarget::Sqlite(_) => "Sqlite",
        };
        write!(formatter, "Database({name})")
    }
}

impl From<()> for Database {
    fn from((): ()) -> Self {
        Self(DatabaseTarget::NotConfigured)
    }
}

#[cfg(feature = "mongodb")]
#[cfg_attr(docsrs, doc(cfg(feature = "mongodb")))]
impl From<ClientOptions> for Database {
    fn from(options: ClientOptions) -> Self {
        Self(DatabaseTarget::Options(Box::new(options)))
    }
}

#[cfg(feature = "mongodb")]
#[cfg_attr(docsrs, doc(cfg(feature = "mongodb")))]
impl From<Client> for Database {
    fn from(client: Client) -> Self {
        Self(DatabaseTarget::Client(client))
    }
}

impl<T: Into<Database>> From<Option<T>> for Database {
    fn from(database: Option<T>) -> Self {
        database.map_or_else(Self::default, Into::into)
    }
}
