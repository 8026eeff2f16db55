//! A histogram that stores only the buckets between its lowest and its highest: a few hundred of two thousand.

use histogram::{Config, SparseHistogram32};
use watchboard_wire::Latency;

use super::buckets::{BUCKETS, GROUPING_POWER, MAX_VALUE_POWER, bucket, middle};

/// Counts by bucket. They can be subtracted again. Beyond 2^32 in one bucket they wrap, and are right again after the subtraction.
#[derive(Clone, Default)]
pub(crate) struct Distribution {
    first: usize,
    counts: Vec<u32>,
}

impl Distribution {
    pub(crate) fn clear(&mut self) {
        self.counts.clear();
    }

    pub(crate) fn add(&mut self, bucket: usize, count: u32) {
        if let Some(sum) = self.place(bucket) {
            *sum = sum.wrapping_add(count);
        }
    }

    pub(crate) fn subtract(&mut self, bucket: usize, count: u32) {
        if let Some(sum) = self.place(bucket) {
            *sum = sum.wrapping_sub(count);
        }
    }

    fn place(&mut self, bucket: usize) -> Option<&mut u32> {
        if bucket >= BUCKETS {
            return None;
        }
        if self.counts.is_empty() {
            self.first = bucket;
        }
        if bucket < self.first {
            self.counts.splice(..0, std::iter::repeat_n(0, self.first - bucket));
            self.first = bucket;
        }
        let index = bucket - self.first;
        if index >= self.counts.len() {
            // Exactly as much as needed: there are thousands of these, and they seldom grow.
            self.counts.reserve_exact(index + 1 - self.counts.len());
            self.counts.resize(index + 1, 0);
        }
        self.counts.get_mut(index)
    }

    /// The memory that it holds beside itself, in bytes.
    pub(crate) fn held_bytes(&self) -> usize {
        self.counts.capacity() * size_of::<u32>()
    }

    /// The buckets that are not empty, from the lowest on.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, u32)> {
        let counts = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        counts.map(|(index, count)| (self.first + index, *count))
    }

    /// Its runs of buckets, from the lowest on: the first bucket of each, and the counts of its neighbours. At most one bucket between two
    /// of a run is empty, and its first and its last are not.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (usize, &[u32])> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let rest = self.counts.get(at..)?;
            let begin = at + rest.iter().position(|count| *count > 0)?;
            let run = &self.counts[begin..];
            let end = run.windows(2).position(|two| two == [0, 0]).unwrap_or(run.len());
            // An empty bucket at the end is none of it.
            let end = run[..end].iter().rposition(|count| *count > 0)? + 1;
            at = begin + end;
            Some((self.first + begin, &run[..end]))
        })
    }

    /// The number of values that are at most `value`, to the precision of the buckets.
    pub(crate) fn count_at_most(&self, value: u64) -> u64 {
        let last = bucket(value);
        self.iter().take_while(|(bucket, _)| *bucket <= last).map(|(_, count)| u64::from(count)).sum()
    }

    /// The number of values.
    pub(crate) fn count(&self) -> u64 {
        self.iter().map(|(_, count)| u64::from(count)).sum()
    }

    /// The sum of the values, to the precision of the buckets.
    pub(crate) fn sum(&self) -> u64 {
        let products = self.iter().map(|(bucket, count)| middle(bucket) * u64::from(count));
        products.fold(0, u64::saturating_add)
    }

    /// The mean and the percentiles of times in microseconds; `None` without values.
    pub(crate) fn latency(&self) -> Option<Latency> {
        let mean_us = self.sum().checked_div(self.count())?;
        let [p50_us, p95_us, p99_us, max_us] = self.percentiles()?;
        Some(Latency { mean_us, p50_us, p95_us, p99_us, max_us })
    }

    /// The percentiles 50, 95, 99 and 100; `None` without values.
    pub(crate) fn percentiles(&self) -> Option<[u64; 4]> {
        let config = Config::new(GROUPING_POWER, MAX_VALUE_POWER).ok()?;
        let (buckets, counts) = self.iter().map(|(bucket, count)| (bucket as u32, count)).unzip();
        let histogram = SparseHistogram32::from_parts(config, buckets, counts).ok()?;
        let quantiles = histogram::SampleQuantiles::quantiles(&histogram, &[0.5, 0.95, 0.99, 1.0]).ok()??;
        let mut middles = quantiles.entries().values().map(|bucket| bucket.start().midpoint(bucket.end()));
        let mut next = || middles.next();
        Some([next()?, next()?, next()?, next()?])
    }
}

/// Equal if the counts are; the range of stored buckets does not matter.
impl PartialEq for Distribution {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_come_in_any_order_and_leave_again() {
        let mut distribution = Distribution::default();
        for bucket in [500, 20, 1000, 20] {
            distribution.add(bucket, 1);
        }
        distribution.add(BUCKETS, 1);
        assert_eq!(distribution.iter().collect::<Vec<_>>(), [(20, 2), (500, 1), (1000, 1)]);
        assert_eq!((distribution.count_at_most(20), distribution.count_at_most(u64::MAX)), (2, 4));
        distribution.subtract(20, 2);
        distribution.subtract(500, 1);
        distribution.subtract(1000, 1);
        assert!(distribution == Distribution::default() && distribution.percentiles().is_none());
    }
}
