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
        let largest = largest.max(if matches!(self, Self::PerSecond | Self::Percent) { 1.0 } else { MAX_STEPS });
        let step = match self {
            Self::Bytes | Self::BytesPerSecond => first_step(largest, (0..60).map(|power| 2_f64.powi(power))),
            Self::DurationUs if largest > 60e6 => {
                first_step(largest, MINUTES.into_iter().map(|minutes| minutes * 60e6))
            }
            _ => first_step(largest, (-2..18).flat_map(|power| [1.0, 2.0, 5.0].map(|step| step * 10_f64.powi(power)))),
        };
        let steps = (largest / step * 0.999_999).ceil();
        Axis { end: step * steps, steps: steps as usize }
    }
}

/// The most steps between the ticks of an axis.
const MAX_STEPS: f64 = 5.0;
const MINUTES: [f64; 12] = [0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 360.0, 1440.0];

/// The first of these steps that reaches `largest` in time.
fn first_step(largest: f64, mut steps: impl Iterator<Item = f64>) -> f64 {
    steps.find(|step| largest / step <= MAX_STEPS * 1.000_001).unwrap_or(largest / MAX_STEPS)
}

/// An axis from zero to its end, in even steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axis {
    /// The value at its end.
    pub end: f64,
    /// The steps between its ticks.
    pub steps: usize,
}

impl Axis {
    /// The values of its ticks, the lowest first.
    pub fn ticks(self) -> impl DoubleEndedIterator<Item = f64> {
        (0..=self.steps).map(move |tick| self.end * tick as f64 / self.steps as f64)
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
            assert!((axis.end - end).abs() < 1e-6 * end && axis.steps == steps, "{unit:?} {largest}: {axis:?}");
        }
        let ticks: Vec<String> = Unit::Bytes.axis(35.0 * mib).ticks().map(bytes).collect();
        assert_eq!(ticks.join(", ").replace('\u{a0}', " "), "0 B, 8 MiB, 16 MiB, 24 MiB, 32 MiB, 40 MiB");
    }

    #[test]
    fn an_axis_wastes_at_most_a_third() {
        for unit in [Unit::PerSecond, Unit::DurationUs, Unit::Bytes, Unit::Count] {
            for largest in (1..4000).map(|step| 5.0 * 1.01_f64.powi(step / 4)) {
                let axis = unit.axis(largest);
                assert!(axis.end >= largest * 0.999_99 && axis.end <= largest * 1.51, "{unit:?} {largest}: {axis:?}");
                assert!((2..=5).contains(&axis.steps), "{unit:?} {largest}: {axis:?}");
            }
        }
    }
}
