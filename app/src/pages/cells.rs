//! The cells and facts that several views have.

use watchboard_wire::{Axis, EndpointLatency, Latency, Snapshot, Unit, format};

use crate::components::{Cell, Fact};

/// A count, short, with all its digits as title.
pub(super) fn count_cell(count: u64) -> Cell {
    Cell::number(format::count(count as f64), format::exact(count))
}

/// A count that should be zero: it has a class if it is not.
pub(super) fn flagged_count_cell(count: u64, class: &'static str) -> Cell {
    if count > 0 { count_cell(count).class(class) } else { count_cell(count) }
}

/// A time, short, with its microseconds as title; a dash if there is no time.
pub(super) fn duration_cell(us: Option<u64>) -> Cell {
    match us {
        Some(us) => Cell::number(format::duration_us(us as f64), format!("{}\u{a0}µs", format::exact(us))),
        None => Cell::dash(),
    }
}

/// A figure of the requests that succeeded; its title has that of the requests that failed, if some did.
pub(super) fn latency_cell(latency: &EndpointLatency, read: fn(&Latency) -> u64) -> Cell {
    let cell = duration_cell(latency.succeeded.as_ref().map(read));
    match latency.failed.as_ref().map(read) {
        Some(us) => cell.with_title(format!("{} of requests that failed", format::duration_us(us as f64))),
        None => cell,
    }
}

/// The logarithmic scale that the ranges from p50 to p99 of a column share.
pub(super) struct RangeScale(Axis);

impl RangeScale {
    /// The scale that holds all these latencies.
    pub(super) fn new(latencies: impl Iterator<Item = Latency>) -> Self {
        let (least, most) = latencies.fold((f64::INFINITY, 0.0_f64), |(least, most), latency| {
            (least.min(latency.p50_us as f64), most.max(latency.p99_us as f64))
        });
        Self(Unit::log_axis(least, most))
    }

    /// The range of a row; a dash without a latency.
    pub(super) fn cell(&self, latency: Option<&Latency>, title: String) -> Cell {
        let Some(latency) = latency else { return Cell::dash() };
        let ends = [latency.p50_us, latency.p99_us].map(|us| us as f64);
        let [p50, p99] = ends.map(format::duration_us);
        let [from, to] = ends.map(|us| 100.0 * self.0.place(us));
        Cell::range(format!("{p50} – {p99}"), (from, to), title)
    }
}

/// One of the snapshot's times as a time of day, with its date as title.
pub(super) fn time_cell(snapshot: &Snapshot, unix_ms: u64) -> Cell {
    Cell::words(snapshot.clock(unix_ms)).with_title(snapshot.date_time(unix_ms))
}

/// How many a second there were, in the seconds that were watched.
pub(super) fn rate(count: u64, seconds: u64) -> f64 {
    count as f64 / seconds.max(1) as f64
}

/// A part as a percentage of its whole.
pub(super) fn share(count: u64, total: u64) -> String {
    format::percent(100.0 * count as f64 / total.max(1) as f64)
}

/// The class of a status that asks for attention.
pub(super) fn code_class(status: u16) -> &'static str {
    match status / 100 {
        4 => "warn",
        5 => "bad",
        _ => "",
    }
}

/// A size as a fact: short, with the exact bytes as its title.
pub(super) fn size_fact(name: &'static str, bytes: u64) -> Fact {
    (name, format::bytes(bytes as f64), format!("{} bytes", format::exact(bytes)))
}

/// A figure, or a dash, with the same title for both.
pub(super) fn optional_fact(name: &'static str, value: Option<String>, title: &str) -> Fact {
    (name, value.unwrap_or_else(|| "–".to_owned()), title.to_owned())
}

/// A figure without a title, or a dash with the reason as its title.
pub(super) fn fact_or_reason(name: &'static str, value: Option<String>, reason: &str) -> Fact {
    match value {
        Some(value) => (name, value, String::new()),
        None => (name, "–".to_owned(), reason.to_owned()),
    }
}

/// A change in percent of what was before; `None` if there was nothing.
pub(super) fn percent_change(now: f64, before: f64) -> Option<String> {
    (before > 0.0).then(|| signed(100.0 * (now - before) / before, "\u{a0}%"))
}

/// A number with its sign, short.
pub(super) fn signed(value: f64, unit: &str) -> String {
    match value {
        value if value.abs() < 0.05 => format!("±0{unit}"),
        value => {
            let (sign, decimals) = (if value < 0.0 { "" } else { "+" }, u32::from(value.abs() < 10.0));
            [sign, &format::fixed(value, decimals), unit].concat()
        }
    }
}

/// The change of a figure from the earlier span, in percent; its title has what it was.
pub(super) fn change_cell(now: Option<f64>, before: Option<f64>, text: fn(f64) -> String) -> Cell {
    match (now, before) {
        (Some(now), Some(before)) if before > 0.0 => {
            let change = percent_change(now, before).unwrap_or_default();
            Cell::number(change, format!("{} in the earlier span", text(before)))
        }
        (Some(now), _) if now > 0.0 => Cell::number("new".to_owned(), "none in the earlier span".to_owned()),
        _ => Cell::dash(),
    }
}

/// Ends the label of a figure that is of now.
pub(super) const RECENTLY: &str = ", last 10\u{a0}s";

/// Stands for a missing figure.
pub(super) fn dash() -> String {
    "–".to_owned()
}

/// As the finding of server errors: from 5 % on it is a warning, from 50 % on an incident.
pub(super) fn error_tone(percent: Option<f64>) -> &'static str {
    match percent {
        Some(percent) if percent >= 50.0 => "bad",
        Some(percent) if percent >= 5.0 => "warn",
        _ => "",
    }
}
