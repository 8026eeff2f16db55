//! The order of delivery, and what becomes of too much.

use super::*;
use crate::history::store::{NameKey, StoredStep};

fn batch(start: u64, bytes: usize) -> Batch {
    let step = StoredStep { tier: StoreTier::TenSeconds, start, bytes: vec![0; bytes] };
    Batch { steps: vec![step], names: vec![(NameKey(start), vec![])], ..Batch::default() }
}

/// The start of the batch that is next.
fn next_batch(outbox: &Outbox) -> u64 {
    let NextDelivery::Batch(batch) = outbox.next(Duration::ZERO) else { panic!("a batch") };
    outbox.delivered(&batch);
    batch.steps[0].start
}

#[test]
fn batches_are_delivered_in_their_order_until_the_end() {
    let outbox = Outbox::new("web-1", false);
    for start in [10, 20] {
        outbox.push(batch(start, 9));
    }
    assert!(outbox.delivery().waiting_seconds > 0);
    assert_eq!([next_batch(&outbox), next_batch(&outbox)], [10, 20]);
    assert!(matches!(outbox.next(Duration::ZERO), NextDelivery::Nothing));
    let delivery = outbox.delivery();
    assert_eq!((delivery.delivered_until, delivery.waiting_seconds, delivery.lost), (Some(30), 0, 0));
    outbox.close();
    assert!(matches!(outbox.next(Duration::ZERO), NextDelivery::End));
}

#[test]
fn without_a_history_on_disk_the_oldest_are_lost_and_counted_and_their_names_stay() {
    let outbox = Outbox::new("web-1", false);
    for number in 1..=8 {
        outbox.push(batch(number * 10, MAX_WAITING_BYTES / 4));
    }
    let NextDelivery::Batch(next) = outbox.next(Duration::ZERO) else { panic!("a batch") };
    assert_eq!((next.steps[0].start, next.names.len(), outbox.delivery().lost), (60, 6, 5));
}

#[test]
fn with_one_they_are_read_from_it_before_the_newer_ones() {
    let outbox = Outbox::new("web-1", true);
    for number in 1..=80 {
        outbox.push(batch(number * 10, MAX_WAITING_BYTES / 4));
    }
    let NextDelivery::Owed(span) = outbox.next(Duration::ZERO) else { panic!("owed steps") };
    assert_eq!(span, 10..610);
    outbox.delivered_owed(&span, 0);
    let NextDelivery::Owed(span) = outbox.next(Duration::ZERO) else { panic!("owed steps") };
    assert_eq!(span, 610..780);
    outbox.delivered_owed(&span, 2);
    assert_eq!((next_batch(&outbox), outbox.delivery().lost), (780, 2));
}
