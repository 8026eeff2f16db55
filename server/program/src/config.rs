//! The binary's flags, environment and file, validated once.

mod file;

use std::{
    ffi::OsString,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, error::ErrorKind};
use http::uri::{Authority, PathAndQuery, Uri};
use ipnet::IpNet;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};
use watchboard::{Database, Routes};

pub(crate) use self::file::Lines;
use crate::{
    login::LoginOptions,
    proxy::address_of,
    serve::{
        client::{TrustedProxies, network},
        tls::Tls,
    },
};

/// The dashboard of a server: requests, memory and database on one live page.
///
/// Alone it watches its own process and, with --mongodb-uri or --sqlite, a database. `watchboard demo` starts a small web shop that is
/// watched by the library as your axum app would be, with traffic, to see a living board.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Every flag can be given by the environment: WATCHBOARD_LISTEN, WATCHBOARD_MONGODB_URI and so on.\n\
    Stop it with Ctrl-C or SIGTERM: requests under way are finished first.\n\
    It ends with 0 when it was stopped, with 1 when it could not start or go on, with 2 when its configuration is wrong.\n\n\
    Examples:\n  watchboard demo\n  watchboard --listen 127.0.0.1:9000 --mongodb-uri mongodb://127.0.0.1:27017"
)]
pub(crate) struct Config {
    /// Where the board listens: an address and a port (0 for any free one). Beyond this machine's loopback a password or a token is needed.
    #[arg(long, env = "WATCHBOARD_LISTEN", default_value = "127.0.0.1:3000", value_name = "ADDRESS:PORT", value_parser = address, global = true)]
    pub(crate) listen: SocketAddr,

    /// The MongoDB to watch: mongodb://[USER:PASSWORD@]HOST[:PORT]. In the environment a password stays out of the process list.
    #[arg(long, env = "WATCHBOARD_MONGODB_URI", value_name = "URI", hide_env_values = true, global = true)]
    pub(crate) mongodb_uri: Option<String>,

    /// The SQLite database to watch, instead of a MongoDB: a file, opened to be read alone and never created.
    #[arg(long, env = "WATCHBOARD_SQLITE", value_name = "PATH", global = true)]
    pub(crate) sqlite: Option<std::path::PathBuf>,

    /// The application to stand in front of: http://HOST:PORT. Requests to --proxy-listen go on to it and are watched.
    #[arg(long, env = "WATCHBOARD_UPSTREAM", value_name = "URL", value_parser = upstream, global = true)]
    pub(crate) upstream: Option<Authority>,

    /// The application's process, whose memory is then shown with that of all its children. With --upstream it is found by itself, where it
    /// runs on this host and as this user.
    #[arg(long, env = "WATCHBOARD_PID", value_name = "PID", value_parser = clap::value_parser!(u32).range(1..), global = true)]
    pid: Option<u32>,

    /// Where to take the application's requests.
    #[arg(long, env = "WATCHBOARD_PROXY_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT", value_parser = address, global = true)]
    pub(crate) proxy_listen: SocketAddr,

    /// Seconds that the application has to begin its answer, from the last of the request on; then clients get a 504.
    #[arg(long, env = "WATCHBOARD_UPSTREAM_TIMEOUT", default_value_t = 60, value_name = "SECONDS", value_parser = seconds, global = true)]
    pub(crate) upstream_timeout: u64,

    /// A route of the application, /users/{id} or /files/{*path}, by which its requests are told apart; can be given several times.
    #[arg(long, env = "WATCHBOARD_ROUTE", value_name = "TEMPLATE", value_delimiter = ',', global = true)]
    pub(crate) route: Vec<String>,

    /// The application's OpenAPI document in JSON, for its routes: a file, or a path of the application, as /openapi.json.
    #[arg(long, env = "WATCHBOARD_OPENAPI", value_name = "URL|FILE", value_parser = document, global = true)]
    pub(crate) openapi: Option<String>,

    /// A proxy in front of this one, by its address or network, whose X-Forwarded-For and X-Forwarded-Proto are believed; can be given several times.
    #[arg(long, env = "WATCHBOARD_TRUSTED_PROXY", value_name = "ADDRESS|NETWORK", value_delimiter = ',', value_parser = network, global = true)]
    pub(crate) trusted_proxy: Vec<IpNet>,

    /// A certificate with its chain, in PEM, to speak TLS with; read again when it changes.
    #[arg(long, env = "WATCHBOARD_TLS_CERT", value_name = "FILE", global = true)]
    pub(crate) tls_cert: Option<PathBuf>,

    /// Its private key, in PEM.
    #[arg(long, env = "WATCHBOARD_TLS_KEY", value_name = "FILE", global = true)]
    pub(crate) tls_key: Option<PathBuf>,

    /// Connections at once, at each address; further ones wait.
    #[arg(long, env = "WATCHBOARD_MAX_CONNECTIONS", default_value_t = 16_384, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..), global = true)]
    pub(crate) max_connections: u32,

    /// Answer 503 at /readyz while the database is not healthy. Without it /readyz only tells that the process answers.
    #[arg(long, env = "WATCHBOARD_READY_NEEDS_DATABASE", global = true)]
    pub(crate) ready_needs_database: bool,

    /// A file with these settings, in TOML by the names of the flags. Flags and the environment go before it.
    #[arg(long = "config", env = "WATCHBOARD_CONFIG", value_name = "FILE", global = true)]
    file: Option<PathBuf>,

    /// What is logged: error, warn, info, debug or trace, also by module.
    #[arg(long, env = "WATCHBOARD_LOG", default_value = "info", value_name = "LEVEL", value_parser = filter, global = true)]
    pub(crate) log: String,

    /// How it is logged: text for people, json for programs, a line for each event.
    #[arg(long, env = "WATCHBOARD_LOG_FORMAT", default_value = "text", value_enum, global = true)]
    pub(crate) log_format: LogFormat,

    /// Where the file says what nobody else said.
    #[arg(skip)]
    pub(crate) lines: Lines,

    #[command(flatten)]
    pub(crate) login: LoginOptions,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// How it is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a small web shop under /shop/, with its own traffic, watched by the board at /
    Demo {
        /// Start the shop without traffic of its own.
        #[arg(long)]
        no_traffic: bool,
    },
    /// Say whether the configuration is good, and what it comes to, without starting anything.
    Check,
    /// Ask for a password and print its hash, for `WATCHBOARD_PASSWORD_HASH` or --password-file.
    ///
    /// It is asked for twice at a terminal; elsewhere it is the first line of the input.
    HashPassword,
}

impl Config {
    /// What the command line, the environment and the file say.
    ///
    /// # Errors
    /// What is wrong, and where. `--help` and `--version` are answered here.
    pub(crate) fn read() -> Result<Self, clap::Error> {
        Self::read_from(std::env::args_os())
    }

    fn read_from(arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Result<Self, clap::Error> {
        let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
        let mut command = Self::command();
        // Only for the file's name: what else is wrong is said when all is known.
        let early = command.clone().ignore_errors(true).try_get_matches_from(&arguments);
        let path = early.ok().and_then(|matches| matches.get_one::<PathBuf>("file").cloned());
        let mut lines = Lines::default();
        if let Some(path) = path {
            (command, lines) =
                file::apply(command, &path).map_err(|why| Self::command().error(ErrorKind::ValueValidation, why))?;
        }
        let matches = command.try_get_matches_from_mut(arguments)?;
        lines.retain(&matches);
        let config = Self { lines, ..Self::from_arg_matches(&matches)? };
        config.agree().map_err(|why| command.error(ErrorKind::ArgumentConflict, config.lines.before(why)))?;
        Ok(config)
    }

    /// What does not make sense without something else.
    // Not by clap's own rules, which do not hold across the command's name, nor for what the file says.
    fn agree(&self) -> Result<(), String> {
        if self.tls_cert.is_some() != self.tls_key.is_some() {
            return Err("TLS takes a certificate and its key: give --tls-cert and --tls-key".to_owned());
        }
        if let Some(upstream) = &self.upstream {
            self.agree_with(upstream)?;
        }
        let of_upstream = [(!self.route.is_empty(), "--route"), (self.openapi.is_some(), "--openapi")];
        match of_upstream.into_iter().find(|(given, _)| *given && self.upstream.is_none()) {
            Some((_, flag)) => Err(format!("{flag} is of the application that --upstream names, and there is none")),
            None => Ok(()),
        }
    }

    /// What does not make sense with an application.
    fn agree_with(&self, upstream: &Authority) -> Result<(), String> {
        if matches!(self.command, Some(Command::Demo { .. })) {
            return Err("the demo is an application of its own: leave --upstream out".to_owned());
        }
        let (board, proxy) = (self.listen, self.proxy_listen);
        // All addresses of IPv6 are those of IPv4 too.
        let is_any = |one: SocketAddr, other: IpAddr| one.ip().is_unspecified() && (one.is_ipv6() || other.is_ipv4());
        let covers = |one: SocketAddr, other: IpAddr| one.ip() == other || is_any(one, other);
        let is_same = board.port() != 0 && board.port() == proxy.port();
        if is_same && (covers(board, proxy.ip()) || covers(proxy, board.ip())) {
            return Err(format!(
                "--proxy-listen {proxy} is where the board listens: choose another address for one of them"
            ));
        }
        let (host, port) = address_of(upstream);
        let host: Option<IpAddr> = host.parse().ok();
        let is_at = |own: SocketAddr, host: IpAddr| own.ip() == host || (is_any(own, host) && host.is_loopback());
        let is_own = |own: &&SocketAddr| own.port() == port && host.is_some_and(|host| is_at(**own, host));
        match [proxy, board].iter().find(is_own) {
            Some(own) => Err(format!(
                "--upstream http://{upstream} is watchboard itself, at {own}: name the application's address"
            )),
            None => Ok(()),
        }
    }

    /// Which routes the application has.
    ///
    /// # Errors
    /// A template that is none.
    pub(crate) fn routes(&self) -> Result<Routes, String> {
        Ok(Routes::declared(&self.route).map_err(|error| format!("--route: {error}"))?.with_inference())
    }

    pub(crate) fn trusted_proxies(&self) -> TrustedProxies {
        self.trusted_proxy.iter().copied().collect()
    }

    pub(crate) fn upstream_timeout(&self) -> Duration {
        Duration::from_secs(self.upstream_timeout)
    }

    /// # Errors
    /// What is wrong with the certificate or its key.
    pub(crate) fn tls(&self) -> Result<Option<Tls>, String> {
        let files = self.tls_cert.as_ref().zip(self.tls_key.as_ref());
        let tls = files.map(|(certificate, key)| Tls::from_files(certificate, key)).transpose();
        tls.map_err(|reason| format!("--tls-cert and --tls-key: {reason}"))
    }

    /// The process that is named.
    ///
    /// # Errors
    /// There is none, or the demo is watched, in a sentence.
    pub(crate) fn pid(&self) -> Result<Option<u32>, String> {
        let Some(pid) = self.pid else { return Ok(None) };
        if matches!(self.command, Some(Command::Demo { .. })) {
            return Err("the demo watches its own process: leave --pid out".to_owned());
        }
        if !Path::new("/proc").join(pid.to_string()).exists() {
            return Err(format!("--pid: there is no process {pid} on this host: name one that runs"));
        }
        Ok(Some(pid))
    }

    /// The database to watch.
    ///
    /// # Errors
    /// Flags that do not go together, in a sentence.
    // clap's own rules do not hold across the command's name, on both sides of which flags may stand.
    pub(crate) fn database(&self) -> Result<Database, String> {
        let mongodb = self.mongodb_uri.as_deref().map(Database::from_uri);
        let sqlite = self.sqlite.as_deref().map(Database::sqlite);
        match (mongodb, sqlite) {
            (Some(_), Some(_)) => Err("one database is watched: give --mongodb-uri or --sqlite, not both".to_owned()),
            (None, None) if self.ready_needs_database => {
                Err("--ready-needs-database needs a database to watch: add --mongodb-uri".to_owned())
            }
            (mongodb, sqlite) => Ok(mongodb.or(sqlite).into()),
        }
    }
}

/// Where the application listens.
fn upstream(text: &str) -> Result<Authority, String> {
    let uri: Uri = text.parse().map_err(|_| "it is not a URL, as in http://127.0.0.1:8000".to_owned())?;
    if uri.scheme_str().is_some_and(|scheme| scheme != "http") {
        return Err("the application is spoken to in plain HTTP, on this machine or its own network: http://HOST:PORT"
            .to_owned());
    }
    if !matches!(uri.path_and_query().map(PathAndQuery::as_str), None | Some("/" | "")) {
        return Err("requests keep their own paths: give the application's address alone, http://HOST:PORT".to_owned());
    }
    // `http` reads no number where it is none of a port.
    let is_address = |authority: &&Authority| {
        let has_port = authority.as_str().len() > authority.host().len();
        !authority.as_str().contains('@') && !authority.host().is_empty() && has_port == authority.port_u16().is_some()
    };
    // `8000` alone would be a host of that name.
    let is_meant = uri.scheme().is_some() || uri.port().is_some();
    let authority = uri.authority().filter(is_address).filter(|_| is_meant);
    authority.cloned().ok_or_else(|| "it is not a URL, as in http://127.0.0.1:8000".to_owned())
}

fn seconds(text: &str) -> Result<u64, String> {
    let seconds = text.parse().ok().filter(|seconds| (1..=86_400).contains(seconds));
    seconds.ok_or_else(|| "it is not a whole number of seconds, from 1 to 86400".to_owned())
}

fn document(text: &str) -> Result<String, String> {
    if text.starts_with("https://") {
        return Err("the document is asked for in plain HTTP, as the application is; or give a file".to_owned());
    }
    Ok(text.to_owned())
}

fn filter(text: &str) -> Result<String, String> {
    // A lone word that is no level would be the name of a module, and silence all others.
    let is_known = |word: &str| word.is_empty() || word.contains(['=', '[']) || word.parse::<LevelFilter>().is_ok();
    if let Some(word) = text.split(',').map(str::trim).find(|word| !is_known(word)) {
        return Err(format!(
            "{word:?} is none of off, error, warn, info, debug, trace; a module has its level with it, as in hyper=debug"
        ));
    }
    EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "it is not ADDRESS:PORT, as in 127.0.0.1:8080 or [::]:8080".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Config, clap::Error> {
        Config::read_from([&["watchboard"], arguments].concat())
    }

    #[test]
    fn an_address_has_a_port() {
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

    #[test]
    fn a_process_that_is_named_runs_and_is_not_the_demo() {
        let own = std::process::id().to_string();
        assert_eq!(parse(&["--pid", &own]).unwrap().pid(), Ok(Some(std::process::id())));
        let error = parse(&["--pid", &own, "demo"]).unwrap().pid().unwrap_err();
        assert!(error.contains("leave --pid out"), "{error}");
        let error = parse(&["--pid", "4294967295"]).unwrap().pid().unwrap_err();
        assert!(error.contains("no process 4294967295"), "{error}");
        assert!(parse(&["--pid", "0"]).is_err() && parse(&["--pid", "shop"]).is_err());
    }

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
