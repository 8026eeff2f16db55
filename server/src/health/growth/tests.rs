//! Two hundred series by a fixed seed, in which every leak of more than a hundredth of the limit an hour is found, and nothing else.

use watchboard_wire::{Application, Process, System};

use super::*;

const LIMIT: f64 = (4u64 << 30) as f64;
const HOUR: u64 = 3_600;
/// Long enough for the slowest leak to be seen.
const SECONDS: u64 = 4 * HOUR;

/// What a series is, as a share of the limit at a second.
#[derive(Clone, Copy, Debug)]
enum Shape {
    Flat,
    /// Up and down by so much, and for how many seconds it keeps to one side.
    Noisy {
        by: f64,
        keeps: f64,
    },
    /// Rises by so much in so many seconds, and falls back.
    SawTooth {
        by: f64,
        seconds: u64,
    },
    /// At a moment, by so much.
    Step {
        at: u64,
        by: f64,
    },
    /// Fills up and stays: a cache that warms.
    Warming {
        by: f64,
        seconds: f64,
    },
    /// From a moment on, by so much an hour.
    Leak {
        from: u64,
        per_hour: f64,
    },
}

fn shape(kind: u64, random: &mut fastrand::Rng) -> Shape {
    let between = |random: &mut fastrand::Rng, low: f64, high: f64| low + random.f64() * (high - low);
    match kind % 8 {
        0 => Shape::Flat,
        1 => Shape::Noisy { by: between(random, 0.001, 0.02), keeps: between(random, 1.0, 60.0) },
        2 => Shape::SawTooth { by: between(random, 0.01, 0.1), seconds: random.u64(5..300) },
        3 => Shape::SawTooth { by: between(random, 0.01, 0.1), seconds: random.u64(300..2_700) },
        4 => Shape::Step { at: random.u64(0..SECONDS), by: between(random, 0.02, 0.2) },
        5 => Shape::Warming { by: between(random, 0.02, 0.1), seconds: between(random, 30.0, 600.0) },
        6 => Shape::Leak { from: random.u64(0..HOUR), per_hour: between(random, 0.0101, 0.05) },
        _ => Shape::Leak { from: random.u64(0..2 * HOUR), per_hour: between(random, 0.05, 2.0) },
    }
}

impl Shape {
    fn value(self, second: u64, noise: f64) -> f64 {
        let at = second as f64;
        match self {
            Self::Flat | Self::Noisy { .. } => noise,
            Self::SawTooth { by, seconds } => by * (second % seconds) as f64 / seconds as f64 + noise,
            Self::Step { at: step, by } => noise + if second >= step { by } else { 0.0 },
            Self::Warming { by, seconds } => noise + by * (1.0 - (-at / seconds).exp()),
            Self::Leak { from, per_hour } => noise + per_hour * second.saturating_sub(from) as f64 / HOUR as f64,
        }
    }

    fn is_leak(self) -> bool {
        matches!(self, Self::Leak { .. })
    }
}

/// The second at which a series of this shape is first said to grow.
fn found(shape: Shape, random: &mut fastrand::Rng) -> Option<u64> {
    let (by, keeps) = match shape {
        Shape::Noisy { by, keeps } => (by, keeps),
        _ => (0.002, 5.0),
    };
    let mut series = MemorySeries::default();
    let mut noise = 0.0;
    for second in 0..SECONDS {
        // A walk that is drawn back to zero.
        let pull = 1.0 / keeps;
        let normal = (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
        noise += -pull * noise + by * (2.0 * pull).sqrt().min(1.0) * normal;
        let value = LIMIT * (0.3 + shape.value(second, noise));
        if value >= LIMIT {
            return None;
        }
        series.add(second, value as u64);
        if series.find_growth(LIMIT - value, LIMIT).is_some() {
            return Some(second);
        }
    }
    None
}

#[test]
fn of_two_hundred_series_all_leaks_are_found_and_nothing_else() {
    let mut random = fastrand::Rng::with_seed(4);
    let (mut missed, mut false_alarms, mut leaks) = (vec![], vec![], 0);
    for kind in 0..200 {
        let shape = shape(kind, &mut random);
        let found = found(shape, &mut random);
        leaks += u32::from(shape.is_leak());
        match (shape.is_leak(), found) {
            (true, None) => missed.push(shape),
            (false, Some(second)) => false_alarms.push((shape, second)),
            _ => {}
        }
    }
    println!("{leaks} leaks, {} missed, {} false alarms", missed.len(), false_alarms.len());
    assert!(missed.is_empty() && false_alarms.is_empty(), "missed {missed:#?}, false alarms {false_alarms:#?}");
}

fn memory(rss_bytes: u64) -> Memory {
    Memory {
        process: Ok(Process { rss_bytes, ..Process::default() }),
        container: Ok(None),
        system: Ok(System { total_bytes: LIMIT as u64, used_bytes: rss_bytes, ..System::default() }),
        ..Memory::default()
    }
}

#[test]
fn the_sentence_says_how_fast_how_sure_and_until_when() {
    let mut watch = GrowthDetector::default();
    let mut last = memory(0);
    for second in 0..2 * HOUR {
        last = memory((1 << 30) + second * (300 << 20) / HOUR);
        watch.add(second, &last);
    }
    let sentence = watch.growth_finding(&last, None).unwrap().sentence.replace('\u{a0}', " ");
    assert_eq!(
        sentence,
        "resident memory grows by 300 MiB an hour (surely by 300 MiB): at this pace it reaches the system's 4 GiB in about 8 h 14 m"
    );
}

#[test]
fn what_was_started_anew_has_not_grown_yet() {
    let mut watch = GrowthDetector::default();
    let at = |second: u64, restarts: &[u64]| Memory {
        application: Some(Application { restarted_at_unix_ms: restarts.to_vec(), ..Application::default() }),
        ..memory((1 << 30) + second * (300 << 20) / HOUR)
    };
    for second in 0..2 * HOUR {
        watch.add(second, &at(second, &[]));
    }
    assert!(watch.growth_finding(&at(2 * HOUR, &[]), None).is_some());
    watch.add(2 * HOUR, &at(2 * HOUR, &[7]));
    assert_eq!(watch.growth_finding(&at(2 * HOUR, &[7]), None), None);
}

#[test]
fn a_gap_begins_anew() {
    let mut steps = Steps::new(10, 30, 90);
    for second in (0..200).chain(500..750) {
        steps.add(second, second as f64);
    }
    assert_eq!((steps.points.len(), steps.growth), (24 + 1, None), "with the one that was filling");
}

#[test]
fn a_fast_growth_that_is_small_does_not_hide_a_slow_one() {
    let mut series = MemorySeries::default();
    // Sixty MiB an hour, with fifty left of four hundred.
    for second in 0..2 * HOUR {
        series.add(second, (230 << 20) + second * (60 << 20) / HOUR);
    }
    let mib = f64::from(1 << 20);
    assert!(series.find_growth(50.0 * mib, 400.0 * mib).is_some());
}

#[test]
fn the_documentation_has_these_thresholds() {
    crate::health::finding::assert_documented(&[
        &format!("by at least {:.1} % of the limit and {} MiB", 100.0 * SLOW_SHARE_AN_HOUR, LEAST_BYTES as u64 >> 20),
        &format!("by at least {} MiB. Needs 15 minutes", LEAST_BYTES as u64 >> 20),
    ]);
}
