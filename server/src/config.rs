//! The binary's flags and environment, validated once.

use std::net::SocketAddr;

use clap::{Parser, Subcommand};
use watchboard::Database;

/// The dashboard of a server: requests, memory and database on one live page.
///
/// Alone it watches its own process and, with --mongodb-uri or --sqlite, a database. `watchboard demo` starts a small web shop that is
/// watched by the library as your axum app would be, with traffic, to see a living board.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Every flag can be given by the environment: WATCHBOARD_LISTEN, WATCHBOARD_MONGODB_URI and so on.\n\
    WATCHBOARD_LOG sets what is logged: error, warn, info, debug.\n\
    Stop it with Ctrl-C or SIGTERM: requests under way are finished first.\n\n\
    Examples:\n  watchboard demo\n  watchboard --listen 127.0.0.1:9000 --mongodb-uri mongodb://127.0.0.1:27017"
)]
pub(crate) struct Config {
    /// Where to listen: an address of this machine's loopback and a port (0 for any free one).
    #[arg(long, env = "WATCHBOARD_LISTEN", default_value = "127.0.0.1:3000", value_name = "ADDRESS:PORT", value_parser = loopback, global = true)]
    pub(crate) listen: SocketAddr,

    /// The MongoDB to watch: mongodb://[USER:PASSWORD@]HOST[:PORT]. In the environment a password stays out of the process list.
    #[arg(long, env = "WATCHBOARD_MONGODB_URI", value_name = "URI", hide_env_values = true, global = true)]
    pub(crate) mongodb_uri: Option<String>,

    /// The SQLite database to watch, instead of a MongoDB: a file, opened to be read alone and never created.
    #[cfg(feature = "sqlite")]
    #[arg(long, env = "WATCHBOARD_SQLITE", value_name = "PATH", global = true)]
    pub(crate) sqlite: Option<std::path::PathBuf>,

    /// Answer 503 at /readyz while the database is not healthy. Without it /readyz only tells that the process answers.
    #[arg(long, env = "WATCHBOARD_READY_NEEDS_DATABASE", global = true)]
    pub(crate) ready_needs_database: bool,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a small web shop under /shop/, with its own traffic, watched by the board at /
    Demo {
        /// Start the shop without traffic of its own.
        #[arg(long)]
        no_traffic: bool,
    },
}

impl Config {
    /// The database to watch.
    ///
    /// # Errors
    /// Flags that do not go together, in a sentence.
    // clap's own rules do not hold across the command's name, on both sides of which flags may stand.
    pub(crate) fn database(&self) -> Result<Database, String> {
        let mongodb = self.mongodb_uri.as_deref().map(Database::from_uri);
        #[cfg(feature = "sqlite")]
        let sqlite = self.sqlite.as_deref().map(Database::sqlite);
        #[cfg(not(feature = "sqlite"))]
        let sqlite: Option<Database> = None;
        match (mongodb, sqlite) {
            (Some(_), Some(_)) => Err("one database is watched: give --mongodb-uri or --sqlite, not both".to_owned()),
            (None, None) if self.ready_needs_database => {
                Err("--ready-needs-database needs a database to watch: add --mongodb-uri".to_owned())
            }
            (mongodb, sqlite) => Ok(mongodb.or(sqlite).into()),
        }
    }
}

/// Anybody who reaches the board sees it all, and the binary has no login: it stays on this machine.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr =
        text.parse().map_err(|_| "it is not ADDRESS:PORT, as in 127.0.0.1:3000 or [::1]:3000".to_owned())?;
    if address.ip().is_loopback() {
        return Ok(address);
    }
    Err(format!(
        "{} is not a loopback address, and this board has no login: listen on 127.0.0.1:{port} and put a proxy that asks \
         for credentials in front, or reach it by `ssh -L {port}:127.0.0.1:{port}`",
        address.ip(),
        port = address.port(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Config, clap::Error> {
        Config::try_parse_from([&["watchboard"], arguments].concat())
    }

    #[test]
    fn off_loopback_it_refuses_and_says_what_to_do() {
        let error = parse(&["--listen", "0.0.0.0:3000"]).unwrap_err().to_string();
        assert!(error.contains("0.0.0.0 is not a loopback address") && error.contains("ssh -L 3000"), "{error}");
        let error = parse(&["--listen", "3000"]).unwrap_err().to_string();
        assert!(error.contains("not ADDRESS:PORT"), "{error}");
    }

    #[test]
    fn readiness_by_a_database_needs_one() {
        let error = parse(&["--ready-needs-database"]).unwrap().database().unwrap_err();
        assert!(error.contains("add --mongodb-uri"), "{error}");
        let with = ["--ready-needs-database", "demo", "--mongodb-uri", "mongodb://localhost"];
        assert!(parse(&with).unwrap().database().is_ok());
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn a_sqlite_file_or_a_mongodb_is_watched() {
        let both = ["--sqlite", "shop.db", "demo", "--mongodb-uri", "mongodb://localhost"];
        let error = parse(&both).unwrap().database().unwrap_err();
        assert!(error.contains("not both"), "{error}");
        assert!(parse(&both[..2]).unwrap().database().is_ok());
    }

    #[test]
    fn flags_stand_before_or_behind_the_command() {
        for arguments in
            [["--listen", "[::1]:0", "demo", "--no-traffic"], ["demo", "--no-traffic", "--listen", "[::1]:0"]]
        {
            let config = parse(&arguments).unwrap();
            assert_eq!(config.listen, "[::1]:0".parse().unwrap());
            assert!(matches!(config.command, Some(Command::Demo { no_traffic: true })));
        }
    }
}
