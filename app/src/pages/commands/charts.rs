//! The charts of the application's commands and of its connections.

use leptos::prelude::*;
use watchboard_wire::Unit;

use super::app_commands;
use crate::{
    components::{Chart, ChartData, ChartLimit, ChartShape, Series},
    figures::Figures,
    live::figures_memo,
    pages::charts::{columns, over_earlier, shaped},
};

#[component]
pub(in crate::pages) fn CommandRateChart() -> impl IntoView {
    let data = shaped(ChartShape::Stack, Unit::PerSecond, |columns| {
        let known = columns.commands_per_second.iter().enumerate();
        let kinds = [&columns.commands_reading_per_second, &columns.commands_writing_per_second];
        let others = known.map(|(at, all)| {
            let known: f32 = kinds.iter().filter_map(|column| column.get(at).copied().flatten()).sum();
            all.map(|all| (all - known).max(0.0))
        });
        vec![
            Series::new("read", "hue-rate", kinds[0]),
            Series::new("write", "hue-client", kinds[1]),
            Series::new("other", "hue-system", &others.collect::<Vec<_>>()),
        ]
    });
    view! { <Chart title="Commands" note="Per second, by kind: growing faster than the requests, each of them asks more." data compact=true /> }
}

#[component]
pub(in crate::pages) fn CommandLatencyChart() -> impl IntoView {
    let data = shaped(ChartShape::Bands, Unit::DurationUs, |columns| {
        vec![
            Series::new("p50", "hue-p50", &columns.command_p50_us),
            Series::new("p95", "hue-p95", &columns.command_p95_us),
            Series::new("p99", "hue-p99", &columns.command_p99_us),
        ]
    });
    view! { <Chart title="Command latency" note="From sending to the answer: growth is a slower server, or larger questions." data compact=true /> }
}

#[component]
pub(in crate::pages) fn ConnectionsChart() -> impl IntoView {
    let data = figures_memo(|figures| {
        let series = |figures: &Figures| {
            let columns = &figures.timeline.columns;
            vec![
                Series::new("in use", "hue-database", &columns.connections_in_use),
                Series::new("waiting", "hue-server", &columns.connections_waiting),
            ]
        };
        let limit: u64 =
            app_commands(figures).map_or(0, |all| all.pools.iter().map(|pool| pool.max).max().unwrap_or(0));
        let shape = ChartShape::Stack;
        let limit = (limit > 0).then_some(ChartLimit { name: "limit", value: limit as f64, is_drawn: true });
        ChartData { shape, limit, ..over_earlier(figures, Unit::Count, series) }
    });
    view! { <Chart title="Connections" note="Of the fullest pool, the most of each step: at the limit, commands wait for one." data compact=true /> }
}

#[component]
pub(in crate::pages) fn WaitsChart() -> impl IntoView {
    let data =
        columns(Unit::DurationUs, |columns| vec![Series::new("p99", "hue-p99", &columns.connection_wait_p99_us)]);
    view! { <Chart title="Waiting for a connection" note="Before a command is sent: near zero while the pool is large enough." data compact=true /> }
}
