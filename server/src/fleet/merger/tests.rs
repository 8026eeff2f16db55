//! Merging on a real mongod: what comes late, holders that change, and one that is frozen and thawed.

use mongodb::bson::Timestamp;
use watchboard_test_support::Mongod;

use super::*;
use crate::{
    fleet::client::connect,
    history::{measured_step, recent_requests, store::Batch},
};

const HOUR: u64 = 3_600;

/// The start of a quarter of an hour, so many seconds ago.
fn quarter_before(seconds: u64) -> u64 {
    (crate::clock::now_unix_ms() / 1000 - seconds) / 900 * 900
}

/// The requests of all in the step that has this second.
async fn requests(all: &MongoSteps, tier: StoreTier, second: u64) -> u64 {
    let start = second / tier.step_seconds() * tier.step_seconds();
    let steps = all.newest_steps(tier, start..start + 1, usize::MAX).await.unwrap();
    recent_requests(&steps, 10).requests
}

/// An instance writes a step of each of these tiers with so many requests.
async fn write_tiers(steps: &MongoSteps, instance: &str, start: u64, count: usize, tiers: &[StoreTier]) {
    let step = |tier: &StoreTier| StoredStep { tier: *tier, start, bytes: measured_step(&vec![1_000; count]) };
    let steps_written = tiers.iter().map(step).collect();
    steps.of(instance).append(&Batch { steps: steps_written, ..Batch::default() }).await.unwrap();
}

/// An instance writes a step of ten seconds with so many requests.
async fn write(steps: &MongoSteps, instance: &str, start: u64, count: usize) {
    write_tiers(steps, instance, start, count, &[StoreTier::TenSeconds]).await;
}

fn merger(steps: &MongoSteps, holder: &str) -> Merger {
    Merger::new(steps, holder.to_owned())
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
    let start = quarter_before(HOUR);
    write(&steps, "web-1", start, 3).await;
    write(&steps, "web-2", start, 4).await;
    let first = hold(&one).await;
    assert!(other.lease.ask().await.unwrap().is_none(), "one has it");
    one.round(first).await.unwrap();
    assert_eq!(requests(&all, StoreTier::TenSeconds, start).await, 7);
    // Sent again, it counts once.
    write(&steps, "web-1", start, 3).await;
    one.round(first).await.unwrap();
    assert_eq!(requests(&all, StoreTier::TenSeconds, start).await, 7);

    // The holder is frozen while it has read a step, and another one takes over.
    let stale = all.newest_steps(StoreTier::TenSeconds, start..start + 1, usize::MAX).await.unwrap();
    let second = hold(&other).await;
    assert!(second.number > first.number);
    write(&steps, "web-3", start, 5).await;
    write(&steps, "web-1", start + 50, 2).await;
    other.round(second).await.unwrap();
    one.steps.replace_merged(&stale[0], first.number).await.unwrap();
    let sums = [StoreTier::TenSeconds, StoreTier::Minute, StoreTier::QuarterHour, StoreTier::TwoDays];
    for (tier, sum) in sums.into_iter().zip([12, 14, 14, 14]) {
        assert_eq!(requests(&all, tier, start).await, sum, "{tier:?}");
    }
    // What comes hours late changes its own steps, and no other.
    write(&steps, "web-2", start + 10, 1).await;
    other.round(second).await.unwrap();
    assert_eq!(requests(&all, StoreTier::TenSeconds, start).await, 12);
    assert_eq!(requests(&all, StoreTier::TwoDays, start).await, 15);
    // A stranger's step that was written tomorrow hides nothing of today.
    for ahead in [3_600, u32::MAX / 4] {
        let time = (crate::clock::now_unix_ms() / 1000) as u32 + ahead;
        let id = mongodb::bson::doc! { "instance": "stranger", "start": start.cast_signed() };
        let set = mongodb::bson::doc! { "$set": { "written": Timestamp { time, increment: 1 } } };
        steps
            .update("steps_10s", vec![mongodb::bson::doc! { "q": { "_id": id }, "u": set, "upsert": true }])
            .await
            .unwrap();
        other.round(second).await.unwrap();
        let before = requests(&all, StoreTier::TenSeconds, start).await;
        write(&steps, &format!("web-{ahead}"), start, 1).await;
        other.round(second).await.unwrap();
        assert_eq!(requests(&all, StoreTier::TenSeconds, start).await, before + 1, "{ahead} s ahead");
    }
    // Nobody holds it twice.
    assert!(one.lease.ask().await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_days_late_is_merged_with_the_steps_that_are_kept_for_so_long() {
    let mongod = Mongod::start(&[]).await;
    let steps = MongoSteps::new(connect(&mongod.uri(), "web-1").await.unwrap(), "web-1");
    let mut merger = merger(&steps, "one");
    let all = merger.steps.clone();
    let days_ago = |days: u64| quarter_before(days * 24 * HOUR);
    let tenure = hold(&merger).await;
    // The steps of ten seconds, or the minutes, that web-1 wrote in time have expired, and those of all with them.
    let [weekend, month] = [days_ago(3), days_ago(20)];
    write_tiers(&steps, "web-1", weekend, 3, &StoreTier::ALL[1..3]).await;
    write_tiers(&steps, "web-1", month, 30, &StoreTier::ALL[2..3]).await;
    write_tiers(&all, ALL_INSTANCES, weekend, 3, &StoreTier::ALL[1..3]).await;
    write_tiers(&all, ALL_INSTANCES, month, 30, &StoreTier::ALL[2..3]).await;
    // Then web-2 reaches the database, and writes what it had kept.
    write_tiers(&steps, "web-2", weekend, 4, &StoreTier::ALL[..3]).await;
    write_tiers(&steps, "web-2", month, 40, &StoreTier::ALL[..3]).await;
    // The time is known by what is written now.
    write(&steps, "web-1", quarter_before(0), 1).await;
    merger.round(tenure).await.unwrap();
    for (second, tier, sum) in [
        (weekend, StoreTier::Minute, 7),
        (weekend, StoreTier::QuarterHour, 7),
        (weekend, StoreTier::TwoDays, 7),
        (month, StoreTier::QuarterHour, 70),
        (month, StoreTier::Hour, 70),
        (month, StoreTier::TwoDays, 70),
    ] {
        assert_eq!(requests(&all, tier, second).await, sum, "{tier:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_of_now_does_not_wait_for_what_is_late() {
    let mongod = Mongod::start(&[]).await;
    let steps = MongoSteps::new(connect(&mongod.uri(), "web-1").await.unwrap(), "web-1");
    let mut merger = merger(&steps, "one");
    let all = merger.steps.clone();
    let tenure = hold(&merger).await;
    // Two hours of an instance that the database could not be reached from.
    let [oldest, now] = [quarter_before(3 * HOUR), crate::clock::now_unix_ms() / 10_000 * 10];
    let late = (oldest..now - HOUR).step_by(10).map(|start| StoredStep {
        tier: StoreTier::TenSeconds,
        start,
        bytes: measured_step(&[1_000]),
    });
    steps.append(&Batch { steps: late.collect(), ..Batch::default() }).await.unwrap();
    let merging = tokio::spawn(async move { merger.round(tenure).await });
    // While it is merged, the other instances write.
    let first_late = now - HOUR - 10;
    while requests(&all, StoreTier::TenSeconds, first_late).await == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    write(&steps, "web-2", now, 4).await;
    while requests(&all, StoreTier::Minute, now).await == 0 {
        assert!(!merging.is_finished());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(requests(&all, StoreTier::TenSeconds, oldest).await, 0, "the late ones are not merged yet");
    merging.await.unwrap().unwrap();
    assert_eq!(requests(&all, StoreTier::TenSeconds, oldest).await, 1);
}
