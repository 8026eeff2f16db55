//! The checked configuration, before anything is started. `watchboard check` prints it.

use std::fmt;

use mongodb::options::{ConnectionString, HostInfo};
use watchboard::{BasePath, Database, Routes};
use watchboard_wire::is_fleet_database;

use crate::{
    config::{Config, ConfigError, SettingError, read_database, read_pid, read_routes, read_tls},
    file_reader::read_text_in_time,
    login::AccessMode,
    proxy::{Dialer, Upstream, openapi},
    serve::tls::Tls,
};

pub(crate) struct Plan {
    pub(crate) config: Config,
    pub(crate) database: Database,
    pub(crate) access: AccessMode,
    pub(crate) pid: Option<u32>,
    pub(crate) routes: Routes,
    pub(crate) tls: Option<Tls>,
    /// To the application of `--upstream`.
    pub(crate) dialer: Option<Dialer>,
}

impl TryFrom<Config> for Plan {
    type Error = ConfigError;

    /// # Errors
    /// The setting that is wrong, and the line of the file that has it.
    fn try_from(config: Config) -> Result<Self, ConfigError> {
        let lines = config.lines.clone();
        Self::new(config).map_err(|error| lines.locate(error))
    }
}

impl Plan {
    fn new(config: Config) -> Result<Self, SettingError> {
        let (database, pid, routes) = (read_database(&config)?, read_pid(&config)?, read_routes(&config)?);
        let access = config.login.build(config.listen, config.is_demo())?;
        if let Some(path) = config.openapi.as_deref().and_then(openapi::file) {
            let text = read_text_in_time(path)
                .map_err(|source| SettingError::OpenapiFile { path: path.to_owned(), source })?;
            routes.openapi(&text).map_err(|source| SettingError::OpenapiDocument { path: path.to_owned(), source })?;
        }
        let tls = read_tls(&config)?;
        let dial = |upstream: &Upstream| Dialer::new(upstream.clone(), config.upstream_ca.as_deref());
        let dialer = config.upstream.as_ref().map(dial).transpose()?;
        Ok(Self { config, database, access, pid, routes, tls, dialer })
    }

    /// Checks the connection strings. A start does not need this: the board shows an unusable one.
    pub(crate) fn check_databases(self) -> Result<Self, ConfigError> {
        let read = |uri: &Option<String>| uri.as_deref().map(ConnectionString::parse).transpose();
        let Config { mongodb_uri, fleet, lines, .. } = &self.config;
        if read(mongodb_uri).is_err() {
            return Err(lines.locate(SettingError::MongodbUri));
        }
        let fleet = read(fleet).map_err(|_| lines.locate(SettingError::FleetUri))?;
        match fleet.and_then(|uri| uri.default_database).filter(|name| !is_fleet_database(name)) {
            Some(name) => Err(lines.locate(SettingError::FleetDatabase(name))),
            None => Ok(self),
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

/// The configuration in words, without secrets.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Config { listen, upstream, proxy_listen, openapi, mongodb_uri, sqlite, .. } = &self.config;
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        writeln!(f, "The configuration is good.")?;
        let path = self.config.base_path.as_ref().map_or("", BasePath::as_str);
        write!(f, "  board        {scheme}://{listen}{path}/, ")?;
        match &self.access {
            AccessMode::Login(login) => writeln!(f, "for those who {}", login.requirement())?,
            AccessMode::SignInLink => writeln!(f, "for those who open the link that the log has, on this machine")?,
            AccessMode::LocalOnly => writeln!(f, "open to this machine alone")?,
        }
        if matches!(self.access, AccessMode::Login(_))
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
                writeln!(f, "  application  {upstream}/, its requests at {scheme}://{proxy_listen}/")?;
                let declared = match self.config.route.len() {
                    0 => String::new(),
                    count => format!("{count} declared, "),
                };
                let document = openapi.as_ref().map(|document| format!("those of {document}, ")).unwrap_or_default();
                writeln!(f, "  routes       {declared}{document}the rest by the looks of their paths")?;
            }
            None => writeln!(f, "  application  none: --upstream names one")?,
        }
        writeln!(f, "  rows         {}", self.config.rules)?;
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
        if let Some(uri) = &self.config.fleet {
            let hosts =
                ConnectionString::parse(uri).map_or_else(|_| "an unreadable address".to_owned(), |uri| hosts(&uri));
            let name =
                self.config.instance.as_deref().map_or("the machine's name".to_owned(), |name| format!("\"{name}\""));
            writeln!(f, "  fleet        in MongoDB at {hosts}, as {name}")?;
        }
        match self.config.history_folder() {
            Some(folder) => writeln!(f, "  history      on disk, in {}", folder.display())?,
            None => writeln!(f, "  history      in memory alone")?,
        }
        if let Some(template) = &self.config.trace_url {
            writeln!(f, "  traces       at {template}")?;
        }
        if self.config.keep_error_text {
            writeln!(f, "  error texts  kept as they are, with what clients sent")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::read_from;

    #[test]
    fn the_authority_of_an_application_is_read_before_a_start() {
        let flags = ["watchboard", "check", "--upstream-ca", "/nowhere.pem", "--upstream"];
        let config = read_from([&flags[..], &["https://127.0.0.1:8443"]].concat()).unwrap();
        let error = Plan::try_from(config).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("--upstream-ca cannot be read"), "{error}");
        let error = read_from([&flags[..], &["http://127.0.0.1:8000"]].concat()).unwrap_err().to_string();
        assert!(error.contains("--upstream https://"), "{error}");
        let error = read_from(&flags[..4]).unwrap_err().to_string();
        assert!(error.contains("--upstream-ca is of the application that --upstream names"), "{error}");
    }
    #[test]
    fn a_database_that_cannot_be_a_fleets_is_told_by_the_check() {
        let check = |database: &str| {
            let uri = format!("mongodb://mongo.internal{database}");
            let plan = Plan::try_from(read_from(["watchboard", "check", "--fleet", &uri]).unwrap()).unwrap();
            plan.check_databases().map(drop).map_err(|error| error.to_string())
        };
        for database in ["", "/", "/shop", "/?w=0", "/shop?authSource=admin"] {
            assert_eq!(check(database), Ok(()), "{database}");
        }
        for database in ["/a.b", "/local", "/Admin", "/config?w=1", "/a%20b", "/%24a"] {
            let error = check(database).unwrap_err();
            assert!(error.contains("--fleet"), "{database}: {error}");
        }
    }

    #[test]
    fn a_name_that_cannot_be_seen_is_refused() {
        for name in ["", " ", "all", "a\u{1b}[0m", "web\u{202e}1", "web\u{200b}1"] {
            let flags = ["watchboard", "check", "--fleet", "mongodb://mongo.internal", "--instance", name];
            let error = read_from(flags).unwrap_err().to_string();
            assert!(error.contains("characters that can be seen"), "{name:?}: {error}");
        }
    }
}
