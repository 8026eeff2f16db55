//! Merging on a real mongod: what comes late, holders that change, and one that is frozen and thawed.

use watchboard_test_support::Mongod;

use super::*;
use crate::{
    fleet::client::connect,
    history::{measured_step, recent_requests, store::Batch},
};

/// A whole number of the longest steps.
const START: u64 = 1_728_000_000;

async fn requests(all: &MongoSteps, tier: StoreTier) -> u64 {
    let start = START / tier.step_seconds() * tier.step_seconds();
    let steps = all.newest_steps(tier, start..start + 1, usize::MAX).await.unwrap();
    recent_requests(&steps, 10).requests
}

/// An instance writes a step with so many requests.
async fn write(steps: &MongoSteps, instance: &str, start: u64, count: usize) {
    let step = StoredStep { tier: StoreTier::TenSeconds, start, bytes: measured_step(&vec![1_000; count]) };
    steps.of(instance).append(&Batch { steps: vec![step], ..Batch::default() }).await.unwrap();
}

/// One that merges steps of any age.
fn merger(steps: &MongoSteps, holder: &str) -> Merger {
    Merger { merged_for_seconds: u32::MAX, ..Merger::new(steps, holder.to_owned()) }
}

/// The tenure of a merger whose lease nobody else has.
async fn hold(merger: &Merger) -> Tenure {
    let free = mongodb::bson::doc! { "q": { "_id": "merge" }, "u": { "$unset": { "until": 1 } } };
    merger.steps.update("lease", vec![free]).await.unwrap();
    merger.lease.ask().await.unwrap().expect("the lease is free")
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_merges_and_however_late_a_part_comes_the_sum_is_that_of_all_parts() {
    let mongod = Mongod::start(&[]).await;
    let steps = MongoSteps::new(connect(&mongod.uri(), "web-1").await.unwrap(), "web-1");
    let (mut one, mut other) = (merger(&steps, "one"), merger(&steps, "other"));
    let all = one.steps.clone();
    write(&steps, "web-1", START, 3).await;
    write(&steps, "web-2", START, 4).await;
    let first = hold(&one).await;
    assert!(other.lease.ask().await.unwrap().is_none(), "one has it");
    one.round(first).await.unwrap();
    assert_eq!(requests(&all, StoreTier::TenSeconds).await, 7);
    // Sent again, it counts once.
    write(&steps, "web-1", START, 3).await;
    one.round(first).await.unwrap();
    assert_eq!(requests(&all, StoreTier::TenSeconds).await, 7);

    // The holder is frozen while it has read a step, and another one takes over.
    let stale = all.newest_steps(StoreTier::TenSeconds, START..START + 1, usize::MAX).await.unwrap();
    let second = hold(&other).await;
    assert!(second.number > first.number);
    write(&steps, "web-3", START, 5).await;
    write(&steps, "web-1", START + 50, 2).await;
    other.round(second).await.unwrap();
    one.steps.replace_merged(&stale[0], first.number).await.unwrap();
    let sums = [StoreTier::TenSeconds, StoreTier::Minute, StoreTier::QuarterHour, StoreTier::TwoDays];
    for (tier, sum) in sums.into_iter().zip([12, 14, 14, 14]) {
        assert_eq!(requests(&all, tier).await, sum, "{tier:?}");
    }
    // What comes hours late changes its own steps, and no other.
    write(&steps, "web-2", START + 10, 1).await;
    other.round(second).await.unwrap();
    assert_eq!(requests(&all, StoreTier::TenSeconds).await, 12);
    assert_eq!(requests(&all, StoreTier::TwoDays).await, 15);
    // Nobody holds it twice.
    assert!(one.lease.ask().await.unwrap().is_none());
}
