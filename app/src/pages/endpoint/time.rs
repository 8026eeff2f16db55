//! The mean time of an endpoint's requests over the window, in its parts.

use leptos::prelude::*;
use watchboard_wire::{EndpointColumns, Unit};

use super::columns::columns;
use crate::{
    components::{Chart, ChartData, ChartShape, Series},
    live::figures_memo,
    pages::memory::watches_another,
};

/// The mean time of a request in parts. Of an application that embeds the monitor the database is known, of a proxied one the upstream.
#[component]
pub(super) fn TimeChart() -> impl IntoView {
    let data = figures_memo(|figures| ChartData {
        shape: ChartShape::Stack,
        total: "whole",
        ..columns(figures, Unit::DurationUs, |columns| time_parts(columns, watches_another()))
    });
    view! { <Chart title="Time of a request" note="The mean, in parts that add up: the part that grows is what is slow." data /> }
}

/// They are always the same, so that a legend gets no entry while it is looked at.
fn time_parts(columns: &EndpointColumns, is_proxied: bool) -> Vec<Series> {
    let whole = &columns.duration_mean_us;
    // What is left of one time after a part of it.
    let less = |whole: &[Option<u32>], part: &[Option<u32>]| -> Vec<Option<u32>> {
        let parts = part.iter().copied().chain(std::iter::repeat(None));
        whole.iter().zip(parts).map(|(whole, part)| Some((*whole)?.saturating_sub(part.unwrap_or(0)))).collect()
    };
    if !is_proxied {
        let (waited, database) = (&columns.connection_wait_mean_us, &columns.database_mean_us);
        return vec![
            Series::new("waiting for a connection", "hue-cpu", waited),
            Series::new("database", "hue-database", database),
            Series::new("elsewhere", "hue-p50", &less(&less(whole, database), waited)),
        ];
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
            ..EndpointColumns::default()
        };
        let proxied = EndpointColumns {
            first_byte_mean_us: vec![None, Some(80), Some(40)],
            connect_mean_us: vec![None, Some(10), Some(0)],
            ..embedded.clone()
        };
        let values = |columns: &EndpointColumns, is_proxied: bool, at: usize| {
            time_parts(columns, is_proxied).iter().map(|series| series.values[at]).collect::<Vec<_>>()
        };
        assert_eq!(values(&embedded, false, 0), [None, None, None]);
        assert_eq!(values(&embedded, false, 1), [Some(0.0), Some(30.0), Some(70.0)]);
        let short = EndpointColumns { connection_wait_mean_us: vec![None, Some(25), None], ..embedded.clone() };
        assert_eq!(values(&short, false, 1), [Some(25.0), Some(30.0), Some(45.0)]);
        assert_eq!(values(&proxied, true, 1), [Some(10.0), Some(70.0), Some(20.0)]);
        assert_eq!(values(&proxied, true, 2), [Some(0.0), Some(40.0), Some(10.0)]);
    }
}
