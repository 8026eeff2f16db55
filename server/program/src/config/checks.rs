//! Checks of settings against each other and against this machine. clap's own rules do not hold across the command's name, nor for settings of the
//! file.

use std::{
    net::{IpAddr, SocketAddr},
    path::Path,
};

use watchboard::{Database, Routes};

use super::{error::SettingError, flags::Config};
use crate::{
    file_reader::read_in_time,
    proxy::{Upstream, UpstreamProtocol},
    serve::tls::{Tls, TlsError},
};

/// Checks which settings go together.
pub(super) fn check_combinations(config: &Config) -> Result<(), SettingError> {
    if config.tls_cert.is_some() != config.tls_key.is_some() {
        return Err(SettingError::HalfOfTls);
    }
    let history_flags = [
        (config.data_dir.is_some(), "data-dir"),
        (config.history_max_mib.is_some(), "history-max-mib"),
        (!config.history_keep.is_empty(), "history-keep"),
    ];
    if let Some((_, flag)) = history_flags.into_iter().find(|(is_set, _)| *is_set && config.no_history) {
        return Err(SettingError::NoHistory { flag });
    }
    if config.instance.is_some() && config.fleet.is_none() {
        return Err(SettingError::NoFleet);
    }
    if let Some(upstream) = &config.upstream {
        return check_upstream(config, upstream);
    }
    let upstream_flags = [
        (!config.route.is_empty(), "route"),
        (config.openapi.is_some(), "openapi"),
        (config.upstream_ca.is_some(), "upstream-ca"),
    ];
    match upstream_flags.into_iter().find(|(is_set, _)| *is_set) {
        Some((_, flag)) => Err(SettingError::NoUpstream { flag }),
        None => Ok(()),
    }
}

fn check_upstream(config: &Config, upstream: &Upstream) -> Result<(), SettingError> {
    if config.is_demo() {
        return Err(SettingError::UpstreamOfDemo);
    }
    if config.upstream_ca.is_some() && upstream.protocol != UpstreamProtocol::Https {
        return Err(SettingError::AuthorityWithoutTls);
    }
    let (board, proxy) = (config.listen, config.proxy_listen);
    // The unspecified address of IPv6 takes connections of IPv4 too.
    let is_any = |one: SocketAddr, other: IpAddr| one.ip().is_unspecified() && (one.is_ipv6() || other.is_ipv4());
    let covers = |one: SocketAddr, other: IpAddr| one.ip() == other || is_any(one, other);
    let is_same = board.port() != 0 && board.port() == proxy.port();
    if is_same && (covers(board, proxy.ip()) || covers(proxy, board.ip())) {
        return Err(SettingError::SameAddress(proxy));
    }
    let Some((host, port)) = upstream.host_and_port() else { return Ok(()) };
    let host: Option<IpAddr> = host.parse().ok();
    let is_at = |own: SocketAddr, host: IpAddr| own.ip() == host || (is_any(own, host) && host.is_loopback());
    let is_watchboard = |own: &SocketAddr| own.port() == port && host.is_some_and(|host| is_at(*own, host));
    match [proxy, board].into_iter().find(is_watchboard) {
        Some(address) => Err(SettingError::UpstreamIsWatchboard { upstream: upstream.clone(), address }),
        None => Ok(()),
    }
}

/// The routes that the flags declare. Other paths are named by inference.
pub(crate) fn read_routes(config: &Config) -> Result<Routes, SettingError> {
    Ok(Routes::declared(&config.route).map_err(SettingError::Route)?.with_inference())
}

/// The certificate and its key, if TLS is configured.
pub(crate) fn read_tls(config: &Config) -> Result<Option<Tls>, SettingError> {
    let files = config.tls_cert.as_ref().zip(config.tls_key.as_ref());
    let Some((certificate, key)) = files.map(|(certificate, key)| (certificate.clone(), key.clone())) else {
        return Ok(None);
    };
    let read = {
        let (certificate, key) = (certificate.clone(), key.clone());
        read_in_time(move || Tls::from_files(&certificate, &key))
    };
    Ok(Some(read.map_err(|source| TlsError::Late { certificate, key, source })??))
}

/// The process that `--pid` names. It must run. Where `/proc` hides processes, as with `hidepid`, the board says whether it does.
pub(crate) fn read_pid(config: &Config) -> Result<Option<u32>, SettingError> {
    let Some(pid) = config.pid else { return Ok(None) };
    if config.is_demo() {
        return Err(SettingError::PidOfDemo);
    }
    let is_listed = |pid: u32| Path::new("/proc").join(pid.to_string()).exists();
    if !is_listed(pid) && is_listed(1) {
        return Err(SettingError::NoProcess(pid));
    }
    Ok(Some(pid))
}

/// The database to watch.
pub(crate) fn read_database(config: &Config) -> Result<Database, SettingError> {
    let mongodb = config.mongodb_uri.as_deref().map(Database::from_uri);
    let sqlite = config.sqlite.as_deref().map(Database::sqlite);
    match (mongodb, sqlite) {
        (Some(_), Some(_)) => Err(SettingError::TwoDatabases),
        (None, None) if config.ready_needs_database => Err(SettingError::NoDatabase),
        (mongodb, sqlite) => Ok(mongodb.or(sqlite).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::read_from;

    fn parse(arguments: &[&str]) -> Result<Config, clap::Error> {
        read_from([&["watchboard"], arguments].concat())
    }

    #[test]
    fn readiness_by_a_database_needs_one() {
        let error = read_database(&parse(&["--ready-needs-database"]).unwrap()).unwrap_err().to_string();
        assert!(error.contains("add --mongodb-uri"), "{error}");
        let with = ["--ready-needs-database", "demo", "--mongodb-uri", "mongodb://localhost"];
        assert!(read_database(&parse(&with).unwrap()).is_ok());
    }

    #[test]
    fn a_process_that_is_named_runs_and_is_not_the_demo() {
        let own = std::process::id().to_string();
        assert_eq!(read_pid(&parse(&["--pid", &own]).unwrap()).unwrap(), Some(std::process::id()));
        let error = read_pid(&parse(&["--pid", &own, "demo"]).unwrap()).unwrap_err().to_string();
        assert!(error.contains("leave --pid out"), "{error}");
        let error = read_pid(&parse(&["--pid", "4294967295"]).unwrap()).unwrap_err().to_string();
        assert!(error.contains("no process 4294967295"), "{error}");
        assert!(parse(&["--pid", "0"]).is_err() && parse(&["--pid", "shop"]).is_err());
    }

    #[test]
    fn a_sqlite_file_or_a_mongodb_is_watched() {
        let both = ["--sqlite", "shop.db", "demo", "--mongodb-uri", "mongodb://localhost"];
        let error = read_database(&parse(&both).unwrap()).unwrap_err().to_string();
        assert!(error.contains("not both"), "{error}");
        assert!(read_database(&parse(&both[..2]).unwrap()).is_ok());
    }
}
