//! What the configuration comes to, before anything is started: what `watchboard check` tells of.

use std::fmt;

use mongodb::options::{ConnectionString, HostInfo};
use watchboard::{Database, Routes};

use crate::{config::Config, login::Login, proxy::openapi, serve::tls::Tls};

pub(crate) struct Plan {
    pub(crate) config: Config,
    pub(crate) database: Database,
    /// None where the board is open to its own machine alone.
    pub(crate) login: Option<Login>,
    pub(crate) pid: Option<u32>,
    pub(crate) routes: Routes,
    pub(crate) tls: Option<Tls>,
}

impl Plan {
    /// # Errors
    /// What is wrong, in a sentence that names the setting, and the line of the file that has it.
    pub(crate) fn of(config: Config) -> Result<Self, String> {
        let lines = config.lines.clone();
        Self::whole(config).map_err(|why| lines.before(why))
    }

    fn whole(config: Config) -> Result<Self, String> {
        let (database, pid, routes) = (config.database()?, config.pid()?, config.routes()?);
        let login = config.login.build(config.listen)?;
        if let Some(document) = config.openapi.as_deref().and_then(openapi::file) {
            let text = std::fs::read_to_string(document)
                .map_err(|error| format!("--openapi {} cannot be read: {error}", document.display()))?;
            routes.openapi(&text).map_err(|error| format!("--openapi {}: {error}", document.display()))?;
        }
        let tls = config.tls()?;
        Ok(Self { config, database, login, pid, routes, tls })
    }

    /// Finds what does not keep the board from starting, since it says so itself: a connection string that cannot be used.
    pub(crate) fn checked(self) -> Result<Self, String> {
        let why =
            "--mongodb-uri cannot be read: it is mongodb://[USER:PASSWORD@]HOST[:PORT], its password percent-encoded";
        match self.config.mongodb_uri.as_deref().map(ConnectionString::parse) {
            Some(Err(_)) => Err(self.config.lines.before(why.to_owned())),
            _ => Ok(self),
        }
    }
}

fn hosts(uri: &ConnectionString) -> String {
    match &uri.host_info {
        HostInfo::HostIdentifiers(hosts) => hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        HostInfo::DnsRecord(name) => name.clone(),
        _ => "hosts of its own".to_owned(),
    }
}

/// In words, without secrets.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Config { listen, upstream, proxy_listen, openapi, mongodb_uri, sqlite, .. } = &self.config;
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        writeln!(f, "The configuration is good.")?;
        match &self.login {
            Some(login) => writeln!(f, "  board        {scheme}://{listen}/, for those who {}", login.asks_for())?,
            None => writeln!(f, "  board        {scheme}://{listen}/, open to this machine alone")?,
        }
        if self.login.is_some()
            && self.tls.is_none()
            && !listen.ip().is_loopback()
            && self.config.trusted_proxy.is_empty()
        {
            writeln!(
                f,
                "               Passwords and tokens cross the network in the clear: give --tls-cert, or --trusted-proxy for the one that has TLS."
            )?;
        }
        match upstream {
            Some(upstream) => {
                writeln!(f, "  application  http://{upstream}/, its requests at {scheme}://{proxy_listen}/")?;
                let given = match self.config.route.len() {
                    0 => String::new(),
                    count => format!("{count} given, "),
                };
                let document = openapi.as_ref().map(|document| format!("those of {document}, ")).unwrap_or_default();
                writeln!(f, "  routes       {given}{document}the rest by the looks of their paths")?;
            }
            None => writeln!(f, "  application  none: --upstream names one")?,
        }
        let memory = match (self.pid, upstream) {
            (Some(pid), _) => format!("of process {pid} and its children"),
            (None, Some(upstream)) => format!("of the process that listens at {upstream}, and its children"),
            (None, None) => "of watchboard itself".to_owned(),
        };
        writeln!(f, "  memory       {memory}")?;
        match (mongodb_uri, sqlite) {
            (Some(uri), _) => {
                let hosts =
                    ConnectionString::parse(uri).map_or_else(|_| "an unreadable address".to_owned(), |uri| hosts(&uri));
                writeln!(f, "  database     MongoDB at {hosts}")?;
            }
            (None, Some(path)) => writeln!(f, "  database     SQLite, {}", path.display())?,
            (None, None) => writeln!(f, "  database     none")?,
        }
        Ok(())
    }
}
