//! A tally in as few bytes as it takes: numbers of seven bits a byte, and of a histogram only the buckets that hold something.
//! Most buckets hold a request or two and are near each other: one byte each.

use crate::{
    alloc::Allocated,
    histograms::Distribution,
    requests::{CLASSES, MemoryTally, PassedOnTally, Tally, UsageTally},
};

/// The code of a count that stands behind it, less what smaller codes say.
const MORE: u32 = 3;

/// Say in the first byte, beside the classes, that there is memory, what was asked of the database, and what was passed on.
const MEMORY: u8 = 1 << CLASSES.len();
const ASKED: u8 = MEMORY << 1;
const PASSED_ON: u8 = ASKED << 1;

/// Appends a tally.
pub(super) fn encode(tally: &Tally, out: &mut Vec<u8>) {
    // Which of the classes there are, in one byte: most endpoints have but one.
    let present = tally.classes.iter().enumerate().filter(|(_, count)| **count > 0);
    let has_memory = tally.memory != MemoryTally::default();
    let more = if has_memory { MEMORY } else { 0 }
        | if tally.usage.is_some() { ASKED } else { 0 }
        | if tally.passed_on.is_some() { PASSED_ON } else { 0 };
    out.push(present.fold(more, |bits, (index, _)| bits | 1 << index));
    tally.classes.iter().filter(|count| **count > 0).for_each(|count| write(out, *count));
    write(out, tally.response_bytes);
    write(out, tally.duration_sum_us);
    if has_memory {
        let Allocated { bytes, freed_bytes, allocations } = tally.memory.allocated;
        for sum in [bytes, freed_bytes, allocations] {
            write(out, sum);
        }
        write(out, tally.memory.sizes.iter().count() as u64);
        encode_buckets(&tally.memory.sizes, out);
    }
    if let Some(usage) = &tally.usage {
        let UsageTally { commands, took_us, repeated, ref times } = **usage;
        for sum in [commands, took_us, repeated, times.iter().count() as u64] {
            write(out, sum);
        }
        encode_buckets(times, out);
    }
    if let Some(passed_on) = &tally.passed_on {
        let PassedOnTally { answered, first_byte_sum_us, connects, connect_sum_us } = **passed_on;
        for sum in [answered, first_byte_sum_us, connects, connect_sum_us] {
            write(out, sum);
        }
    }
    encode_buckets(&tally.latencies, out);
}

fn encode_buckets(distribution: &Distribution, out: &mut Vec<u8>) {
    let mut next = 0;
    for (bucket, count) in distribution.iter() {
        // Two bits for a count of one, two, three or more; the rest for the empty buckets before it.
        let code = (count - 1).min(MORE);
        write(out, (bucket - next) as u64 * 4 + u64::from(code));
        if code == MORE {
            write(out, u64::from(count - 1 - MORE));
        }
        next = bucket + 1;
    }
}

/// What becomes of the numbers of an encoded tally.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Add,
    /// Takes away what was added before.
    Subtract,
}

impl Sign {
    fn apply(self, sum: &mut u64, value: u64) {
        *sum = if self == Self::Add { sum.wrapping_add(value) } else { sum.wrapping_sub(value) };
    }
}

/// Adds an encoded tally to another, or takes it away again.
pub(super) fn apply(sign: Sign, mut encoded: &[u8], tally: &mut Tally) {
    let present = encoded.first().copied().unwrap_or_default();
    encoded = encoded.get(1..).unwrap_or_default();
    for (index, sum) in tally.classes.iter_mut().enumerate() {
        if present & 1 << index != 0 {
            sign.apply(sum, read(&mut encoded));
        }
    }
    sign.apply(&mut tally.response_bytes, read(&mut encoded));
    sign.apply(&mut tally.duration_sum_us, read(&mut encoded));
    if present & MEMORY != 0 {
        let Allocated { bytes, freed_bytes, allocations } = &mut tally.memory.allocated;
        for sum in [bytes, freed_bytes, allocations] {
            sign.apply(sum, read(&mut encoded));
        }
        let buckets = read(&mut encoded);
        apply_buckets(sign, &mut encoded, buckets, &mut tally.memory.sizes);
    }
    if present & ASKED != 0 {
        let UsageTally { commands, took_us, repeated, times } = &mut **tally.usage.get_or_insert_default();
        for sum in [commands, took_us, repeated] {
            sign.apply(sum, read(&mut encoded));
        }
        let buckets = read(&mut encoded);
        apply_buckets(sign, &mut encoded, buckets, times);
        if tally.usage.as_deref() == Some(&UsageTally::default()) {
            tally.usage = None;
        }
    }
    if present & PASSED_ON != 0 {
        let PassedOnTally { answered, first_byte_sum_us, connects, connect_sum_us } =
            &mut **tally.passed_on.get_or_insert_default();
        for sum in [answered, first_byte_sum_us, connects, connect_sum_us] {
            sign.apply(sum, read(&mut encoded));
        }
        if tally.passed_on.as_deref() == Some(&PassedOnTally::default()) {
            tally.passed_on = None;
        }
    }
    apply_buckets(sign, &mut encoded, u64::MAX, &mut tally.latencies);
}

/// As many buckets as there are, and at most `most`.
fn apply_buckets(sign: Sign, encoded: &mut &[u8], most: u64, distribution: &mut Distribution) {
    let (mut next, mut left) = (0, most);
    while left > 0 && !encoded.is_empty() {
        let token = read(encoded);
        let bucket = next + (token / 4) as usize;
        let code = (token % 4) as u32;
        let count = if code == MORE { (read(encoded) as u32).wrapping_add(1 + MORE) } else { 1 + code };
        match sign {
            Sign::Add => distribution.add(bucket, count),
            Sign::Subtract => distribution.subtract(bucket, count),
        }
        next = bucket + 1;
        left -= 1;
    }
}

/// Seven bits a byte, the lowest first; the eighth says that more follow.
pub(super) fn write(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads what [`write`] wrote, and leaves what follows it.
pub(super) fn read(encoded: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let Some((byte, rest)) = encoded.split_first() else { break };
        *encoded = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{histograms::bucket, history::tests::tally};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_encoded_is_read_again(
            durations_us in prop::collection::vec(0u64..1 << 33, 0..200),
            sizes in prop::collection::vec(0u64..1 << 33, 0..200),
            bytes: u64,
            freed_bytes in 0u64..9,
        ) {
            let mut original = tally(&durations_us);
            original.response_bytes = bytes;
            for size in &sizes {
                original.memory.sizes.add(bucket(*size), 1);
            }
            original.passed_on = (freed_bytes > 4).then(|| {
                Box::new(PassedOnTally { answered: bytes, first_byte_sum_us: 3, connects: 1, connect_sum_us: bytes / 3 })
            });
            original.memory.allocated = Allocated { bytes: sizes.iter().sum(), freed_bytes, allocations: bytes / 2 };
            let mut encoded = vec![];
            encode(&original, &mut encoded);
            let mut again = Tally::default();
            apply(Sign::Add, &encoded, &mut again);
            prop_assert_eq!(&again, &original);
            apply(Sign::Subtract, &encoded, &mut again);
            prop_assert_eq!(again, Tally::default());
        }
    }
}
