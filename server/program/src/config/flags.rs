//! The flags of the command line, with their environment variables, and the commands.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Parser, Subcommand, ValueEnum, builder::NonEmptyStringValueParser};
use ipnet::IpNet;
use watchboard::{BasePath, HistoryStep, TraceUrl};

use super::{
    history_folder::{default_folder, name_of},
    lines::Lines,
    rules::RuleOptions,
    values::{address, document, filter, instance_name, kept_steps, seconds, upstream},
};
use crate::{
    login::LoginOptions,
    proxy::Upstream,
    serve::client::{TrustedProxies, network},
};

/// The dashboard of a server: requests, memory and database on one live page.
///
/// Alone it watches its own process and, with --mongodb-uri or --sqlite, a database. `watchboard demo` starts a small web shop that is
/// watched by the library as your axum app would be, with traffic, to see a living board.
#[derive(Debug, Parser)]
#[command(
    name = "watchboard",
    version,
    after_help = "Every flag can be given by the environment: WATCHBOARD_LISTEN, WATCHBOARD_MONGODB_URI and so on.\n\
    Stop it with Ctrl-C or SIGTERM: requests under way are finished first.\n\
    It ends with 0 when it was stopped, with 1 when it could not start or go on, with 2 when its configuration is wrong.\n\n\
    Examples:\n  watchboard demo\n  watchboard --listen 127.0.0.1:9000 --mongodb-uri mongodb://127.0.0.1:27017"
)]
pub(crate) struct Config {
    /// Where the board listens: an address and a port (0 for any free one). On loopback it opens by a link in the log. Beyond this machine's loopback a password or a token is needed.
    #[arg(long, env = "WATCHBOARD_LISTEN", default_value = "127.0.0.1:3000", value_name = "ADDRESS:PORT", value_parser = address, global = true)]
    pub(crate) listen: SocketAddr,

    /// The MongoDB to watch: mongodb://[USER:PASSWORD@]HOST[:PORT]. In the environment a password stays out of the process list.
    #[arg(long, env = "WATCHBOARD_MONGODB_URI", value_name = "URI", hide_env_values = true, global = true)]
    pub(crate) mongodb_uri: Option<String>,

    /// The SQLite database to watch, instead of a MongoDB: a file, opened to be read alone and never created.
    #[arg(long, env = "WATCHBOARD_SQLITE", value_name = "PATH", global = true)]
    pub(crate) sqlite: Option<PathBuf>,

    /// The MongoDB that the instances of a fleet share: mongodb://[USER:PASSWORD@]HOST[:PORT][/DATABASE]. Each writes its figures there, so that any board shows one or all. Its user is its own, never the application's.
    #[arg(long, env = "WATCHBOARD_FLEET", value_name = "URI", value_parser = NonEmptyStringValueParser::new(), hide_env_values = true, global = true)]
    pub(crate) fleet: Option<String>,

    /// The name of this instance in the fleet, which it keeps over restarts. The default is the name of the machine.
    #[arg(long, env = "WATCHBOARD_INSTANCE", value_name = "NAME", value_parser = instance_name, global = true)]
    pub(crate) instance: Option<String>,

    /// The name of the application, as the board has it. The default is that of its process.
    #[arg(long, env = "WATCHBOARD_SERVICE", value_name = "NAME", value_parser = NonEmptyStringValueParser::new(), global = true)]
    pub(crate) service: Option<String>,

    /// The folder in which the history is kept, so that it outlives the process. Without it a folder for what is watched, in the state
    /// directory of systemd's unit or of the user.
    #[arg(long, env = "WATCHBOARD_DATA_DIR", value_name = "PATH", global = true)]
    pub(crate) data_dir: Option<PathBuf>,

    /// Keep the history in memory alone.
    #[arg(long, env = "WATCHBOARD_NO_HISTORY", global = true)]
    pub(super) no_history: bool,

    /// The size of the history on disk, at most, in MiB. When it is full, the oldest figures of the finest steps go. The default is 256.
    #[arg(long, env = "WATCHBOARD_HISTORY_MAX_MIB", value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..), allow_negative_numbers = true, global = true)]
    pub(crate) history_max_mib: Option<u32>,

    /// For how long the history on disk keeps steps of 10s, 1m or 15m, as 10s=48h, 1m=14d or 15m=398d, which are the defaults; can be given several times.
    #[arg(long, env = "WATCHBOARD_HISTORY_KEEP", value_name = "STEP=TIME", value_delimiter = ',', value_parser = kept_steps, global = true)]
    pub(crate) history_keep: Vec<(HistoryStep, Duration)>,

    /// The application to stand in front of: http://HOST:PORT, h2c://HOST:PORT (HTTP/2), https://HOST:PORT or unix:PATH. Requests to --proxy-listen go on to it and are watched.
    #[arg(long, env = "WATCHBOARD_UPSTREAM", value_name = "URL", value_parser = upstream, global = true)]
    pub(crate) upstream: Option<Upstream>,

    /// The certificate of the authority that has signed the application's, for https: a PEM file. Without it those count that browsers know.
    #[arg(long, env = "WATCHBOARD_UPSTREAM_CA", value_name = "PATH", global = true)]
    pub(crate) upstream_ca: Option<PathBuf>,

    /// The application's process, whose memory is then shown with that of all its children. With --upstream it is found by itself, where it
    /// runs on this host and as this user.
    #[arg(long, env = "WATCHBOARD_PID", value_name = "PID", value_parser = clap::value_parser!(u32).range(1..), allow_negative_numbers = true, global = true)]
    pub(super) pid: Option<u32>,

    /// Where to take the application's requests.
    #[arg(long, env = "WATCHBOARD_PROXY_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT", value_parser = address, global = true)]
    pub(crate) proxy_listen: SocketAddr,

    /// Seconds that the application has to begin its answer, from the last of the request on; then clients get a 504.
    #[arg(long, env = "WATCHBOARD_UPSTREAM_TIMEOUT", default_value_t = 60, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true, global = true)]
    pub(crate) upstream_timeout: u64,

    /// A route of the application, /users/{id} or /files/{*path}, by which its requests are told apart; can be given several times.
    #[arg(long, env = "WATCHBOARD_ROUTE", value_name = "TEMPLATE", value_delimiter = ',', global = true)]
    pub(crate) route: Vec<String>,

    /// The application's OpenAPI document in JSON, for its routes: a file, or a path of the application, as /openapi.json.
    #[arg(long, env = "WATCHBOARD_OPENAPI", value_name = "URL|FILE", value_parser = document, global = true)]
    pub(crate) openapi: Option<String>,

    /// A proxy in front of this one, by its address or network, whose X-Forwarded-For, X-Forwarded-Proto and X-Forwarded-Prefix are believed; can be given several times.
    #[arg(long, env = "WATCHBOARD_TRUSTED_PROXY", value_name = "ADDRESS|NETWORK", value_delimiter = ',', value_parser = network, global = true)]
    pub(crate) trusted_proxy: Vec<IpNet>,

    /// The path below which a proxy serves the board, as /ops. The proxy may strip it or pass it on.
    #[arg(long, env = "WATCHBOARD_BASE_PATH", value_name = "PATH", global = true)]
    pub(crate) base_path: Option<BasePath>,

    /// A certificate with its chain, in PEM, to speak TLS with; read again when it changes.
    #[arg(long, env = "WATCHBOARD_TLS_CERT", value_name = "FILE", global = true)]
    pub(crate) tls_cert: Option<PathBuf>,

    /// Its private key, in PEM.
    #[arg(long, env = "WATCHBOARD_TLS_KEY", value_name = "FILE", global = true)]
    pub(crate) tls_key: Option<PathBuf>,

    /// Connections at once, at each address; further ones wait.
    #[arg(long, env = "WATCHBOARD_MAX_CONNECTIONS", default_value_t = 16_384, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..), allow_negative_numbers = true, global = true)]
    pub(crate) max_connections: u32,

    /// Answer 503 at /readyz while the database is not healthy. Without it /readyz answers 503 only while the figures are stale.
    #[arg(long, env = "WATCHBOARD_READY_NEEDS_DATABASE", global = true)]
    pub(crate) ready_needs_database: bool,

    /// Keep the texts of errors as they were. Without it `#` stands for all of them that may be data of the application or of its clients.
    #[arg(long, env = "WATCHBOARD_KEEP_ERROR_TEXT", global = true)]
    pub(crate) keep_error_text: bool,

    /// Where your own tool shows the trace of a request: a URL with `{trace_id}` or `{request_id}`, for which the page puts the id.
    #[arg(long, env = "WATCHBOARD_TRACE_URL", value_name = "URL", global = true)]
    pub(crate) trace_url: Option<TraceUrl>,

    /// The version of the application. Its start is marked with it on the charts.
    #[arg(long, env = "WATCHBOARD_SERVICE_VERSION", value_name = "VERSION", global = true)]
    pub(crate) service_version: Option<String>,

    /// A file with these settings, in TOML by the names of the flags. Flags and the environment go before it.
    #[arg(long = "config", env = "WATCHBOARD_CONFIG", value_name = "FILE", global = true)]
    pub(super) file: Option<PathBuf>,

    /// What is logged: error, warn, info, debug or trace, also by module.
    #[arg(long, env = "WATCHBOARD_LOG", default_value = "info", value_name = "LEVEL", value_parser = filter, global = true)]
    pub(crate) log: String,

    /// How it is logged: text for people, json for programs, a line for each event.
    #[arg(long, env = "WATCHBOARD_LOG_FORMAT", default_value = "text", value_enum, global = true)]
    pub(crate) log_format: LogFormat,

    /// The lines of the settings that come from the file.
    #[arg(skip)]
    pub(crate) lines: Lines,

    #[command(flatten)]
    pub(crate) rules: RuleOptions,

    #[command(flatten)]
    pub(crate) login: LoginOptions,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// The format of the log.
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
    /// Mark this moment on the charts of a board that runs: `watchboard mark "deploy 1.4.2"`.
    ///
    /// It sends `WATCHBOARD_TOKEN`, which the board has to know.
    Mark {
        /// What happens.
        text: String,
        /// The address of the board, if it is not the one of --listen: http://HOST:PORT/PATH.
        #[arg(long, env = "WATCHBOARD_BOARD", value_name = "URL")]
        board: Option<String>,
    },
    /// Ask for a password and print its hash, for `WATCHBOARD_PASSWORD_HASH` or --password-file.
    ///
    /// It is asked for twice at a terminal; elsewhere it is the first line of the input.
    HashPassword,
}

impl Config {
    /// Whether the demo shop is what runs.
    pub(crate) fn is_demo(&self) -> bool {
        matches!(self.command, Some(Command::Demo { .. }))
    }

    /// The folder in which the history is kept; `None` to keep it in memory alone.
    pub(crate) fn history_folder(&self) -> Option<PathBuf> {
        if self.no_history {
            return None;
        }
        self.data_dir.clone().or_else(|| default_folder(&self.subject_name()))
    }

    /// What is watched, as the name of a folder: `demo`, the application's address, or `board-3000` of a board without an application.
    pub(super) fn subject_name(&self) -> String {
        match &self.upstream {
            _ if self.is_demo() => "demo".to_owned(),
            Some(upstream) => name_of(upstream),
            None => format!("board-{}", self.listen.port()),
        }
    }

    pub(crate) fn trusted_proxies(&self) -> TrustedProxies {
        self.trusted_proxy.iter().copied().collect()
    }

    pub(crate) fn upstream_timeout(&self) -> Duration {
        Duration::from_secs(self.upstream_timeout)
    }
}
