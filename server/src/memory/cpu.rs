//! The share of the processors in use: `/proc/stat`, whose lines count the ticks of each processor by activity.

use super::text::ProcFile;

/// Holds the last reading, for shares: of all processors, and then of each.
pub(super) struct CpuProbe {
    stat: ProcFile,
    before: Vec<Times>,
    percents: Vec<f64>,
}

/// Ticks so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Times {
    idle: u64,
    all: u64,
}

impl CpuProbe {
    pub(super) fn new() -> Self {
        Self { stat: ProcFile::new("/proc/stat"), before: vec![], percents: vec![] }
    }

    /// The share of all; `None` at the first reading and after an error.
    pub(super) fn read(&mut self) -> Option<f64> {
        let now = times(&self.stat.read().ok()?);
        let share = |(now, before): (&Times, &Times)| {
            let all = now.all.saturating_sub(before.all);
            let idle = now.idle.saturating_sub(before.idle).min(all);
            100.0 * (all - idle) as f64 / all.max(1) as f64
        };
        self.percents = now.iter().zip(&self.before).map(share).collect();
        self.before = now;
        self.percents.first().copied()
    }

    /// The share of each at the last reading.
    pub(super) fn cores_percent(&self) -> Vec<f32> {
        self.percents.iter().skip(1).map(|percent| *percent as f32).collect()
    }
}

/// All processors together, and then each.
fn times(stat: &str) -> Vec<Times> {
    let lines = stat.lines().take_while(|line| line.starts_with("cpu"));
    lines.map(|line| line_times(line).unwrap_or_default()).collect()
}

/// `cpu0 user nice system idle iowait irq softirq steal guest guest_nice`: guests are in user and nice already.
fn line_times(line: &str) -> Option<Times> {
    let ticks: Vec<u64> = line.split_whitespace().skip(1).take(8).map_while(|ticks| ticks.parse().ok()).collect();
    let all = ticks.iter().fold(0u64, |sum, ticks| sum.saturating_add(*ticks));
    Some(Times { idle: ticks.get(3)?.saturating_add(*ticks.get(4)?), all })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn waiting_for_a_disk_is_idle_and_guests_count_once() {
        let stat = "cpu  10 2 3 70 10 1 1 3 5 0\ncpu0 1 1 1 1 1 1 1 1 0 0\nintr 7\n";
        assert_eq!(times(stat), [Times { idle: 80, all: 100 }, Times { idle: 2, all: 8 }]);
    }

    #[test]
    fn the_first_reading_has_none() {
        let mut probe = CpuProbe::new();
        assert_eq!(probe.read(), None);
        assert!(probe.read().is_some_and(|percent| (0.0..=100.0).contains(&percent)));
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "(cpu[0-9 ]{0,40}\n){0,3}|.{0,99}") {
            let _ = times(&text);
        }
    }
}
