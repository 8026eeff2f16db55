//! Parsers of single values, for clap.

use std::{net::SocketAddr, ops::RangeInclusive, sync::Arc, time::Duration};

use http::uri::{Authority, PathAndQuery, Uri};
use thiserror::Error;
use watchboard::HistoryStep;

use crate::proxy::{Upstream, UpstreamPlace, UpstreamProtocol};
use tracing_subscriber::{
    EnvFilter,
    filter::{LevelFilter, ParseError},
};

/// A value that its flag does not take.
#[derive(Debug, Error)]
pub(crate) enum ValueError {
    #[error("it is not ADDRESS:PORT, as in 127.0.0.1:8080 or [::]:8080")]
    Address,
    #[error("it is not a URL, as in http://127.0.0.1:8000")]
    Url,
    #[error(
        "an application has one of these addresses: http://HOST:PORT, h2c://HOST:PORT (HTTP/2), https://HOST:PORT, unix:PATH"
    )]
    UpstreamScheme,
    #[error("requests keep their own paths: give the application's address alone, http://HOST:PORT")]
    UpstreamPath,
    #[error("it is not a whole number of seconds, from 1 to 86400")]
    Seconds,
    #[error("it is not STEP=TIME with a step of 10s, 1m or 15m, and a time from 15m to 10years, as in 10s=48h")]
    KeptSteps,
    #[error("a name of 1 to 100 characters that can be seen, and not `all`, which stands for all instances")]
    InstanceName,
    #[error("the document is asked for in plain HTTP, as the application is; or give a file")]
    DocumentScheme,
    #[error("{0:?} is none of off, error, warn, info, debug, trace; a module has its level with it, as in hyper=debug")]
    LogLevel(String),
    #[error(transparent)]
    LogFilter(#[from] ParseError),
}

/// The address that the application listens at.
pub(super) fn upstream(text: &str) -> Result<Upstream, ValueError> {
    if let Some((scheme, path)) = text.split_once("unix:") {
        let protocol = match scheme {
            "" | "http+" => UpstreamProtocol::Http,
            "h2c+" => UpstreamProtocol::H2c,
            _ => return Err(ValueError::UpstreamScheme),
        };
        // As many write it, with an empty host.
        let path = path.strip_prefix("//").filter(|rest| rest.starts_with('/')).unwrap_or(path);
        let place = UpstreamPlace::Unix(Arc::new(path.into()));
        return if path.is_empty() { Err(ValueError::Url) } else { Ok(Upstream { protocol, place }) };
    }
    let uri: Uri = text.parse().map_err(|_| ValueError::Url)?;
    let protocol = match uri.scheme_str() {
        None | Some("http") => UpstreamProtocol::Http,
        Some("h2c") => UpstreamProtocol::H2c,
        Some("https") => UpstreamProtocol::Https,
        Some(_) => return Err(ValueError::UpstreamScheme),
    };
    if !matches!(uri.path_and_query().map(PathAndQuery::as_str), None | Some("/" | "")) {
        return Err(ValueError::UpstreamPath);
    }
    // `http` returns no number for text that is not a port.
    let is_address = |authority: &&Authority| {
        let has_port = authority.as_str().len() > authority.host().len();
        !authority.as_str().contains('@') && !authority.host().is_empty() && has_port == authority.port_u16().is_some()
    };
    // `8000` alone would be a host of that name.
    let has_scheme_or_port = uri.scheme().is_some() || uri.port().is_some();
    let authority = uri.authority().filter(is_address).filter(|_| has_scheme_or_port);
    let authority = authority.filter(|authority| authority.port_u16() != Some(0));
    let place = authority.cloned().map(UpstreamPlace::Tcp).ok_or(ValueError::Url)?;
    Ok(Upstream { protocol, place })
}

pub(super) fn seconds(text: &str) -> Result<u64, ValueError> {
    text.parse().ok().filter(|seconds| (1..=86_400).contains(seconds)).ok_or(ValueError::Seconds)
}

/// Less would not fill the shortest window of them; more is a mistake.
const KEPT: RangeInclusive<Duration> = Duration::from_mins(15)..=Duration::from_hours(10 * 366 * 24);

/// A length of the history's steps, and for how long they are kept.
pub(super) fn kept_steps(text: &str) -> Result<(HistoryStep, Duration), ValueError> {
    let (step, time) = text.split_once('=').ok_or(ValueError::KeptSteps)?;
    let step = match step.trim() {
        "10s" => HistoryStep::TenSeconds,
        "1m" => HistoryStep::Minute,
        "15m" => HistoryStep::QuarterHour,
        _ => return Err(ValueError::KeptSteps),
    };
    let time = humantime::parse_duration(time.trim()).ok().filter(|time| KEPT.contains(time));
    Ok((step, time.ok_or(ValueError::KeptSteps)?))
}

/// The name of an instance in a fleet.
pub(super) fn instance_name(text: &str) -> Result<String, ValueError> {
    let name = text.trim();
    if watchboard_wire::is_instance_name(name) { Ok(name.to_owned()) } else { Err(ValueError::InstanceName) }
}

pub(super) fn document(text: &str) -> Result<String, ValueError> {
    if text.starts_with("https://") { Err(ValueError::DocumentScheme) } else { Ok(text.to_owned()) }
}

pub(super) fn filter(text: &str) -> Result<String, ValueError> {
    // A single word that is not a level would be the name of a module, and turn all others off.
    let is_valid = |word: &str| word.is_empty() || word.contains(['=', '[']) || word.parse::<LevelFilter>().is_ok();
    if let Some(word) = text.split(',').map(str::trim).find(|word| !is_valid(word)) {
        return Err(ValueError::LogLevel(word.to_owned()));
    }
    EnvFilter::try_new(text)?;
    Ok(text.to_owned())
}

pub(super) fn address(text: &str) -> Result<SocketAddr, ValueError> {
    text.parse().map_err(|_| ValueError::Address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_step_is_read_or_refused_with_the_form() {
        let hours = Duration::from_hours;
        assert_eq!(kept_steps("10s=48h").unwrap(), (HistoryStep::TenSeconds, hours(48)));
        assert_eq!(kept_steps("1m = 30d").unwrap(), (HistoryStep::Minute, hours(30 * 24)));
        assert_eq!(kept_steps("15m=398days").unwrap(), (HistoryStep::QuarterHour, hours(398 * 24)));
        for wrong in ["", "10s", "10s=", "=48h", "1h=48h", "10s=5m", "10s=11years", "10s=48", "10s=-1h"] {
            assert!(kept_steps(wrong).unwrap_err().to_string().contains("as in 10s=48h"), "{wrong}");
        }
    }
}
