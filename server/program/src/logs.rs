//! The log, on standard error: one line for each event. Text from outside cannot begin a new line.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::{EnvFilter, fmt};

use crate::config::LogFormat;

pub(crate) fn begin(filter: &str, format: LogFormat) {
    let lines = fmt().with_env_filter(EnvFilter::new(filter)).with_writer(stderr).with_target(false);
    match format {
        LogFormat::Text => lines.with_ansi(stderr().is_terminal()).init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
}
