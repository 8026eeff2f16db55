//! Settings that cannot be used, and the lines of the file that have them.

use std::{fmt, io, net::SocketAddr, path::PathBuf};

use thiserror::Error;
use watchboard::RouteError;

use crate::{
    login::LoginError,
    proxy::{Upstream, UpstreamTlsError},
    serve::tls::TlsError,
};

/// A setting that cannot be used, or that another one rules out.
#[derive(Debug, Error)]
pub(crate) enum SettingError {
    #[error("TLS takes a certificate and its key: give --tls-cert and --tls-key")]
    HalfOfTls,
    #[error("--tls-cert and --tls-key: {0}")]
    Tls(#[from] TlsError),
    #[error("--{flag} is of the application that --upstream names, and there is none")]
    NoUpstream { flag: &'static str },
    #[error("--instance is this one's name in the fleet that --fleet names, and there is none")]
    NoFleet,
    #[error(
        "--fleet cannot be read: it is mongodb://[USER:PASSWORD@]HOST[:PORT][/DATABASE], its password percent-encoded"
    )]
    // Without its source: that may quote the password.
    FleetUri,
    #[error(
        "--fleet names the database {0:?}, which cannot have the figures of a fleet: name one that is not MongoDB's own, without / \\\\ . \" $ and spaces"
    )]
    FleetDatabase(String),
    #[error("--no-history keeps nothing on disk: leave --{flag} out, or --no-history")]
    NoHistory { flag: &'static str },
    #[error(transparent)]
    UpstreamTls(#[from] UpstreamTlsError),
    #[error("--upstream-ca is for an application with TLS: write --upstream https://…, or leave it out")]
    AuthorityWithoutTls,
    #[error("the demo is an application of its own: leave --upstream out")]
    UpstreamOfDemo,
    #[error("--proxy-listen {0} is where the board listens: choose another address for one of them")]
    SameAddress(SocketAddr),
    #[error("--upstream {upstream} is watchboard itself, at {address}: name the application's address")]
    UpstreamIsWatchboard { upstream: Upstream, address: SocketAddr },
    #[error("the demo watches its own process: leave --pid out")]
    PidOfDemo,
    #[error("--pid: there is no process {0} on this host: name one that runs")]
    NoProcess(u32),
    #[error("one database is watched: give --mongodb-uri or --sqlite, not both")]
    TwoDatabases,
    #[error("--ready-needs-database needs a database to watch: add --mongodb-uri")]
    NoDatabase,
    #[error("--mongodb-uri cannot be read: it is mongodb://[USER:PASSWORD@]HOST[:PORT], its password percent-encoded")]
    // Without its source: that may quote the password.
    MongodbUri,
    #[error("--route: {0}")]
    Route(#[source] RouteError),
    #[error("--openapi {} cannot be read: {source}", path.display())]
    OpenapiFile { path: PathBuf, source: io::Error },
    #[error("--openapi {}: {source}", path.display())]
    OpenapiDocument { path: PathBuf, source: RouteError },
    #[error(transparent)]
    Login(#[from] LoginError),
}

impl SettingError {
    /// The flag to change first, without its dashes. An environment variable that is no flag has none.
    pub(super) fn flag(&self) -> Option<&'static str> {
        Some(match self {
            Self::HalfOfTls | Self::Tls(_) => "tls-cert",
            Self::NoUpstream { flag } | Self::NoHistory { flag } => flag,
            Self::NoFleet => "instance",
            Self::FleetUri | Self::FleetDatabase(_) => "fleet",
            Self::UpstreamTls(_) | Self::AuthorityWithoutTls => "upstream-ca",
            Self::UpstreamOfDemo | Self::UpstreamIsWatchboard { .. } => "upstream",
            Self::SameAddress(_) => "proxy-listen",
            Self::PidOfDemo | Self::NoProcess(_) => "pid",
            Self::TwoDatabases | Self::MongodbUri => "mongodb-uri",
            Self::NoDatabase => "ready-needs-database",
            Self::Route(_) => "route",
            Self::OpenapiFile { .. } | Self::OpenapiDocument { .. } => "openapi",
            Self::Login(error) => return error.flag(),
        })
    }
}

/// A [`SettingError`] with the line of the file that has the setting, if the setting comes from there.
#[derive(Debug, Error)]
pub(crate) struct ConfigError {
    pub(super) line: Option<String>,
    #[source]
    pub(super) setting: Box<SettingError>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.line {
            Some(line) => write!(formatter, "{line}: {}", self.setting),
            None => self.setting.fmt(formatter),
        }
    }
}
