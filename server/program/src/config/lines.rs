//! The lines of the configuration file that settings come from.

use clap::{ArgMatches, Id, parser::ValueSource};

use super::error::{ConfigError, SettingError};

/// Each setting of the file by its flag and its id, with the file and the line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines(Vec<(String, Id, String)>);

impl Lines {
    /// Adds a setting by its flag, without dashes.
    pub(super) fn push(&mut self, flag: String, id: Id, line: String) {
        self.0.push((flag, id, line));
    }

    /// Drops the settings that the command line or the environment overrides.
    pub(super) fn retain(&mut self, matches: &ArgMatches) {
        self.0.retain(|(_, id, _)| matches.value_source(id.as_str()) == Some(ValueSource::DefaultValue));
    }

    /// Adds the line of the setting that the error is about, if the setting comes from the file.
    pub(crate) fn locate(&self, setting: SettingError) -> ConfigError {
        let line = self.0.iter().find(|(flag, ..)| Some(flag.as_str()) == setting.flag());
        ConfigError { line: line.map(|(.., line)| line.clone()), setting: Box::new(setting) }
    }
}
