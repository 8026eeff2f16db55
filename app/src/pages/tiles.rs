//! The figures at the top of the overview: large is now, small is the window.

use leptos::prelude::*;
use watchboard_wire::{Latency, RecentRequests, Snapshot, WindowTotals, format};

use super::{charts, memory::watches_another};
use crate::{
    components::{FULL_PERCENT, StatTile, TIGHT_PERCENT},
    figures::Figures,
    live::{figures_memo, snapshot_text},
};

/// Requests, errors, latency, memory and CPU. The figures of requests are of the last ten seconds.
#[component]
pub(super) fn Tiles() -> impl IntoView {
    let recent =
        |read: fn(&RecentRequests) -> String| snapshot_text(move |snapshot| read(&snapshot.requests.last_ten_seconds));
    let window = |read: fn(&WindowTotals) -> String| {
        figures_memo(move |figures: &Figures| format!("{} in the {}", read(&figures.totals), figures.window_text()))
    };
    let calm = || Memo::new(|_| String::new());
    let whose = if watches_another() { "Application memory" } else { "Process memory" };
    view! {
        <div class="stats">
            <StatTile
                label="Requests, last 10\u{a0}s"
                value=recent(|recent| format::per_second(recent.per_second()))
                detail=window(|totals| format!("{}, {}", format::count(totals.requests as f64), format::per_second(totals.per_second())))
                line=charts::request_rate()
                tone=calm()
            />
            <StatTile
                label="Server errors, last 10\u{a0}s"
                value=recent(|recent| recent.error_percent().map_or_else(dash, format::percent))
                detail=window(|totals| {
                    let percent = totals.error_percent().map_or_else(dash, format::percent);
                    format!("{}, {percent}", format::count(totals.server_errors as f64))
                })
                line=charts::server_errors()
                tone=recent(|recent| error_tone(recent).to_owned())
            />
            <StatTile
                label="p99, last 10\u{a0}s"
                value=recent(|recent| p99(recent.latency))
                detail=window(|totals| p99(totals.latency))
                line=charts::latency_p99()
                tone=calm()
            />
            <StatTile label=whose value=snapshot_text(rss) detail=snapshot_text(memory_detail) line=charts::rss() tone=snapshot_text(memory_tone) />
            <StatTile label="CPU" value=snapshot_text(cpu) detail=snapshot_text(cpu_detail) line=charts::cpu() tone=calm() />
        </div>
    }
}

/// Stands for a missing figure.
fn dash() -> String {
    "–".to_owned()
}

fn p99(latency: Option<Latency>) -> String {
    latency.map_or_else(dash, |latency| format::duration_us(latency.p99_us as f64))
}

/// As the finding of server errors: from 5 % on it is a warning, from 50 % on an incident.
fn error_tone(recent: &RecentRequests) -> &'static str {
    match recent.error_percent() {
        Some(percent) if percent >= 50.0 => "bad",
        Some(percent) if percent >= 5.0 => "warn",
        _ => "",
    }
}

fn rss(snapshot: &Snapshot) -> String {
    snapshot.memory.process.as_ref().map_or_else(|_| dash(), |process| format::bytes(process.rss_bytes as f64))
}

/// The fill of the nearest limit, or why nothing is known.
fn memory_detail(snapshot: &Snapshot) -> String {
    match snapshot.memory.headline() {
        Ok(headline) => format!(
            "{}: {} of {}",
            headline.scope,
            format::percent(headline.percent()),
            format::bytes(headline.limit_bytes as f64)
        ),
        Err(unknown) => unknown.to_string(),
    }
}

fn memory_tone(snapshot: &Snapshot) -> String {
    let percent = snapshot.memory.headline().map_or(0.0, |headline| headline.percent());
    let tone = match percent {
        _ if snapshot.memory.process.is_err() => "bad",
        percent if percent >= FULL_PERCENT => "bad",
        percent if percent >= TIGHT_PERCENT => "warn",
        _ => "",
    };
    tone.to_owned()
}

fn cpu(snapshot: &Snapshot) -> String {
    let percent = snapshot.memory.process.as_ref().ok().and_then(|process| process.cpu_percent);
    percent.map_or_else(dash, format::percent)
}

fn cpu_detail(snapshot: &Snapshot) -> String {
    let of_system =
        |(percent, cpus): (f64, usize)| format!("of a core; system: {} of {cpus} cores", format::percent(percent));
    let system = snapshot.memory.system.as_ref().ok();
    system.and_then(|system| Some(of_system((system.cpu_percent?, system.cpus as usize)))).unwrap_or_default()
}
