//! Turns frames into points of a chart. Percentiles come from merged histograms, never from averaged percentiles.

use watchboard_wire::{Band, EndpointColumns, TimelineColumns, Window};

use super::{
    compact::{self, Sign},
    frame::{Frame, WAITS, fold_host},
    tiers::{Tiers, tier},
};
use crate::{
    commands::CommandTally,
    histograms::lowest,
    requests::{Aliases, Class, Tally},
};

/// The point of number `number` of a window, from the ticks before `to`.
pub(super) fn point(tiers: &Tiers, window: Window, number: u64, to: u64) -> TimelineColumns {
    let frames = frames(tiers, window, number, to);
    let (mut whole, mut commands, mut waits) = (Tally::default(), CommandTally::default(), CommandTally::default());
    for frame in &frames {
        frame.requests.apply_whole(Sign::Add, &mut whole);
        frame.commands.apply_whole(Sign::Add, &mut commands);
        // Waits have the lowest number, so they come first.
        if let Some((WAITS, encoded)) = frame.commands.iter().next() {
            compact::apply(Sign::Add, encoded, &mut waits);
        }
    }
    let rate = rate(&frames);
    let latency = whole.latencies.latency();
    let (host, command) = (fold_host(&frames), commands.latency());
    let listened = host.connections_in_use.map(|_| ());
    TimelineColumns {
        requests_per_second: vec![rate(whole.requests())],
        server_errors_per_second: vec![rate(whole.count(Class::ServerError))],
        client_errors_per_second: vec![rate(whole.count(Class::ClientError))],
        dropped_per_second: vec![rate(whole.count(Class::Dropped))],
        latency_p50_us: vec![latency.map(|latency| us(latency.p50_us))],
        latency_p95_us: vec![latency.map(|latency| us(latency.p95_us))],
        latency_p99_us: vec![latency.map(|latency| us(latency.p99_us))],
        rss_bytes: vec![host.rss_bytes],
        anonymous_bytes: vec![host.anonymous_bytes],
        file_bytes: vec![host.file_bytes],
        shmem_bytes: vec![host.shmem_bytes],
        live_heap_bytes: vec![host.live_heap_bytes],
        requests_allocated_per_second: vec![host.requests_allocate.map(|rate| rate as u64)],
        other_allocated_per_second: vec![host.others_allocate.map(|rate| rate as u64)],
        freed_per_second: vec![host.frees.map(|rate| rate as u64)],
        memory_percent: vec![host.memory_percent.map(hundredths)],
        memory_pressure_percent: vec![host.memory_pressure_percent.map(hundredths)],
        process_cpu_percent: vec![host.process_cpu_percent.map(hundredths)],
        system_cpu_percent: vec![host.system_cpu_percent.map(hundredths)],
        database_latency_us: vec![host.database_latency_us.map(us)],
        database_failed_percent: vec![host.database_failed_percent.map(hundredths)],
        commands_per_second: vec![listened.and_then(|()| rate(commands.calls()))],
        commands_failed_per_second: vec![listened.and_then(|()| rate(commands.failed))],
        commands_reading_per_second: vec![host.commands_reading.map(hundredths)],
        commands_writing_per_second: vec![host.commands_writing.map(hundredths)],
        command_p50_us: vec![command.map(|latency| us(latency.p50_us))],
        command_p95_us: vec![command.map(|latency| us(latency.p95_us))],
        command_p99_us: vec![command.map(|latency| us(latency.p99_us))],
        connections_in_use: vec![host.connections_in_use.map(us)],
        connections_waiting: vec![host.connections_waiting.map(us)],
        connection_wait_p99_us: vec![waits.latency().map(|latency| us(latency.p99_us))],
    }
}

/// The same of one endpoint.
pub(super) fn endpoint_point(
    (tiers, aliases): (&Tiers, &Aliases),
    window: Window,
    id: usize,
    number: u64,
    to: u64,
) -> EndpointColumns {
    let frames = frames(tiers, window, number, to);
    let sums = endpoint_sums(&frames, aliases, id);
    let rate = rate(&frames);
    let (latency, memory) = (sums.latencies.latency(), sums.memory());
    let (requests, usage) = (sums.requests(), sums.usage.as_ref());
    let upstream = sums.upstream();
    let each = |sum: u64| (requests > 0).then(|| sum as f64 / requests as f64);
    let mean = |sum: u64| each(sum).map(|mean| us(mean as u64));
    EndpointColumns {
        fine_per_second: vec![rate(sums.count(Class::Fine))],
        client_errors_per_second: vec![rate(sums.count(Class::ClientError))],
        server_errors_per_second: vec![rate(sums.count(Class::ServerError))],
        dropped_per_second: vec![rate(sums.count(Class::Dropped))],
        latency_p50_us: vec![latency.map(|latency| us(latency.p50_us))],
        latency_p95_us: vec![latency.map(|latency| us(latency.p95_us))],
        latency_p99_us: vec![latency.map(|latency| us(latency.p99_us))],
        allocated_mean_bytes: vec![memory.map(|memory| memory.mean_bytes())],
        allocated_max_bytes: vec![memory.map(|memory| memory.max_bytes)],
        commands_mean: vec![each(usage.map_or(0, |usage| usage.commands)).map(hundredths)],
        database_mean_us: vec![mean(usage.map_or(0, |usage| usage.elapsed_us))],
        connection_wait_mean_us: vec![mean(usage.map_or(0, |usage| usage.waited_us))],
        duration_mean_us: vec![mean(sums.duration_sum_us)],
        first_byte_mean_us: vec![upstream.and_then(|upstream| mean(upstream.first_byte_sum_us))],
        connect_mean_us: vec![upstream.and_then(|upstream| mean(upstream.connect_sum_us))],
        latency_counts: vec![by_band(&sums)],
    }
}

/// The frames of the last ten seconds before a tick.
pub(super) fn last_ten_seconds(tiers: &Tiers, now: u64) -> Vec<&Frame> {
    tiers.cover(0, now.saturating_sub(10), now).collect()
}

/// What the frames have of one endpoint.
pub(super) fn endpoint_sums(frames: &[&Frame], aliases: &Aliases, id: usize) -> Tally {
    let mut sums = Tally::default();
    let encoded =
        frames.iter().flat_map(|frame| frame.requests.iter().filter(|(endpoint, _)| aliases.row(*endpoint) == id));
    encoded.for_each(|(_, encoded)| compact::apply(Sign::Add, encoded, &mut sums));
    sums
}

fn frames(tiers: &Tiers, window: Window, number: u64, to: u64) -> Vec<&Frame> {
    let step = window.step_seconds();
    tiers.cover(tier(window), number * step, ((number + 1) * step).min(to)).collect()
}

/// The seconds for which the frames have a reading.
pub(super) fn seconds(frames: &[&Frame]) -> u64 {
    frames.iter().map(|frame| frame.seconds).sum()
}

/// A function from counts to rates per second of the frames; `None` without a reading.
fn rate(frames: &[&Frame]) -> impl Fn(u64) -> Option<f32> + use<> {
    let seconds = seconds(frames);
    move |count| (seconds > 0).then(|| hundredths(count as f64 / seconds as f64))
}

/// Requests that succeeded, by the [`Band`] of their latency.
fn by_band(sums: &Tally) -> Vec<(Band, u32)> {
    let mut bands: Vec<(Band, u32)> = vec![];
    for (bucket, count) in sums.latencies.iter() {
        let band = Band::for_latency(lowest(bucket));
        match bands.last_mut() {
            Some((last, sum)) if *last == band => *sum = sum.saturating_add(count),
            _ => bands.push((band, count)),
        }
    }
    bands
}

fn us(us: u64) -> u32 {
    u32::try_from(us).unwrap_or(u32::MAX)
}

/// Rounds to the precision of the charts.
fn hundredths(value: f64) -> f32 {
    ((value * 100.0).round() / 100.0) as f32
}
