//! What the binary says of itself, on standard error: a line for each event, in which nothing from outside can begin another.

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
