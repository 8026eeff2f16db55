//! A compact encoding of tallies: numbers with seven bits a byte, and the buckets of histograms as [`buckets`] writes them.

mod buckets;
mod numbers;

use self::buckets::{apply_buckets, encode_buckets};
pub(super) use self::numbers::{Sign, read, write};
use crate::{
    alloc::AllocationSums,
    commands::CommandTally,
    requests::{CLASSES, MemoryTally, Tally, UpstreamTally, UsageTally},
};

/// Bits of the first byte, beside those of the classes: allocations, database commands, upstream sums, and times of
/// failures are present.
const MEMORY: u8 = 1 << CLASSES.len();
const USAGE: u8 = MEMORY << 1;
const UPSTREAM: u8 = USAGE << 1;
const FAILURES: u8 = UPSTREAM << 1;

/// A tally with a compact encoding.
pub(super) trait Compact: Default {
    /// Appends the tally.
    fn encode(&self, out: &mut Vec<u8>);

    /// Adds an encoded tally, or subtracts it again.
    fn apply(&mut self, sign: Sign, encoded: &[u8]);

    /// Sets all sums to zero, and keeps the memory of the histograms.
    fn clear(&mut self);
}

/// Adds an encoded tally to another, or subtracts it again.
pub(super) fn apply<T: Compact>(sign: Sign, encoded: &[u8], tally: &mut T) {
    tally.apply(sign, encoded);
}

impl Compact for Tally {
    fn encode(&self, out: &mut Vec<u8>) {
        // One bit for each class that is present: most endpoints have one class.
        let present = self.classes.iter().enumerate().filter(|(_, count)| **count > 0);
        let has_memory = self.memory != MemoryTally::default();
        let failures = self.failures.iter().count() as u64;
        let more = if has_memory { MEMORY } else { 0 }
            | if self.usage.is_some() { USAGE } else { 0 }
            | if self.upstream.is_some() { UPSTREAM } else { 0 }
            | if failures > 0 { FAILURES } else { 0 };
        out.push(present.fold(more, |bits, (index, _)| bits | 1 << index));
        self.classes.iter().filter(|count| **count > 0).for_each(|count| write(out, *count));
        write(out, self.response_bytes);
        write(out, self.duration_sum_us);
        if has_memory {
            let AllocationSums { bytes, freed_bytes, allocations } = self.memory.allocated;
            for sum in [bytes, freed_bytes, allocations] {
                write(out, sum);
            }
            write(out, self.memory.sizes.iter().count() as u64);
            encode_buckets(&self.memory.sizes, out);
        }
        if let Some(usage) = &self.usage {
            let UsageTally { commands, elapsed_us, waited_us, repeated, ref times } = **usage;
            for sum in [commands, elapsed_us, waited_us, repeated, times.iter().count() as u64] {
                write(out, sum);
            }
            encode_buckets(times, out);
        }
        if let Some(upstream) = &self.upstream {
            let UpstreamTally { answered, first_byte_sum_us, connects, connect_sum_us } = **upstream;
            for sum in [answered, first_byte_sum_us, connects, connect_sum_us] {
                write(out, sum);
            }
        }
        if failures > 0 {
            write(out, failures);
            encode_buckets(&self.failures, out);
        }
        encode_buckets(&self.latencies, out);
    }

    fn apply(&mut self, sign: Sign, mut encoded: &[u8]) {
        let present = encoded.first().copied().unwrap_or_default();
        encoded = encoded.get(1..).unwrap_or_default();
        for (index, sum) in self.classes.iter_mut().enumerate() {
            if present & 1 << index != 0 {
                sign.apply(sum, read(&mut encoded));
            }
        }
        sign.apply(&mut self.response_bytes, read(&mut encoded));
        sign.apply(&mut self.duration_sum_us, read(&mut encoded));
        if present & MEMORY != 0 {
            let AllocationSums { bytes, freed_bytes, allocations } = &mut self.memory.allocated;
            for sum in [bytes, freed_bytes, allocations] {
                sign.apply(sum, read(&mut encoded));
            }
            let buckets = read(&mut encoded);
            apply_buckets(sign, &mut encoded, buckets, &mut self.memory.sizes);
        }
        if present & USAGE != 0 {
            let UsageTally { commands, elapsed_us, waited_us, repeated, times } =
                &mut **self.usage.get_or_insert_default();
            for sum in [commands, elapsed_us, waited_us, repeated] {
                sign.apply(sum, read(&mut encoded));
            }
            let buckets = read(&mut encoded);
            apply_buckets(sign, &mut encoded, buckets, times);
            if self.usage.as_deref() == Some(&UsageTally::default()) {
                self.usage = None;
            }
        }
        if present & UPSTREAM != 0 {
            let UpstreamTally { answered, first_byte_sum_us, connects, connect_sum_us } =
                &mut **self.upstream.get_or_insert_default();
            for sum in [answered, first_byte_sum_us, connects, connect_sum_us] {
                sign.apply(sum, read(&mut encoded));
            }
            if self.upstream.as_deref() == Some(&UpstreamTally::default()) {
                self.upstream = None;
            }
        }
        if present & FAILURES != 0 {
            let buckets = read(&mut encoded);
            apply_buckets(sign, &mut encoded, buckets, &mut self.failures);
        }
        apply_buckets(sign, &mut encoded, u64::MAX, &mut self.latencies);
    }

    fn clear(&mut self) {
        Self::clear(self);
    }
}

impl Compact for CommandTally {
    fn encode(&self, out: &mut Vec<u8>) {
        // One bit for each sum that is not zero.
        let sums = [self.fine, self.failed, self.cancelled, self.documents];
        let present = sums.iter().enumerate().filter(|(_, sum)| **sum > 0);
        out.push(present.fold(0, |bits, (index, _)| bits | 1 << index));
        sums.iter().filter(|sum| **sum > 0).for_each(|sum| write(out, *sum));
        write(out, self.duration_sum_us);
        encode_buckets(&self.times, out);
    }

    fn apply(&mut self, sign: Sign, mut encoded: &[u8]) {
        let present = encoded.split_off_first().copied().unwrap_or_default();
        let sums = [&mut self.fine, &mut self.failed, &mut self.cancelled, &mut self.documents];
        for (index, sum) in sums.into_iter().enumerate() {
            if present & 1 << index != 0 {
                sign.apply(sum, read(&mut encoded));
            }
        }
        sign.apply(&mut self.duration_sum_us, read(&mut encoded));
        apply_buckets(sign, &mut encoded, u64::MAX, &mut self.times);
    }

    fn clear(&mut self) {
        self.times.clear();
        *self = Self { times: std::mem::take(&mut self.times), ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        histograms::bucket,
        history::tests::{tally, tally_with_failures},
    };
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_encoded_is_read_again(
            durations_us in prop::collection::vec(0u64..1 << 33, 0..200),
            failed_us in prop::collection::vec(0u64..1 << 33, 0..20),
            sizes in prop::collection::vec(0u64..1 << 33, 0..200),
            bytes: u64,
            freed_bytes in 0u64..9,
        ) {
            let mut original = tally_with_failures(&durations_us, &failed_us);
            original.response_bytes = bytes;
            for size in &sizes {
                original.memory.sizes.add(bucket(*size), 1);
            }
            original.upstream = (freed_bytes > 4).then(|| {
                Box::new(UpstreamTally { answered: bytes, first_byte_sum_us: 3, connects: 1, connect_sum_us: bytes / 3 })
            });
            original.memory.allocated = AllocationSums { bytes: sizes.iter().sum(), freed_bytes, allocations: bytes / 2 };
            let mut encoded = vec![];
            original.encode(&mut encoded);
            let mut again = Tally::default();
            apply(Sign::Add, &encoded, &mut again);
            prop_assert_eq!(&again, &original);
            apply(Sign::Subtract, &encoded, &mut again);
            prop_assert_eq!(again, Tally::default());
        }

        #[test]
        fn encoded_commands_are_read_again(sums: [u32; 5], times_us in prop::collection::vec(0u64..1 << 33, 0..200)) {
            let [fine, failed, cancelled, documents, duration_sum_us] = sums.map(u64::from);
            let times = tally(&times_us).latencies;
            let original = CommandTally { fine, failed, cancelled, documents, duration_sum_us, times };
            let mut encoded = vec![];
            original.encode(&mut encoded);
            let mut again = CommandTally::default();
            apply(Sign::Add, &encoded, &mut again);
            prop_assert!(again == original);
            apply(Sign::Subtract, &encoded, &mut again);
            prop_assert!(again == CommandTally::default());
        }
    }
}
