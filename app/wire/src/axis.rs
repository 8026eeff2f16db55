//! The axes of charts: their units, their ends and their ticks.

use crate::format::{bytes, bytes_per_second, count, duration_us, per_second, percent};

/// The unit of a chart's axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Per second.
    PerSecond,
    /// Microseconds.
    DurationUs,
    /// Bytes.
    Bytes,
    /// Bytes per second.
    BytesPerSecond,
    /// Percent.
    Percent,
    /// A count of things.
    Count,
}

impl Unit {
    /// Formats a value of this unit.
    pub fn text(self, value: f64) -> String {
        match self {
            Self::PerSecond => per_second(value),
            Self::DurationUs => duration_us(value),
            Self::Bytes => bytes(value),
            Self::BytesPerSecond => bytes_per_second(value),
            Self::Percent => percent(value),
            Self::Count => count(value),
        }
    }

    /// An axis from zero on that holds `largest`. Its ticks are round in this unit, and its end is never zero.
    pub fn axis(self, largest: f64) -> Axis {
        let largest = match self {
            // The smallest step is a hundredth.
            Self::PerSecond if largest > 0.0 => largest.max(0.05),
            Self::PerSecond | Self::Percent => largest.max(1.0),
            _ => largest.max(MAX_STEPS),
        };
        let step = match self {
            Self::Bytes | Self::BytesPerSecond => first_step(largest, (0..60).map(|power| 2_f64.powi(power))),
            Self::DurationUs if largest > MINUTE_US => {
                first_step(largest, MINUTES.into_iter().map(|minutes| minutes * MINUTE_US))
            }
            _ => first_step(largest, (-2..18).flat_map(|power| [1.0, 2.0, 5.0].map(|step| step * 10_f64.powi(power)))),
        };
        let steps = (largest / step * 0.999_999).ceil() as usize;
        Axis { ticks: (0..=steps).map(|tick| step * tick as f64).collect(), is_log: false }
    }

    /// A logarithmic axis of durations from `smallest` to `largest` microseconds. Its ticks are round.
    pub fn log_axis(smallest: f64, largest: f64) -> Axis {
        let seconds = (0..8).flat_map(|power| [1.0, 2.0, 5.0].map(|step| step * 10_f64.powi(power)));
        let minutes = [1.0, 2.0, 5.0, 15.0, 60.0, 240.0, 1440.0].map(|minutes| minutes * MINUTE_US);
        let round: Vec<f64> = seconds.take_while(|us| *us < MINUTE_US / 2.0).chain(minutes).collect();
        let last = round.len() - 1;
        let begin = round.partition_point(|tick| *tick <= smallest).saturating_sub(1).min(last - 1);
        let end = round.partition_point(|tick| *tick < largest).clamp(begin + 1, last);
        let stride = (end - begin).div_ceil(MAX_STEPS as usize);
        // The ends are ticks in any case.
        let ticks = (begin..end + stride).step_by(stride).map(|tick| round[tick.min(last)]);
        Axis { ticks: ticks.collect(), is_log: true }
    }
}

/// The most steps between the ticks of an axis.
const MAX_STEPS: f64 = 5.0;
const MINUTE_US: f64 = 60e6;
const MINUTES: [f64; 12] = [0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 360.0, 1440.0];

/// The first of these steps that reaches `largest` in time.
fn first_step(largest: f64, mut steps: impl Iterator<Item = f64>) -> f64 {
    steps.find(|step| largest / step <= MAX_STEPS * 1.000_001).unwrap_or(largest / MAX_STEPS)
}

/// The vertical axis of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// The values of its ticks, the lowest first. The first and the last are its ends.
    pub ticks: Vec<f64>,
    is_log: bool,
}

impl Axis {
    /// The same axis on both sides of zero.
    #[must_use]
    pub fn mirrored(self) -> Self {
        Self { ticks: [-1.0, -0.5, 0.0, 0.5, 1.0].map(|part| part * self.end()).to_vec(), is_log: false }
    }

    /// The value at its end.
    pub fn end(&self) -> f64 {
        self.ticks.last().copied().unwrap_or_default()
    }

    /// The place of a value on it: 0 at its begin, 1 at its end. A value beyond stands at the end.
    pub fn place(&self, value: f64) -> f64 {
        let begin = self.ticks.first().copied().unwrap_or_default();
        let place = if self.is_log {
            (value / begin).ln() / (self.end() / begin).ln()
        } else {
            (value - begin) / (self.end() - begin)
        };
        if place.is_nan() { 0.0 } else { place.clamp(0.0, 1.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_on_a_round_number_above_the_data() {
        let mib = 1024_f64 * 1024.0;
        for (unit, largest, end, steps) in [
            (Unit::PerSecond, 0.0, 1.0, 5),
            (Unit::PerSecond, 0.001, 0.05, 5),
            (Unit::PerSecond, 0.3, 0.3, 3),
            (Unit::PerSecond, 35.0, 40.0, 4),
            (Unit::PerSecond, 41.0, 50.0, 5),
            (Unit::PerSecond, 1500.0, 1500.0, 3),
            (Unit::DurationUs, 34_000.0, 40_000.0, 4),
            (Unit::DurationUs, 51_000.0, 60_000.0, 3),
            (Unit::DurationUs, 90e6, 90e6, 3),
            (Unit::DurationUs, 0.0, 5.0, 5),
            (Unit::Bytes, 35.0 * mib, 40.0 * mib, 5),
            (Unit::Bytes, 1.95 * mib, 2.0 * mib, 4),
            (Unit::Percent, 100.0, 100.0, 5),
        ] {
            let axis = unit.axis(largest);
            assert!((axis.end() - end).abs() < 1e-6 * end, "{unit:?} {largest}: {axis:?}");
            assert_eq!(axis.ticks.len(), steps + 1, "{unit:?} {largest}: {axis:?}");
        }
        let ticks: Vec<String> = Unit::Bytes.axis(35.0 * mib).ticks.into_iter().map(bytes).collect();
        assert_eq!(ticks.join(", ").replace('\u{a0}', " "), "0 B, 8 MiB, 16 MiB, 24 MiB, 32 MiB, 40 MiB");
    }

    #[test]
    fn a_mirrored_axis_has_zero_in_its_middle() {
        let axis = Unit::BytesPerSecond.axis(3000.0).mirrored();
        assert_eq!(axis.ticks, [-3072.0, -1536.0, 0.0, 1536.0, 3072.0]);
        let percent = |value| (100.0 * axis.place(value)).round() as u64;
        assert_eq!([-3072.0, 0.0, 3072.0].map(percent), [0, 50, 100]);
    }

    #[test]
    fn an_axis_wastes_at_most_a_third() {
        for unit in [Unit::PerSecond, Unit::DurationUs, Unit::Bytes, Unit::Count] {
            for largest in (1..4000).map(|step| 5.0 * 1.01_f64.powi(step / 4)) {
                let axis = unit.axis(largest);
                assert!(
                    axis.end() >= largest * 0.999_99 && axis.end() <= largest * 1.51,
                    "{unit:?} {largest}: {axis:?}"
                );
                assert!((3..=6).contains(&axis.ticks.len()), "{unit:?} {largest}: {axis:?}");
            }
        }
    }

    #[test]
    fn a_logarithmic_axis_holds_all_between_round_ticks() {
        let ticks = |smallest, largest| {
            let axis = Unit::log_axis(smallest, largest);
            axis.ticks.into_iter().map(duration_us).collect::<Vec<_>>().join(", ").replace('\u{a0}', " ")
        };
        assert_eq!(ticks(1_200.0, 9_000.0), "1 ms, 2 ms, 5 ms, 10 ms");
        assert_eq!(ticks(300.0, 4e6), "200 µs, 2 ms, 20 ms, 200 ms, 2 s, 20 s");
        assert_eq!(ticks(0.0, 0.0), "1 µs, 2 µs");
        assert_eq!(
            ticks(1e12, 1e15),
            "240 min, 1440 min".replace("1440 min", &duration_us(1440.0 * MINUTE_US).replace('\u{a0}', " "))
        );
        for smallest in (0..30).map(|step| 1.7_f64.powi(step)) {
            for largest in (0..20).map(|step| smallest * 1.9_f64.powi(step)).filter(|largest| *largest < 8e10) {
                let axis = Unit::log_axis(smallest, largest);
                assert!(axis.ticks[0] <= smallest && axis.end() >= largest, "{smallest} {largest}: {axis:?}");
                assert!((2..=6).contains(&axis.ticks.len()), "{smallest} {largest}: {axis:?}");
                assert!(axis.ticks.is_sorted_by(|a, b| a < b), "{smallest} {largest}: {axis:?}");
            }
        }
        let axis = Unit::log_axis(1e3, 1e5);
        assert!((axis.place(1e4) - 0.5).abs() < 1e-9, "{axis:?}");
        let percent = |value| (100.0 * axis.place(value)).round() as u64;
        assert_eq!([0.0, 1.0, 1e9].map(percent), [0, 0, 100]);
    }
}
