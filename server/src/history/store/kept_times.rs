//! For how long the steps of the history on disk are kept.

use std::time::Duration;

use super::tier::StoreTier;

const DAY: u64 = 24 * 60 * 60;

/// A length of steps whose time on disk can be chosen by [`Builder::history_keep`](crate::Builder::history_keep).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryStep {
    /// Kept for 48 hours unless another time is chosen.
    TenSeconds,
    /// Kept for 14 days unless another time is chosen.
    Minute,
    /// Kept for 398 days, which are 13 months, unless another time is chosen.
    QuarterHour,
}

/// The seconds for which the steps of each tier are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeptTimes {
    ten_seconds: u64,
    minute: u64,
    quarter_hour: u64,
}

impl Default for KeptTimes {
    fn default() -> Self {
        Self { ten_seconds: 2 * DAY, minute: 14 * DAY, quarter_hour: 398 * DAY }
    }
}

impl KeptTimes {
    pub(crate) fn set(&mut self, step: HistoryStep, time: Duration) {
        let seconds = match step {
            HistoryStep::TenSeconds => &mut self.ten_seconds,
            HistoryStep::Minute => &mut self.minute,
            HistoryStep::QuarterHour => &mut self.quarter_hour,
        };
        *seconds = time.as_secs();
    }

    /// Those of the longer steps are kept for twice the window that has them.
    pub(crate) fn kept_seconds(&self, tier: StoreTier) -> u64 {
        match tier {
            StoreTier::TenSeconds => self.ten_seconds,
            StoreTier::Minute => self.minute,
            StoreTier::QuarterHour => self.quarter_hour,
            StoreTier::Hour => 15 * DAY,
            StoreTier::SixHours => 62 * DAY,
            StoreTier::TwoDays => 398 * DAY,
        }
    }
}
