//! The readings of the database server, each with its time.

use watchboard_wire::{DatabaseServer, DatedReading, Reading, Unknown, format, reading_ref};

use crate::figures::Figures;

fn server(figures: &Figures) -> Option<&DatabaseServer> {
    figures.database.as_ref().and_then(|database| database.server.as_ref())
}

/// One reading of the server, or the reason why there is none.
pub(super) fn server_reading<T>(
    figures: &Figures,
    part: fn(&DatabaseServer) -> Option<&DatedReading<T>>,
) -> Reading<&T> {
    let dated = server(figures).and_then(part).ok_or_else(|| Unknown::because("Not asked yet."))?;
    reading_ref(&dated.reading)
}

/// The age of a reading in a sentence; empty before the first.
pub(super) fn reading_age(figures: &Figures, asked_at: fn(&DatabaseServer) -> Option<u64>) -> String {
    let ago = |at: u64| format::span(figures.snapshot.taken_at_unix_ms.saturating_sub(at) / 1000);
    let round_us = server(figures).map_or(0, |server| server.round_max_us);
    let round = format::duration_us(round_us as f64);
    let asked_at = server(figures).and_then(asked_at);
    asked_at
        .map(|at| format!("Asked {} ago; all questions of a second took {round} at most.", ago(at)))
        .unwrap_or_default()
}
