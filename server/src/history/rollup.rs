//! Frames into points. Percentiles come of merged histograms, never of averaged percentiles.

use watchboard_app::wire::{STEP_SECONDS, Timeline, TimelineColumns};

use super::Frame;
use crate::requests::{Interval, latency};

/// The point of number `number` from its frames: a timeline of one.
pub(crate) fn point<'a>(
    started_at_unix_ms: u64,
    number: u64,
    frames: impl Iterator<Item = &'a Frame> + Clone,
) -> Timeline {
    let first_tick = number * STEP_SECONDS;
    let frames = frames.filter(move |frame| (first_tick..first_tick + STEP_SECONDS).contains(&frame.tick));
    let seconds = frames.clone().count();
    let requests = Interval::merge(frames.clone().map(|frame| &frame.requests));
    let rate = |count: u64| vec![(seconds > 0).then(|| hundredths(count as f64 / seconds as f64))];
    let latency = latency(&requests.latency);
    let us = |us: Option<u64>| vec![us.map(|us| u32::try_from(us).unwrap_or(u32::MAX))];
    let mean = |read: fn(&Frame) -> Option<f64>| {
        let known: Vec<f64> = frames.clone().filter_map(read).collect();
        vec![(!known.is_empty()).then(|| hundredths(known.iter().sum::<f64>() / known.len() as f64))]
    };
    let last = frames.clone().last();
    Timeline {
        started_at_unix_ms,
        first: number,
        columns: TimelineColumns {
            requests_per_second: rate(requests.requests),
            server_errors_per_second: rate(requests.server_errors),
            client_errors_per_second: rate(requests.client_errors),
            latency_p50_us: us(latency.map(|latency| latency.p50_us)),
            latency_p95_us: us(latency.map(|latency| latency.p95_us)),
            latency_p99_us: us(latency.map(|latency| latency.p99_us)),
            rss_bytes: vec![last.and_then(|frame| frame.rss_bytes)],
            memory_percent: vec![last.and_then(|frame| frame.memory_percent).map(hundredths)],
            process_cpu_percent: mean(|frame| frame.process_cpu_percent),
            system_cpu_percent: mean(|frame| frame.system_cpu_percent),
            database_latency_us: us(frames.filter_map(|frame| frame.database_latency_us).max()),
        },
    }
}

/// Charts show no more, and the wire carries no more.
fn hundredths(value: f64) -> f32 {
    ((value * 100.0).round() / 100.0) as f32
}

#[cfg(test)]
mod tests {
    use histogram::{Histogram, SparseHistogram};

    use super::*;

    fn frame(tick: u64, durations_us: &[u64]) -> Frame {
        let mut histogram = Histogram::new(7, 32).unwrap();
        for duration in durations_us {
            histogram.increment(*duration).unwrap();
        }
        let latency = SparseHistogram::from(&histogram);
        let requests = durations_us.len() as u64;
        Frame {
            tick,
            requests: Interval { requests, server_errors: 0, client_errors: requests, latency },
            rss_bytes: Some(tick),
            memory_percent: None,
            process_cpu_percent: Some(tick as f64),
            system_cpu_percent: None,
            database_latency_us: Some(100 - tick),
        }
    }

    #[test]
    fn a_point_is_its_own_frames_only() {
        let frames = [frame(4, &[1]), frame(5, &[100, 100, 100]), frame(7, &[900]), frame(10, &[1])];
        let columns = point(1, 1, frames.iter()).columns;
        assert_eq!(columns.requests_per_second, [Some(2.0)], "four requests in the two seconds that were seen");
        assert_eq!(columns.rss_bytes, [Some(7)]);
        assert_eq!(columns.process_cpu_percent, [Some(6.0)]);
        assert_eq!(columns.database_latency_us, [Some(95)], "the worst");
        assert_eq!(columns.memory_percent, [None]);
    }

    #[test]
    fn percentiles_are_of_all_requests_of_the_step() {
        // 98 fast requests in one second, 2 slow ones alone in another: averaging the seconds' p95 would say half of slow.
        let frames = [frame(0, &[1000; 98]), frame(1, &[50_000; 2])];
        let columns = point(1, 0, frames.iter()).columns;
        let within = |value: Option<u32>, exact: f64| (f64::from(value.unwrap()) - exact).abs() <= exact * 0.01;
        assert!(
            within(columns.latency_p95_us[0], 1000.0) && within(columns.latency_p99_us[0], 50_000.0),
            "{columns:?}"
        );
    }

    #[test]
    fn a_step_without_frames_is_a_gap() {
        let columns = point(1, 3, [frame(0, &[1])].iter()).columns;
        assert_eq!(
            (columns.requests_per_second[0], columns.latency_p50_us[0], columns.rss_bytes[0]),
            (None, None, None)
        );
    }
}
