//! The buckets of a histogram. Few requests fill few buckets, one or two in each and near each other: they take one byte each. With many
//! requests, neighbours have about as many: the difference to the one before takes one byte.

use super::numbers::{Sign, read, write};
use crate::histograms::{BUCKETS, Distribution};

/// The code of a count that follows as a number. Smaller codes are the count itself, less one.
const MORE: u32 = 3;
/// What the first number of a run of buckets has beyond the empty ones before it. The number of a single bucket is smaller.
const RUN: u64 = 4 * BUCKETS as u64;

pub(super) fn encode_buckets(distribution: &Distribution, out: &mut Vec<u8>) {
    let (mut next, mut run) = (0, vec![]);
    for (first, counts) in distribution.runs() {
        let begin = out.len();
        encode_singly(first - next, counts, out);
        // A run of a few buckets is longer.
        if out.len() - begin > counts.len() {
            run.clear();
            encode_run(first - next, counts, &mut run);
            if run.len() < out.len() - begin {
                out.truncate(begin);
                out.extend(&run);
            }
        }
        next = first + counts.len();
    }
}

fn encode_singly(mut empty: usize, counts: &[u32], out: &mut Vec<u8>) {
    for count in counts {
        if *count == 0 {
            empty += 1;
            continue;
        }
        // Two bits for a count of one, two, three or more. The other bits count the empty buckets before it.
        let code = (count - 1).min(MORE);
        write(out, empty as u64 * 4 + u64::from(code));
        if code == MORE {
            write(out, u64::from(count - 1 - MORE));
        }
        empty = 0;
    }
}

fn encode_run(empty: usize, counts: &[u32], out: &mut Vec<u8>) {
    write(out, RUN + empty as u64);
    write(out, counts.len() as u64);
    let mut before = 0;
    for count in counts {
        let difference = count.wrapping_sub(before).cast_signed();
        // The sign is the lowest bit, so that small differences are small numbers.
        write(out, u64::from((difference << 1 ^ difference >> 31).cast_unsigned()));
        before = *count;
    }
}

/// Applies the buckets that follow, at most `most` that are not empty.
pub(super) fn apply_buckets(sign: Sign, encoded: &mut &[u8], most: u64, distribution: &mut Distribution) {
    let mut apply = |bucket, count| match sign {
        Sign::Add => distribution.add(bucket, count),
        Sign::Subtract => distribution.subtract(bucket, count),
    };
    let (mut next, mut left) = (0_usize, most);
    while left > 0 && !encoded.is_empty() {
        let number = read(encoded);
        if let Some(empty) = number.checked_sub(RUN) {
            next = next.saturating_add(empty as usize);
            let mut count = 0_u32;
            for _ in 0..read(encoded).min(BUCKETS as u64) {
                let difference = read(encoded) as u32;
                count = count.wrapping_add(difference >> 1 ^ (difference & 1).wrapping_neg());
                if count > 0 {
                    apply(next, count);
                    left = left.saturating_sub(1);
                }
                next = next.saturating_add(1);
            }
            continue;
        }
        next = next.saturating_add((number / 4) as usize);
        let code = (number % 4) as u32;
        apply(next, if code == MORE { (read(encoded) as u32).wrapping_add(1 + MORE) } else { 1 + code });
        next = next.saturating_add(1);
        left -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn distribution(counts: &[(usize, u32)]) -> Distribution {
        let mut distribution = Distribution::default();
        for (bucket, count) in counts {
            distribution.add(*bucket, *count);
        }
        distribution
    }

    #[test]
    fn neighbours_of_many_requests_take_a_byte_each_and_few_requests_no_more_than_before() {
        let many: Vec<_> = (900..1_000).map(|bucket| (bucket, 700 + (bucket % 7) as u32)).collect();
        let few = [(500, 1), (501, 2), (503, 1), (1_600, 1)];
        for (counts, bytes) in [(&many[..], 2 + 1 + 2 + 99), (&few[..], 2 + 1 + 1 + 2), (&[], 0)] {
            let mut encoded = vec![];
            encode_buckets(&distribution(counts), &mut encoded);
            assert_eq!(encoded.len(), bytes, "{counts:?}");
        }
    }

    #[test]
    fn what_an_earlier_version_wrote_is_read() {
        let mut encoded = vec![];
        for number in [500 * 4, 3, 7, 2 * 4 + 2] {
            write(&mut encoded, number);
        }
        let mut read = Distribution::default();
        apply_buckets(Sign::Add, &mut &encoded[..], u64::MAX, &mut read);
        assert!(read == distribution(&[(500, 1), (501, 11), (504, 3)]));
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_again(counts in prop::collection::btree_map(0usize..BUCKETS, prop_oneof![1u32..9, 100u32..130, 1u32..], 0..300), first in 0usize..1_500, many in prop::collection::vec(0u32..5_000, 0..200)) {
            let mut original = distribution(&counts.into_iter().collect::<Vec<_>>());
            (first..).zip(many).for_each(|(bucket, count)| original.add(bucket, count));
            let mut encoded = vec![];
            encode_buckets(&original, &mut encoded);
            let filled = original.iter().count() as u64;
            encoded.extend(b"rest");
            let (mut rest, mut again) = (&encoded[..], Distribution::default());
            apply_buckets(Sign::Add, &mut rest, filled, &mut again);
            prop_assert_eq!(rest, b"rest");
            prop_assert!(again == original);
            apply_buckets(Sign::Subtract, &mut &encoded[..], filled, &mut again);
            prop_assert!(again == Distribution::default());
        }

        #[test]
        fn what_is_damaged_is_read_without_a_panic(damaged: Vec<u8>) {
            apply_buckets(Sign::Add, &mut &damaged[..], u64::MAX, &mut Distribution::default());
        }
    }
}
