//! The rules for rows: which routes are ignored, which share a row, and the objective of each.

use std::{fmt, time::Duration};

use clap::Args;
use thiserror::Error;
use watchboard::{Builder, RouteError, Routes};

/// The row of requests that no route matches.
const UNMATCHED: &str = "(unmatched)";
/// The row of endpoints past the limit.
const OTHER: &str = "(other)";

/// The flags of [`Builder`]'s rules.
#[derive(Args, Clone, Debug)]
pub(crate) struct RuleOptions {
    /// The duration that requests should keep, as 300ms or 2s. A row whose p99 is above it is a finding.
    #[arg(long, env = "WATCHBOARD_OBJECTIVE", default_value = "500ms", value_name = "DURATION", value_parser = objective, allow_hyphen_values = true, global = true)]
    pub(super) objective: Duration,

    /// The objective of a route, as /reports/{id}=5s, or of all that begin alike, as /batch/*=1m; can be given several times. The first that matches counts.
    #[arg(long, env = "WATCHBOARD_OBJECTIVE_OF", value_name = "ROUTE=DURATION", value_delimiter = ',', value_parser = objective_of, global = true)]
    pub(super) objective_of: Vec<(String, Duration)>,

    /// A route whose requests are not recorded, as /livez or /internal/*; can be given several times. (unmatched) stands for requests that no route matches.
    #[arg(long, env = "WATCHBOARD_IGNORE", value_name = "ROUTE", value_delimiter = ',', value_parser = route, global = true)]
    pub(super) ignore: Vec<String>,

    /// Routes that share a row, and its name, as /assets/*=assets; can be given several times.
    #[arg(long, env = "WATCHBOARD_GROUP", value_name = "ROUTE=NAME", value_delimiter = ',', value_parser = group, global = true)]
    pub(super) group: Vec<(String, String)>,

    /// Endpoints with a row of their own; further ones share the row (other) of their method.
    #[arg(long, env = "WATCHBOARD_MAX_ENDPOINTS", default_value_t = 512, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=65_536), allow_negative_numbers = true, global = true)]
    pub(super) max_endpoints: u32,
}

/// The rules in words.
impl fmt::Display for RuleOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { objective, objective_of, ignore, group, max_endpoints } = self;
        let time = humantime::format_duration;
        write!(f, "{max_endpoints} at most, objective {}", time(*objective))?;
        objective_of.iter().try_for_each(|(route, objective)| write!(f, ", {route} {}", time(*objective)))?;
        group.iter().try_for_each(|(route, row)| write!(f, ", {route} as {row}"))?;
        ignore.iter().try_for_each(|route| write!(f, ", not {route}"))
    }
}

/// A rule that its flag does not take.
#[derive(Debug, Error)]
pub(crate) enum RuleError {
    #[error("it is not a duration of at most 24 hours, as in 300ms, 2s or 1m")]
    Duration,
    #[error("{0:?} is not a route, as in /users/{{id}} or /internal/*")]
    Route(String),
    #[error("{0:?} has a * before its end: a * stands for all that follows, as in /internal/*")]
    InnerStar(String),
    #[error(transparent)]
    Template(#[from] RouteError),
    #[error("it is not {0}")]
    NoPair(&'static str),
    #[error("{0:?} is the board's own row: choose another name")]
    Taken(String),
}

impl RuleOptions {
    /// Sets the rules.
    pub(crate) fn apply(&self, mut builder: Builder) -> Builder {
        let Self { objective, objective_of, ignore, group, max_endpoints } = self;
        builder = builder.objective(*objective).max_endpoints(*max_endpoints as usize);
        builder = ignore.iter().fold(builder, Builder::ignore);
        builder = group.iter().fold(builder, |builder, (route, row)| builder.group(route, row));
        objective_of.iter().fold(builder, |builder, (route, objective)| builder.objective_of(route, *objective))
    }
}

/// A longer one is a mistake: nothing would ever be late.
const LONGEST_OBJECTIVE: Duration = Duration::from_hours(24);

fn objective(text: &str) -> Result<Duration, RuleError> {
    let is_objective = |duration: &Duration| !duration.is_zero() && *duration <= LONGEST_OBJECTIVE;
    humantime::parse_duration(text).ok().filter(is_objective).ok_or(RuleError::Duration)
}

fn route(text: &str) -> Result<String, RuleError> {
    let beginning = text.strip_suffix('*').unwrap_or(text);
    if text == UNMATCHED {
        return Ok(text.to_owned());
    }
    if !text.starts_with('/') {
        return Err(RuleError::Route(text.to_owned()));
    }
    if beginning.replace("{*", "").contains('*') {
        return Err(RuleError::InnerStar(text.to_owned()));
    }
    // A rule that no row can have is told as a template would be.
    Routes::declared([beginning])?;
    Ok(text.to_owned())
}

/// A route may have a `=` too.
fn pair<'a>(text: &'a str, form: &'static str) -> Result<(String, &'a str), RuleError> {
    let (before, value) = text.rsplit_once('=').ok_or(RuleError::NoPair(form))?;
    Ok((route(before)?, value))
}

fn objective_of(text: &str) -> Result<(String, Duration), RuleError> {
    let (route, duration) = pair(text, "ROUTE=DURATION, as in /reports/{id}=5s")?;
    Ok((route, objective(duration)?))
}

fn group(text: &str) -> Result<(String, String), RuleError> {
    const FORM: &str = "ROUTE=NAME, as in /assets/*=assets";
    let (route, row) = pair(text, FORM)?;
    match row {
        "" => Err(RuleError::NoPair(FORM)),
        UNMATCHED | OTHER => Err(RuleError::Taken(row.to_owned())),
        _ if row.contains(char::is_control) => Err(RuleError::NoPair(FORM)),
        _ => Ok((route, row.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_and_wrong_ones_are_named() {
        assert_eq!(objective_of("/a=b/{id}=1m 30s").unwrap(), ("/a=b/{id}".to_owned(), Duration::from_secs(90)));
        assert_eq!(group("/assets/*=assets").unwrap(), ("/assets/*".to_owned(), "assets".to_owned()));
        for known in ["(unmatched)", "/", "/*", "/static/*", "/files/{*path}", "/orders/{id}:cancel", "/a-*"] {
            assert_eq!(route(known).unwrap(), known);
        }
        for (error, words) in [
            (objective("fast").unwrap_err(), "300ms"),
            (objective("0s").unwrap_err(), "300ms"),
            (objective("25h").unwrap_err(), "at most 24 hours"),
            (objective_of("/a=1year").unwrap_err(), "at most 24 hours"),
            (objective_of("/search").unwrap_err(), "ROUTE=DURATION"),
            (objective_of("search=2s").unwrap_err(), "\"search\" is not a route"),
            (group("/assets/*=").unwrap_err(), "ROUTE=NAME"),
            (group("/assets/*=a\nb").unwrap_err(), "ROUTE=NAME"),
            (group("/assets/*=(other)").unwrap_err(), "\"(other)\" is the board's own row"),
            (route("livez").unwrap_err(), "\"livez\""),
            (route("/a/*/b").unwrap_err(), "/internal/*"),
            (route("/a/:id").unwrap_err(), "{id}"),
            (objective_of("/a/{b=2s").unwrap_err(), "\"/a/{b\""),
        ] {
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
