//! Measures the memory of a day of many endpoints, and the time of a request for it. `watchboard-benches history` runs these.

mod disk;

pub use self::disk::thirteen_months;

use std::{fs, time::Instant};

use watchboard_wire::{Part, RefreshCursor, RefreshQuery, RefreshResponse, Snapshot, Window};

#[cfg(feature = "mongodb")]
use super::store::Batch;
use super::{FrameBuilder, History, Host, NameLookup};
use crate::requests::{Policy, Reader, Recorder, record};

const DAY: u64 = 86_400;

/// A quarter of an hour and some as the monitor stores it, a batch each ten seconds.
#[cfg(feature = "mongodb")]
pub(crate) fn batches_of_ten_seconds(endpoints: usize, per_second: usize) -> Vec<Batch> {
    let mut day = Day::new(endpoints, per_second, 900);
    let mut batches = vec![];
    for second in 1..=1_000 {
        day.tick();
        if second % 10 == 0 {
            batches.push(day.history.take_unstored(NameLookup::of_endpoints(&day.reader)));
        }
    }
    batches
}

fn rss_mib() -> f64 {
    let statm = fs::read_to_string("/proc/self/statm").expect("/proc");
    let pages: f64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("pages");
    pages * 4096.0 / f64::from(1 << 20)
}

/// A monitor without its probes.
struct Day {
    recorder: &'static Recorder,
    reader: Reader,
    history: History,
    snapshot: Snapshot,
    routes: Vec<String>,
    /// The requests of each endpoint in a second.
    per_second: usize,
    random: fastrand::Rng,
    tick: u64,
}

impl Day {
    fn new(endpoints: usize, per_second: usize, first_tick: u64) -> Self {
        let recorder = Recorder::new(Policy::default());
        Self {
            recorder,
            reader: Reader::new(recorder),
            history: History::new(first_tick * 1000, first_tick),
            snapshot: Snapshot::default(),
            routes: (0..endpoints).map(|number| format!("/resources/{number}/items/{{id}}")).collect(),
            per_second,
            random: fastrand::Rng::with_seed(5),
            tick: first_tick,
        }
    }

    /// The requests of a second of each endpoint, and then a tick; how long that one elapsed, in microseconds.
    fn tick(&mut self) -> f64 {
        for number in (0..self.routes.len()).flat_map(|number| std::iter::repeat_n(number, self.per_second)) {
            let normal = (0..12).map(|_| self.random.f64()).sum::<f64>() - 6.0;
            let typical = 5_000.0 * (1.0 + number as f64 % 7.0);
            record(self.recorder, &self.routes[number], (typical * (0.5 * normal).exp()) as u64);
        }
        let started = Instant::now();
        let mut frame = FrameBuilder::new(self.tick, 1);
        let reports = self.reader.take(|id, tally| frame.endpoint(id, tally));
        let host = host(&mut self.random);
        self.history.push(self.tick, frame, reports, host, &self.reader);
        self.snapshot.tick = self.tick;
        self.snapshot.requests = self.reader.requests();
        self.tick += 1;
        started.elapsed().as_secs_f64() * 1e6
    }

    fn refresh(&mut self, window: Window, cursor: Option<RefreshCursor>) -> (RefreshResponse, f64) {
        let started = Instant::now();
        let query = RefreshQuery { window, part: Part::Requests, ..RefreshQuery::default() };
        let answer = self.history.answer(&query, cursor, &self.snapshot, NameLookup::of_endpoints(&self.reader));
        (answer, started.elapsed().as_secs_f64() * 1e3)
    }
}

/// The figures of a host in a second.
fn host(random: &mut fastrand::Rng) -> Host {
    let bytes = Some((60 << 20) + random.u64(..8 << 20));
    let (percent, rate) = (Some(random.f64() * 30.0), Some(random.f64() * 2e6));
    Host {
        rss_bytes: bytes,
        anonymous_bytes: bytes,
        file_bytes: bytes,
        shmem_bytes: Some(0),
        live_heap_bytes: bytes,
        memory_percent: percent,
        process_cpu_percent: percent,
        system_cpu_percent: percent,
        memory_pressure_percent: Some(0.0),
        requests_allocate: rate,
        others_allocate: rate,
        frees: rate,
        ..Host::default()
    }
}

/// The times and the memory of a day.
pub fn a_day_of_512_endpoints() {
    let before = rss_mib();
    let mut day = Day::new(512, 1, 0);
    let mut times: Vec<f64> = (0..DAY + 600).map(|_| day.tick()).collect();
    times.sort_by(f64::total_cmp);
    let (median, slowest) = (times[times.len() / 2], times[times.len() - 1]);
    println!("512 endpoints, each a request a second for a day:");
    println!("  a tick: median {median:.0} µs, slowest {slowest:.0} µs (a quarter of an hour is folded then)");
    println!("  frames hold {:.1} MiB", day.history.tiers.bytes() as f64 / f64::from(1 << 20));
    println!("  resident memory grew by {:.1} MiB", rss_mib() - before);
    for window in Window::ALL {
        let (answer, first) = day.refresh(window, None);
        let cursor = cursor_of(&answer);
        day.tick();
        let (_, next) = day.refresh(window, Some(cursor));
        println!(
            "  {:>3}: {} s covered, first look {first:.1} ms, next {next:.1} ms",
            window.word(),
            answer.totals.seconds
        );
    }
    println!("  and by {:.1} MiB when all windows have been looked at", rss_mib() - before);
}

/// The sizes of the responses to a page.
#[expect(clippy::missing_panics_doc, reason = "a benchmark ends by a panic")]
pub fn bytes_of_a_refresh() {
    for endpoints in [10, 512] {
        let mut day = Day::new(endpoints, 1, 0);
        (0..1000).for_each(|_| _ = day.tick());
        let (first, _) = day.refresh(Window::FifteenMinutes, None);
        let cursor = cursor_of(&first);
        day.tick();
        day.tick();
        let (next, _) = day.refresh(Window::FifteenMinutes, Some(cursor));
        let size = |answer: &RefreshResponse| postcard::to_allocvec(answer).expect("it can be written").len();
        println!(
            "{endpoints} endpoints, all busy: first answer {} bytes, refresh after 2 s {}",
            size(&first),
            size(&next)
        );
    }
}

/// The cursor of a page that has this answer.
fn cursor_of(answer: &RefreshResponse) -> RefreshCursor {
    RefreshCursor { started_at_unix_ms: 0, tick: answer.snapshot.tick, window: answer.timeline.window }
}
