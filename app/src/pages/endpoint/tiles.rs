//! The figures at the top of an endpoint's page: large is now, small is the window.

use leptos::prelude::*;
use watchboard_wire::{EndpointColumns, EndpointLatency, EndpointRow, Latency, RecentRequests, Unit, format};

use super::{
    super::cells::{RECENTLY, dash, error_tone, rate},
    columns::columns,
};
use crate::{
    components::{ChartData, Series, StatTile, sparkline},
    figures::Figures,
    live::figures_memo,
};

/// What a tile shows of the last ten seconds, and of the window.
type OfRecent = fn(&RecentRequests) -> String;
type OfRow = fn(&EndpointRow, &Figures) -> String;

/// Requests, errors and latency. A past span has its own figures alone.
#[component]
pub(super) fn EndpointTiles() -> impl IntoView {
    let tile = |name: &'static str, now: OfRecent, past: OfRow, count: Option<OfRow>, line: Memo<ChartData>| {
        let label = figures_memo(move |figures| [name, if figures.past.is_some() { "" } else { RECENTLY }].concat());
        let value = of_endpoint(move |recent, row, figures| match figures.past {
            Some(_) => past(row, figures),
            None => now(recent),
        });
        let detail = of_endpoint(move |_, row, figures| {
            let count = count.map(|count| count(row, figures) + ", ").unwrap_or_default();
            format!("{count}{} in the {}", past(row, figures), figures.window_text())
        });
        let line = Memo::new(move |_| line.with(sparkline));
        let tone = match name {
            SERVER_ERRORS => of_endpoint(|recent, row, figures| {
                let percent = match figures.past {
                    Some(_) => error_percent(row),
                    None => recent.error_percent(),
                };
                error_tone(percent).to_owned()
            }),
            _ => Memo::new(|_| String::new()),
        };
        view! { <StatTile label value detail line tone /> }
    };
    let line = |unit, read: fn(&EndpointColumns) -> Series| {
        figures_memo(move |figures| columns(figures, unit, |columns| vec![read(columns)]))
    };
    let no_line = figures_memo(|figures| ChartData::new(figures.span(), Unit::Count));
    let in_time = of_endpoint(|_, row, _| row.within_percent().map_or_else(dash, format::percent));
    let judged = of_endpoint(|_, row, _| format!("of {} that are judged", format::count(row.judged as f64)));
    let in_time_label = figures_memo(|figures| format!("In time, {}", figures.window_text()));
    let in_flight = of_endpoint(|_, row, _| row.in_flight.to_string());
    let (empty, no_tone) = (Memo::new(|_| String::new()), Memo::new(|_| String::new()));
    let no_points = Memo::new(move |_| no_line.with(sparkline));
    view! {
        <div class="stats">
            {tile(
                "Requests",
                |recent| format::per_second(recent.per_second()),
                |row, figures| format::per_second(rate(row.requests, figures.totals.seconds)),
                Some(|row, _| format::count(row.requests as f64)),
                line(Unit::PerSecond, all_requests),
            )}
            {tile(
                SERVER_ERRORS,
                |recent| recent.error_percent().map_or_else(dash, format::percent),
                |row, _| error_percent(row).map_or_else(dash, format::percent),
                Some(|row, _| format::count(row.server_errors as f64)),
                line(Unit::PerSecond, |columns| Series::new("server errors", "hue-server", &columns.server_errors_per_second)),
            )}
            {tile(
                "p50",
                |recent| latency(recent.latency, |latency| latency.p50_us),
                |row, _| window_latency(row, |latency| latency.p50_us),
                None,
                line(Unit::DurationUs, |columns| Series::new("p50", "hue-p50", &columns.latency_p50_us)),
            )}
            {tile(
                "p99",
                |recent| latency(recent.latency, |latency| latency.p99_us),
                |row, _| window_latency(row, |latency| latency.p99_us),
                None,
                line(Unit::DurationUs, |columns| Series::new("p99", "hue-p99", &columns.latency_p99_us)),
            )}
            <StatTile label=in_time_label value=in_time detail=judged line=no_points tone=no_tone />
            <StatTile
                label=Memo::new(|_| "In flight, now".to_owned())
                value=in_flight
                detail=empty
                line=no_points
                tone=no_tone
            />
        </div>
    }
}

const SERVER_ERRORS: &str = "Server errors";

/// A text of the endpoint; empty for an unknown one.
fn of_endpoint(
    read: impl Fn(&RecentRequests, &EndpointRow, &Figures) -> String + Send + Sync + 'static,
) -> Memo<String> {
    figures_memo(move |figures: &Figures| {
        let detail = figures.endpoint.as_ref();
        detail.map(|detail| read(&detail.recent, &detail.row, figures)).unwrap_or_default()
    })
}

/// How many requests ended in a second, whatever became of them.
fn all_requests(columns: &EndpointColumns) -> Series {
    let parts = [
        &columns.fine_per_second,
        &columns.client_errors_per_second,
        &columns.server_errors_per_second,
        &columns.dropped_per_second,
    ];
    let at = |index: usize| parts.iter().map(|part| part.get(index).copied().flatten()).sum::<Option<f32>>();
    let all: Vec<Option<f32>> = (0..columns.fine_per_second.len()).map(at).collect();
    Series::new("requests", "hue-rate", &all)
}

fn error_percent(row: &EndpointRow) -> Option<f64> {
    (row.requests > 0).then(|| 100.0 * row.server_errors as f64 / row.requests as f64)
}

fn latency(latency: Option<Latency>, read: fn(&Latency) -> u64) -> String {
    latency.map_or_else(dash, |latency| format::duration_us(read(&latency) as f64))
}

/// Where none succeeded, of those that failed.
fn window_latency(row: &EndpointRow, read: fn(&Latency) -> u64) -> String {
    let EndpointLatency { succeeded, failed } = row.latency;
    match (succeeded, failed) {
        (None, Some(failed)) => format!("failed: {}", latency(Some(failed), read)),
        _ => latency(succeeded, read),
    }
}
