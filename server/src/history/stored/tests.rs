//! The encoding of stored frames, whole and damaged.

use super::*;
use crate::history::{FrameBuilder, tests::tally};

fn frame() -> Frame {
    let mut builder = FrameBuilder::new(70, 10);
    builder.endpoint(3, &tally(&[5, 700, 90_000]));
    builder.endpoint(9, &tally(&[1_000; 40]));
    let command = CommandTally { fine: 7, duration_sum_us: 900, ..CommandTally::default() };
    builder.command(4, &command);
    let host =
        Host { rss_bytes: Some(1 << 40), memory_percent: Some(12.5), connections_waiting: Some(0), ..Host::default() };
    builder.finish(host, vec![(1, 2)])
}

fn encoded() -> Vec<u8> {
    encode(&frame(), &StoredReports::default(), &mut |numbered| match numbered {
        RunNumber::Endpoint(id) => NameKey(1_000 + id as u64),
        RunNumber::Command(number) => NameKey(2_000 + number as u64),
        RunNumber::Cause(number) => NameKey(3_000 + u64::from(number)),
    })
}

fn decoded(bytes: &[u8], endpoint: NumberOf<'_>) -> Option<Frame> {
    Some(decode(bytes, 70, endpoint, &mut |key| Some(key.0 as usize - 2_000))?.0)
}

#[test]
fn what_is_stored_is_read_with_the_numbers_of_another_run() {
    let same = decoded(&encoded(), &mut |key| Some(key.0 as usize - 1_000)).unwrap();
    let original = frame();
    assert_eq!((same.start, same.seconds, &same.host), (70, 10, &original.host));
    assert_eq!((same.requests, same.commands), (original.requests, original.commands));
    // The order of the numbers is another, and one name is unknown.
    let other = decoded(&encoded(), &mut |key| Some(2_000 - key.0 as usize)).unwrap();
    let ids: Vec<_> = other.requests.iter().map(|(id, tally)| (id, tally.len())).collect();
    assert_eq!(ids.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [991, 997]);
    let one = decoded(&encoded(), &mut |key| (key.0 == 1_009).then_some(0)).unwrap();
    assert_eq!(one.requests.iter().count(), 1);
}

#[test]
fn two_names_that_became_one_row_add_up() {
    let both = decoded(&encoded(), &mut |_| Some(5)).unwrap();
    let (mut sum, mut whole) = (Tally::default(), Tally::default());
    both.requests.iter().for_each(|(_, tally)| compact::apply(Sign::Add, tally, &mut sum));
    both.requests.apply_whole(Sign::Add, &mut whole);
    assert_eq!((both.requests.iter().count(), sum.requests()), (1, 43));
    assert_eq!(sum, whole);
}

#[test]
fn what_is_damaged_is_nothing() {
    let whole = encoded();
    let read = |bytes: &[u8]| decoded(bytes, &mut |key| Some(key.0 as usize - 1_000)).is_some();
    assert!(read(&whole));
    for length in 0..whole.len() {
        assert!(!read(&whole[..length]), "{length}");
    }
    for bit in 0..whole.len() * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(!read(&flipped), "{bit}");
    }
}
