//! `/metrics`: the figures of the snapshot as Prometheus's text or OpenMetrics. Names and bounds are those of OpenTelemetry for requests
//! and commands, and of Prometheus's own clients for the process.

mod commands;
mod exposition;
mod long_lived;
mod process;
mod requests;
mod text;

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use watchboard_wire::{Fault, FullSnapshot};

pub(crate) use self::exposition::Format;
use self::{
    exposition::{Exposition, Kind},
    text::escape_label,
};
use crate::supervision::program;

pub(crate) fn response(format: Format, frozen: &FullSnapshot, faults: &[Fault]) -> Response {
    let mut out = Exposition::new(format);
    write_monitor(&mut out, frozen, faults);
    // A scraper would take old figures for new ones.
    if frozen.stale().is_none() {
        requests::write(&mut out, frozen);
        if let Some(sent) = &frozen.commands {
            commands::write(&mut out, sent);
        }
        process::write(&mut out, &frozen.snapshot);
    }
    ([(header::CONTENT_TYPE, format.content_type()), (header::VARY, header::ACCEPT.into())], out.finish())
        .into_response()
}

/// The state of the monitor itself.
fn write_monitor(out: &mut Exposition, frozen: &FullSnapshot, faults: &[Fault]) {
    let help = "Age of these figures. Past five seconds all others are left out.";
    out.one((Kind::Gauge, "watchboard_snapshot_age_seconds", help), Some(frozen.age().as_secs_f64()));
    let help = "Lines of the program's log that were lost.";
    out.one((Kind::Counter, "watchboard_dropped_log_lines_total", help), Some(program::dropped_log_lines()));
    let help = "Failures of the monitor's own parts, and of the program's.";
    let by_part = faults.iter().map(|fault| (format!("part=\"{}\"", escape_label(&fault.part)), fault.count));
    out.all((Kind::Counter, "watchboard_faults_total", help), by_part);
}
