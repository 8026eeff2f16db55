//! The configuration file: TOML with every flag by its name, `proxy_listen = "127.0.0.1:8080"`. The command line overrides the environment, and
//! both override the file.

use std::{
    error::Error as _,
    io,
    path::{Path, PathBuf},
};

use clap::{
    Arg, ArgAction, Command,
    builder::Resettable,
    error::{ContextKind, ContextValue, ErrorKind},
};
use thiserror::Error;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::lines::Lines;
use crate::file_reader::read_text_in_time;

/// The flag that names the file. The file itself cannot set it.
const CONFIG_FLAG: &str = "config";

/// The file cannot be read, or a line of it cannot be used.
#[derive(Debug, Error)]
pub(super) enum FileError {
    #[error("the configuration file {} cannot be read: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{line}: {message}")]
    Syntax { line: String, message: String },
    #[error("{line}: there is no setting `{key}`: there are {settings}")]
    UnknownSetting { line: String, key: String, settings: String },
    #[error("{line}: `{key}`: {source}")]
    Setting { line: String, key: String, source: TomlValueError },
}

/// A value of the file that its flag does not take. No message quotes the value: it may be a secret.
#[derive(Debug, Error)]
pub(super) enum TomlValueError {
    #[error("it is a {0}, where text, a number, true or false, or a list of these is meant")]
    Type(&'static str),
    #[error("true or false is meant")]
    NotBoolean,
    #[error("one value is meant")]
    NotSingle,
    #[error("it is none of the values that there are: {0}")]
    NotListed(String),
    /// The message of the flag's parser.
    #[error("{0}")]
    Invalid(String),
}

/// Makes the settings of the file the defaults of their flags, and returns their lines.
///
/// # Errors
/// The line that is wrong, and the reason.
pub(super) fn apply(mut command: Command, path: &Path) -> Result<(Command, Lines), FileError> {
    let text = read_text_in_time(path).map_err(|source| FileError::Unreadable { path: path.to_owned(), source })?;
    let line = |at: usize| {
        let line = 1 + text[..at.min(text.len())].matches('\n').count();
        format!("{}, line {line}", path.display())
    };
    let mut lines = Lines::default();
    let table = DeTable::parse(&text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        FileError::Syntax { line: line(at), message: error.message().to_owned() }
    })?;
    for (key, value) in table.get_ref() {
        let (at, key) = (key.span().start, key.get_ref());
        let name = key.replace('_', "-");
        let flag = command.get_arguments().find(|flag| flag.get_long() == Some(&name) && name != CONFIG_FLAG).cloned();
        let flag = flag.ok_or_else(|| FileError::UnknownSetting {
            line: line(at),
            key: key.to_string(),
            settings: setting_names(&command),
        })?;
        let words = words(value).and_then(|words| validate_values(&command, &flag, words));
        let words = words.map_err(|source| FileError::Setting {
            line: line(value.span().start),
            key: key.to_string(),
            source,
        })?;
        // clap reads the command line first, then the environment, then defaults.
        let is_hidden = flag.get_action().takes_values();
        lines.push(name, flag.get_id().clone(), line(at));
        command = command.mut_arg(flag.get_id(), |flag| flag.default_values(words).hide_default_value(is_hidden));
    }
    Ok((command, lines))
}

/// A value as the command line would have it.
fn words(value: &Spanned<DeValue<'_>>) -> Result<Vec<String>, TomlValueError> {
    match value.get_ref() {
        DeValue::String(text) => Ok(vec![text.to_string()]),
        DeValue::Integer(number) => Ok(vec![number.to_string()]),
        DeValue::Boolean(holds) => Ok(vec![holds.to_string()]),
        DeValue::Array(list) => list.iter().map(words).collect::<Result<Vec<_>, _>>().map(|lists| lists.concat()),
        other => Err(TomlValueError::Type(other.type_str())),
    }
}

/// Returns the words if the flag's own parser takes them.
fn validate_values(command: &Command, flag: &Arg, words: Vec<String>) -> Result<Vec<String>, TomlValueError> {
    let long = flag.get_long().unwrap_or_default();
    let arguments: Vec<String> = match flag.get_action() {
        ArgAction::SetTrue if matches!(&words[..], [word] if word == "true" || word == "false") => return Ok(words),
        ArgAction::SetTrue => return Err(TomlValueError::NotBoolean),
        ArgAction::Set if words.len() != 1 => return Err(TomlValueError::NotSingle),
        _ => words.iter().map(|word| format!("--{long}={word}")).collect(),
    };
    // Without the environment and other flags: their errors are not the file's.
    let alone = command.clone().mut_args(|flag| flag.env(Resettable::Reset));
    match alone.try_get_matches_from(std::iter::once("watchboard".to_owned()).chain(arguments)) {
        Err(error) if matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue) => {
            Err(match (error.source(), error.get(ContextKind::ValidValue)) {
                (Some(source), _) => TomlValueError::Invalid(source.to_string()),
                (None, Some(ContextValue::Strings(values))) => TomlValueError::NotListed(values.join(", ")),
                (None, _) => TomlValueError::NotListed(String::new()),
            })
        }
        _ => Ok(words),
    }
}

/// All settings that the file can have.
fn setting_names(command: &Command) -> String {
    let flags = command.get_arguments().filter_map(|flag| flag.get_long());
    let names =
        flags.filter(|name| ![CONFIG_FLAG, "help", "version"].contains(name)).map(|name| name.replace('-', "_"));
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, read_database, read_from, read_routes};
    use std::io::Write;

    /// What a file with this text comes to.
    fn read(text: &str, arguments: &[&str]) -> Result<Config, String> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let named = [&["watchboard", "--config", file.path().to_str().unwrap()], arguments].concat();
        read_from(named).map_err(|error| error.render().to_string())
    }

    #[test]
    fn every_setting_is_read_and_gives_way_to_flags() {
        let text = "
            # What the operator set.
            listen = \"127.0.0.1:9000\"
            upstream = \"http://127.0.0.1:8000\"
            route = [\"/users/{id}\", \"/files/{*path}\"]
            upstream_timeout = 5
            ready-needs-database = true
            mongodb_uri = \"mongodb://ada:secret@localhost\"
            log_format = \"json\"
            trace_url = \"https://jaeger.local/trace/{trace_id}\"
        ";
        let config = read(text, &["--upstream-timeout", "9"]).unwrap();
        assert_eq!(config.listen.port(), 9000);
        assert_eq!(config.upstream.as_ref().map(ToString::to_string).as_deref(), Some("http://127.0.0.1:8000"));
        assert_eq!((config.route.len(), config.upstream_timeout, config.ready_needs_database), (2, 9, true));
        assert_eq!(read(text, &["check"]).unwrap().upstream_timeout, 5, "before a command's name too");
        assert_eq!(
            config.trace_url.map(|url| url.to_string()).as_deref(),
            Some("https://jaeger.local/trace/{trace_id}")
        );
        let help = read(text, &["--help"]).unwrap_err();
        assert!(!help.contains("secret"), "{help}");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, said) in [
            ("\nlisten = 9000\n", "line 2: `listen`: it is not ADDRESS:PORT"),
            ("upstrem = \"http://a\"", "line 1: there is no setting `upstrem`: there are listen, "),
            ("config = \"other.toml\"", "there is no setting `config`"),
            (
                "\n\nupstream_timeout = 0",
                "line 3: `upstream_timeout`: it is not a whole number of seconds, from 1 to 86400",
            ),
            ("ready_needs_database = \"yes\"", "`ready_needs_database`: true or false is meant"),
            ("listen = [\"127.0.0.1:1\", \"127.0.0.1:2\"]", "one value is meant"),
            ("listen = \"127.0.0.1:1\"\nlisten = \"127.0.0.1:2\"", "line 2: "),
            ("[board]\nlisten = \"127.0.0.1:1\"", "line 1: there is no setting `board`"),
            ("log_format = \"xml\"", "`log_format`: it is none of the values that there are: text, json"),
            ("listen = ", "line 1: "),
            ("\ntls_cert = \"cert.pem\"", "line 2: TLS takes a certificate and its key: give --tls-cert and --tls-key"),
            ("log = \"warning\"", "line 1: `log`: \"warning\" is none of off, error, warn, info, debug, trace"),
            ("openapi = \"https://a/openapi.json\"", "line 1: `openapi`: the document is asked for in plain HTTP"),
            ("\ntrace_url = \"jaeger.local/{trace_id}\"", "line 2: `trace_url`: it is not a URL of http or https"),
            ("trace_url = \"https://jaeger.local/trace\"", "`trace_url`: it has neither {trace_id} nor {request_id}"),
            ("upstream = 8000", "line 1: `upstream`: it is not a URL"),
            ("\nupstream = \"http://127.0.0.1:8080\"", "line 2: --upstream http://127.0.0.1:8080 is watchboard itself"),
            (
                "upstream = \"http://a\"\nproxy_listen = \"0.0.0.0:3000\"",
                "line 2: --proxy-listen 0.0.0.0:3000 is where the board listens",
            ),
            ("route = \"/users/{id}\"", "line 1: --route is of the application that --upstream names"),
        ] {
            let error = read(text, &[]).unwrap_err();
            assert!(error.contains(said), "{text:?}: {error}");
        }
        let config = read("upstream = \"http://a\"\nroute = \"users\"\nready_needs_database = true", &[]).unwrap();
        let error = config.lines.locate(read_routes(&config).unwrap_err()).to_string();
        assert!(error.contains("line 2: --route: ") && error.contains("\"users\""), "{error}");
        let error = config.lines.locate(read_database(&config).unwrap_err()).to_string();
        assert!(error.contains("line 3: --ready-needs-database needs a database"), "{error}");
        let config = read("\nhost = \"board.example\"", &["--listen", "0.0.0.0:3000"]).unwrap();
        let error = config.lines.locate(config.login.build(config.listen, false).unwrap_err().into()).to_string();
        assert!(error.starts_with("--listen 0.0.0.0:3000 is reached") && error.contains("without --host"), "{error}");
        // What the command line said is not the file's fault.
        let config = read("upstream = \"http://a\"\nroute = \"/a\"", &["--route", "users"]).unwrap();
        let error = config.lines.locate(read_routes(&config).unwrap_err()).to_string();
        assert!(error.starts_with("--route: "), "{error}");
        let error = read_from(["watchboard", "--config", "/nowhere/watchboard.toml"]).unwrap_err().to_string();
        assert!(error.contains("/nowhere/watchboard.toml cannot be read"), "{error}");
    }
}
