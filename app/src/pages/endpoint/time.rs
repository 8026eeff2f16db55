//! The mean time of an endpoint's requests over the window, in its parts.

use leptos::prelude::*;
use watchboard_wire::{EndpointColumns, Unit};

use super::columns::columns;
use crate::{
    components::{Chart, ChartData, ChartShape, Series},
    live::figures_memo,
};

/// The mean time of a request in parts. Of an application that embeds the monitor the database is known, of a proxied one the upstream.
#[component]
pub(super) fn TimeChart() -> impl IntoView {
    let data = figures_memo(|figures| ChartData {
        shape: ChartShape::Stack,
        total: "whole",
        ..columns(figures, Unit::DurationUs, time_parts)
    });
    view! { <Chart title="Time of a request" note="The mean, in parts that add up: the part that grows is what is slow." data /> }
}

fn time_parts(columns: &EndpointColumns) -> Vec<Series> {
    let whole = &columns.duration_mean_us;
    // What is left of one time after a part of it.
    let less = |whole: &[Option<u32>], part: &[Option<u32>]| -> Vec<Option<u32>> {
        let parts = part.iter().copied().chain(std::iter::repeat(None));
        whole.iter().zip(parts).map(|(whole, part)| Some((*whole)?.saturating_sub(part.unwrap_or(0)))).collect()
    };
    if columns.first_byte_mean_us.iter().all(Option::is_none) {
        let (waited, database) = (&columns.connection_wait_mean_us, &columns.database_mean_us);
        let mut parts = vec![
            Series::new("database", "hue-database", database),
            Series::new("elsewhere", "hue-p50", &less(&less(whole, database), waited)),
        ];
        if waited.iter().any(|waited| waited.is_some_and(|us| us > 0)) {
            parts.insert(0, Series::new("waiting for a connection", "hue-cpu", waited));
        }
        return parts;
    }
    let (connect, first_byte) = (&columns.connect_mean_us, &columns.first_byte_mean_us);
    vec![
        Series::new("new connections", "hue-cpu", connect),
        Series::new("until the first byte", "hue-p95", &less(first_byte, connect)),
        Series::new("body, and the proxy", "hue-p50", &less(whole, first_byte)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_the_mean_time_add_up_to_it() {
        let embedded = EndpointColumns {
            duration_mean_us: vec![None, Some(100), Some(50)],
            database_mean_us: vec![None, Some(30), Some(60)],
            connection_wait_mean_us: vec![None, Some(0), Some(0)],
            first_byte_mean_us: vec![None; 3],
            ..EndpointColumns::default()
        };
        let proxied = EndpointColumns {
            first_byte_mean_us: vec![None, Some(80), Some(40)],
            connect_mean_us: vec![None, Some(10), Some(0)],
            ..embedded.clone()
        };
        let values = |columns: &EndpointColumns, at: usize| -> Vec<_> {
            time_parts(columns).iter().map(|series| series.values[at]).collect()
        };
        assert_eq!(values(&embedded, 0), [None, None]);
        assert_eq!(values(&embedded, 1), [Some(30.0), Some(70.0)]);
        let short = EndpointColumns { connection_wait_mean_us: vec![None, Some(25), None], ..embedded.clone() };
        assert_eq!(values(&short, 1), [Some(25.0), Some(30.0), Some(45.0)]);
        assert_eq!(values(&proxied, 1), [Some(10.0), Some(70.0), Some(20.0)]);
        assert_eq!(values(&proxied, 2), [Some(0.0), Some(40.0), Some(10.0)]);
    }
}
