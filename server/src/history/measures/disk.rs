//! Measures a history file of thirteen months: its size, what writing takes, a start with it, and views of it.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::Path,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use watchboard_wire::{Part, RefreshQuery, Snapshot, Window};

use super::{Day, rss_mib};
use crate::{
    history::{
        History, NameLookup, restored_spans,
        store::{Batch, EmbeddedStore, KeptTimes, Store, StoreTier, StoredPast, StoredStep},
    },
    requests::{Policy, Reader, Recorder},
};

/// The seconds of real frames. The steps of the months before repeat those of these.
const SIMULATED: u64 = 6 * 3_600;
const MAX_BYTES: u64 = 256 << 20;
const MIB: f64 = (1 << 20) as f64;

/// Fills `history.redb` in a folder, and measures. Each endpoint has so many requests a second.
#[expect(clippy::missing_panics_doc, reason = "a benchmark ends by a panic")]
pub fn thirteen_months(folder: &Path, endpoints: usize, per_second: usize) {
    fs::create_dir_all(folder).expect("a folder");
    let file = folder.join("history.redb");
    let _ = fs::remove_file(&file);
    println!("{endpoints} endpoints, each {per_second} requests a second:");
    let first = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() / 900 * 900 - SIMULATED;
    let mut store = EmbeddedStore::open(&file).expect("a new file");
    write(&mut store, Day::new(endpoints, per_second, first));
    fill(&mut store, first);
    sizes(&store, &file, endpoints);
    drop(store);
    start_with(&file, first + SIMULATED);
}

/// Six hours as the monitor writes them.
fn write(store: &mut EmbeddedStore, mut day: Day) {
    let (mut sampler, mut writer, mut calls, mut slowest) = (0, 0, 0, 0.0_f64);
    for second in 1..=SIMULATED {
        day.tick();
        if second % 10 > 0 {
            continue;
        }
        let before = cpu_us();
        let batch = day.history.take_unstored(NameLookup::of_endpoints(&day.reader));
        sampler += cpu_us() - before;
        let (before, written, started) = (cpu_us(), system_writes(), Instant::now());
        store.append(&batch).expect("a store");
        writer += cpu_us() - before;
        calls += system_writes() - written;
        slowest = slowest.max(started.elapsed().as_secs_f64() * 1e3);
    }
    let share = |us: u64| us as f64 / (SIMULATED as f64 * 1e6) * 100.0;
    println!("  the sampler encodes for {:.4} % of a core, the writer takes {:.4} %", share(sampler), share(writer));
    println!("  {:.2} writes a second, slowest batch {slowest:.1} ms", calls as f64 / SIMULATED as f64);
}

/// The steps of all tiers before a second, which repeat those after it.
fn fill(store: &mut EmbeddedStore, first: u64) {
    let kept = KeptTimes::default();
    // The coarsest first, since the finest goes first.
    for tier in StoreTier::ALL.into_iter().rev() {
        let step = tier.step_seconds();
        let after = store.steps(tier, first / step * step..u64::MAX).expect("a store");
        // The bound may have left none of the finest.
        if after.is_empty() {
            continue;
        }
        let begin = (first + SIMULATED - kept.kept_seconds(tier)).next_multiple_of(step);
        let starts: Vec<u64> = (begin..first / step * step).step_by(step as usize).collect();
        // As much as comes between two looks at the bound.
        let part = (4 << 20) / after[0].bytes.len().max(1);
        for part in starts.chunks(part.max(1)) {
            let steps = part.iter().enumerate().map(|(at, start)| {
                let bytes = after[at % after.len()].bytes.clone();
                StoredStep { tier, start: *start, bytes }
            });
            store.append(&Batch { steps: steps.collect(), ..Batch::default() }).expect("a store");
            store.keep_within(first + SIMULATED, &kept, MAX_BYTES).expect("a store");
        }
    }
}

fn sizes(store: &EmbeddedStore, file: &Path, endpoints: usize) {
    let metadata = fs::metadata(file).expect("a file");
    let (on_disk, length) = (metadata.blocks() as f64 * 512.0 / MIB, metadata.len() as f64 / MIB);
    let steps = store.bytes().expect("a store") as f64 / MIB;
    println!("  {steps:.1} MiB of steps, which take {on_disk:.1} MiB on disk in a file of {length:.1} MiB");
    for tier in StoreTier::ALL {
        let steps = store.steps(tier, 0..u64::MAX).expect("a store");
        let bytes: usize = steps.iter().map(|step| step.bytes.len()).sum();
        if steps.is_empty() {
            println!("    {tier:?}: none");
            continue;
        }
        let days = steps.len() as f64 * tier.step_seconds() as f64 / 86_400.0;
        println!(
            "    {tier:?}: {} steps ({days:.1} days), {:.1} MiB, {:.1} bytes for an endpoint's step",
            steps.len(),
            bytes as f64 / MIB,
            bytes as f64 / steps.len() as f64 / endpoints as f64,
        );
    }
}

/// A start with the file, and views of it.
fn start_with(file: &Path, now: u64) {
    let rss = rss_mib();
    let started = Instant::now();
    let milliseconds = |started: Instant| started.elapsed().as_secs_f64() * 1e3;
    let store = EmbeddedStore::open(file).expect("a file");
    let opened = milliseconds(started);
    let mut reader = Reader::new(Recorder::new(Policy::default()));
    let mut history = History::new(now * 1000, now);
    let earlier = crate::history::store::read(&store, &restored_spans(now)).expect("a store");
    let read = milliseconds(started);
    assert_eq!(history.restore(&earlier, &mut reader, &|_| None), 0, "all can be read");
    drop(earlier);
    println!(
        "  a start: checksums {opened:.0} ms, read {:.0} ms, taken over {:.0} ms; {:.1} MiB",
        read - opened,
        milliseconds(started) - read,
        rss_mib() - rss,
    );
    let snapshot = Snapshot { tick: now - 1, first_tick: now, ..Snapshot::default() };
    for window in Window::ALL {
        let before = cpu_us();
        let query = RefreshQuery { window, part: Part::Requests, ..RefreshQuery::default() };
        let answer = history.answer(&query, None, &snapshot, NameLookup::of_endpoints(&reader));
        let took = (cpu_us() - before) as f64 / 1e3;
        println!("    {:>4} that ends now: {took:.1} ms, {} s covered", window.word(), answer.totals.seconds);
    }
    for days in [1.0 / 24.0, 1.0, 7.0, 30.0, 398.0] {
        let rss = rss_mib();
        let span = (now - (days * 86_400.0) as u64, now - 60);
        let before = cpu_us();
        let Some(plan) = history.past_span(span, Some(&KeptTimes::default())) else { continue };
        let stored = plan.stored.map(|tier| {
            let steps = store.steps(tier, plan.ticks.0..plan.ticks.1).expect("a store");
            StoredPast { steps, names: store.names().expect("a store") }
        });
        let read = cpu_us() - before;
        let frames = stored.map(|past| history.past_frames(&plan, past, &mut reader, &|_| None));
        let names = NameLookup::of_endpoints(&reader);
        let (answer, _) = history.answer_past(&plan, &Part::Requests, frames.as_ref(), &snapshot, names);
        println!(
            "    a past span of {days:.2} days in points of {}: read {:.1} ms, in all {:.1} ms, {:.1} MiB more, {} requests",
            plan.window.word(),
            read as f64 / 1e3,
            (cpu_us() - before) as f64 / 1e3,
            rss_mib() - rss,
            answer.totals.requests,
        );
    }
}

/// Microseconds of CPU time of this thread.
fn cpu_us() -> u64 {
    let schedstat = fs::read_to_string("/proc/thread-self/schedstat").expect("/proc");
    schedstat.split(' ').next().and_then(|nanoseconds| nanoseconds.parse::<u64>().ok()).expect("a number") / 1_000
}

/// The writing system calls of this process so far.
fn system_writes() -> u64 {
    let io = fs::read_to_string("/proc/self/io").expect("/proc");
    io.lines().find_map(|line| line.strip_prefix("syscw: ")?.parse().ok()).expect("a number")
}
