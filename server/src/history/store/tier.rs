//! The lengths of the steps that a store keeps.

use std::ops::Range;

/// The lengths of stored steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum StoreTier {
    TenSeconds,
    Minute,
    QuarterHour,
    Hour,
    SixHours,
    TwoDays,
}

impl StoreTier {
    /// The finest first.
    pub(crate) const ALL: [Self; 6] =
        [Self::TenSeconds, Self::Minute, Self::QuarterHour, Self::Hour, Self::SixHours, Self::TwoDays];

    /// Those that no window of days is made of.
    pub(crate) const FINE: [Self; 3] = [Self::TenSeconds, Self::Minute, Self::QuarterHour];

    /// The seconds of a step.
    pub(crate) fn step_seconds(self) -> u64 {
        match self {
            Self::TenSeconds => 10,
            Self::Minute => 60,
            Self::QuarterHour => 900,
            Self::Hour => 3_600,
            Self::SixHours => 21_600,
            Self::TwoDays => 172_800,
        }
    }

    /// The seconds of the step of the next tier that has this second; of the last tier its own.
    pub(crate) fn longer_step_of(self, second: u64) -> Range<u64> {
        let longer = Self::ALL.get(self as usize + 1).unwrap_or(&self).step_seconds();
        let start = second / longer * longer;
        start..start.saturating_add(longer)
    }

    /// The steps of these last seconds go only when all else is gone, those of the first half of them before the others: coarse steps of long
    /// ago never take the place of the last hours.
    pub(crate) fn late_seconds(self) -> u64 {
        const HOUR: u64 = 3_600;
        match self {
            Self::TenSeconds => 2 * HOUR,
            Self::Minute => 48 * HOUR,
            Self::QuarterHour => 14 * 24 * HOUR,
            Self::Hour => 8 * 24 * HOUR,
            Self::SixHours => 31 * 24 * HOUR,
            Self::TwoDays => 398 * 24 * HOUR,
        }
    }

    /// A step is sent when it is complete; one of more than a quarter of an hour also in part, each quarter. What a kill leaves unsent is made
    /// of shorter steps at the next start.
    pub(crate) fn sent_each_seconds(self) -> u64 {
        self.step_seconds().min(900)
    }
}

/// How often the last hours are halved before a bound that is too small takes all of them.
const LATE_HALVED: u32 = 10;

/// What goes, in this order, while all steps together take too many bytes: of a tier those that begin before a second, the oldest first. The
/// last seconds of each tier stay longest, then the half of those of the fine ones, and so on.
pub(super) fn removal_order(now: u64) -> impl Iterator<Item = (StoreTier, u64)> {
    let whole = StoreTier::ALL.map(|tier| (tier, tier.late_seconds()));
    let halved = (1..=LATE_HALVED).flat_map(|times| StoreTier::FINE.map(|tier| (tier, tier.late_seconds() >> times)));
    let late = whole.into_iter().chain(halved).map(move |(tier, seconds)| (tier, now.saturating_sub(seconds)));
    late.chain(StoreTier::ALL.map(|tier| (tier, u64::MAX)))
}
