//! Reads the configuration from the command line, the environment and the file, and checks it once.

mod checks;
mod error;
mod file;
mod flags;
mod history_folder;
mod lines;
mod rules;
mod values;

use std::{ffi::OsString, path::PathBuf};

use clap::{ArgMatches, CommandFactory, FromArgMatches, error::ErrorKind, parser::ValueSource};

use self::{checks::check_combinations, lines::Lines};
pub(crate) use self::{
    checks::{read_database, read_pid, read_routes, read_tls},
    error::{ConfigError, SettingError},
    flags::{Command, Config, LogFormat},
};

/// Reads the command line, the environment and the file.
///
/// # Errors
/// The setting that is wrong, and its place. `--help` and `--version` are errors of clap too.
pub(crate) fn read() -> Result<Config, clap::Error> {
    read_from(std::env::args_os())
}

pub(crate) fn read_from(arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Result<Config, clap::Error> {
    let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
    let mut command = Config::command();
    // The first parse finds the name of the file. The second one reports errors, with the settings of the file.
    let early = command.clone().ignore_errors(true).try_get_matches_from(&arguments);
    let path = early.ok().and_then(|matches| matches.get_one::<PathBuf>("file").cloned());
    let mut lines = Lines::default();
    if let Some(path) = path {
        (command, lines) =
            file::apply(command, &path).map_err(|error| Config::command().error(ErrorKind::ValueValidation, error))?;
    }
    let matches = command.try_get_matches_from_mut(arguments)?;
    lines.retain(&matches);
    let mut config = Config { lines, ..Config::from_arg_matches(&matches)? };
    // What goes before the other: the command line, then the environment, then the file.
    if precedence(&matches, "data_dir") > precedence(&matches, "no_history") {
        config.no_history = false;
    } else if precedence(&matches, "data_dir") < precedence(&matches, "no_history") && config.no_history {
        config.data_dir = None;
    }
    check_combinations(&config)
        .map_err(|error| command.error(ErrorKind::ArgumentConflict, config.lines.locate(error)))?;
    Ok(config)
}

/// How strong the place is that a setting comes from; 0 if it is not set.
fn precedence(matches: &ArgMatches, id: &str) -> u8 {
    match matches.value_source(id) {
        Some(ValueSource::CommandLine) => 3,
        Some(ValueSource::EnvVariable) => 2,
        Some(_) => 1,
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Config, clap::Error> {
        read_from([&["watchboard"], arguments].concat())
    }

    #[test]
    fn an_address_has_a_port() {
        let error = parse(&["--listen", "3000"]).unwrap_err().to_string();
        assert!(error.contains("not ADDRESS:PORT"), "{error}");
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
