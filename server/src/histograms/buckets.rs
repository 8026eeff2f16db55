//! The layout of every histogram, and the recorder of values. The layout is that of the `histogram` crate, which reads the percentiles. The
//! recorder is our own: it skips empty buckets when it takes the counts, and finds a bucket by arithmetic on constants.

use std::sync::atomic::Ordering::Relaxed;

use crate::sync::AtomicU32;

/// 2^6 buckets for each power of two. A bucket is at most 1.6 % wide, so its middle is within 0.8 % of each value in it.
pub(crate) const GROUPING_POWER: u8 = 6;
/// Values up to 2^32: 71 minutes in microseconds, 4 GiB in bytes. A larger value counts as the largest.
pub(crate) const MAX_VALUE_POWER: u8 = 32;
/// The largest value.
const LARGEST: u64 = (1 << MAX_VALUE_POWER) - 1;
/// Below this power of two, each value has a bucket of its own.
const EXACT_POWER: u8 = GROUPING_POWER + 1;
/// Buckets of one histogram.
pub(crate) const BUCKETS: usize = ((MAX_VALUE_POWER - GROUPING_POWER + 1) as usize) << GROUPING_POWER;

/// OpenTelemetry's bounds of `http.server.request.duration`, in microseconds, both ends included: the buckets of `/metrics`.
pub(crate) const BOUNDS_US: [u64; 14] = [
    5_000, 10_000, 25_000, 50_000, 75_000, 100_000, 250_000, 500_000, 750_000, 1_000_000, 2_500_000, 5_000_000,
    7_500_000, 10_000_000,
];

/// The bucket of a value.
pub(crate) fn bucket(value: u64) -> usize {
    let value = value.min(LARGEST);
    if value < 1 << EXACT_POWER {
        return value as usize;
    }
    let power = value.ilog2() as u8;
    let within = (value >> (power - GROUPING_POWER)) as usize - (1 << GROUPING_POWER);
    (usize::from(power - GROUPING_POWER + 1) << GROUPING_POWER) + within
}

/// The lowest value of a bucket.
pub(crate) fn lowest(bucket: usize) -> u64 {
    if bucket < 1 << EXACT_POWER {
        return bucket as u64;
    }
    let power = (bucket >> GROUPING_POWER) - 1 + usize::from(GROUPING_POWER);
    let within = (bucket & ((1 << GROUPING_POWER) - 1)) as u64;
    (1 << power) + (within << (power - usize::from(GROUPING_POWER)))
}

/// The middle of a bucket.
pub(crate) fn middle(bucket: usize) -> u64 {
    lowest(bucket).midpoint(lowest(bucket + 1) - 1)
}

/// Counts by bucket. Many threads add, and one thread takes.
pub(crate) struct BucketRecorder(Box<[AtomicU32]>);

impl BucketRecorder {
    pub(crate) fn new() -> Self {
        Self((0..BUCKETS).map(|_| AtomicU32::new(0)).collect())
    }

    /// The memory that each recorder holds, in bytes.
    pub(crate) const fn held_bytes() -> usize {
        BUCKETS * size_of::<AtomicU32>()
    }

    pub(crate) fn record(&self, value: u64) {
        self.0[bucket(value)].fetch_add(1, Relaxed);
    }

    /// Takes the counts since the last call. `each` gets the buckets that are not empty.
    pub(crate) fn take(&self, mut each: impl FnMut(usize, u32)) {
        for (bucket, count) in self.0.iter().enumerate() {
            if count.load(Relaxed) > 0 {
                each(bucket, count.swap(0, Relaxed));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use histogram::Histogram;

    #[test]
    fn the_layout_is_the_crates_own() {
        let powers = (0..MAX_VALUE_POWER).flat_map(|power| [1u64 << power, (1 << power) + 1, (2u64 << power) - 1]);
        for us in powers.chain([0, 100, 1_234, 56_789, 987_654_321]) {
            let mut histogram = Histogram::new(GROUPING_POWER, MAX_VALUE_POWER).unwrap();
            histogram.increment(us).unwrap();
            assert_eq!(histogram.as_slice().len(), BUCKETS);
            let index = histogram.as_slice().iter().position(|count| *count == 1).unwrap();
            assert_eq!(bucket(us), index, "{us}");
            let range = histogram.iter().nth(index).unwrap().range();
            assert_eq!(lowest(index), *range.start(), "{us}");
            assert_eq!(middle(index), range.start().midpoint(*range.end()), "{us}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }
}
