//! Instances that end and begin again under their name.

use std::time::{Duration, Instant};

use serde_json::Value;
use watchboard_test_support::Mongod;

use crate::fleet::{WITHIN, member, send, unix_seconds, wait_for_total};

#[tokio::test]
async fn runs_of_a_second_lose_nothing() {
    let mongod = Mongod::start(&[]).await;
    let folder = tempfile::tempdir().unwrap();
    let from = unix_seconds() - 60;
    let span = (from, from + 3_600);
    let on_disk = ["--data-dir", folder.path().to_str().expect("a text")];
    // The first ones end before they are known to the store.
    for (name, more) in [("web-1", &[][..]), ("web-2", &on_disk)] {
        for count in 1..=4 {
            let mut member = member(&mongod, name, more).await;
            send(&member, count).await;
            member.signal("TERM").await;
            member.wait_for_exit().await;
        }
    }
    let member = member(&mongod, "web-2", &on_disk).await;
    send(&member, 5).await;
    wait_for_total(&member.client, "all", span, 25).await;
    wait_for_total(&member.client, "web-1", span, 10).await;
    let own = format!("/health?from={}&to={}", span.0, span.1);
    member.client.wait_for_json(&own, WITHIN, |told| told["application"]["total_requests"] == 15).await;
}

#[tokio::test]
async fn an_instance_that_is_killed_in_an_outage_delivers_what_its_file_has() {
    let mut mongod = Mongod::start(&[]).await;
    let folder = tempfile::tempdir().unwrap();
    let from = unix_seconds() - 60;
    let span = (from, from + 3_600);
    let more = ["--data-dir", folder.path().to_str().expect("a text")];
    let mut first = member(&mongod, "web-1", &more).await;
    send(&first, 10).await;
    wait_for_total(&first.client, "all", span, 10).await;
    mongod.kill().await;
    send(&first, 7).await;
    let waits = |told: &Value| told["fleet"]["waiting_seconds"].as_u64() >= Some(30);
    first.client.wait_for_json("/health", WITHIN, waits).await;
    first.signal("KILL").await;
    first.wait_for_exit().await;
    // It starts without the store, which is back later.
    let first = member(&mongod, "web-1", &more).await;
    send(&first, 3).await;
    let fails = |told: &Value| told["fleet"]["failure"].is_string();
    first.client.wait_for_json("/health", WITHIN, fails).await;
    mongod.restart().await;
    wait_for_total(&first.client, "all", span, 20).await;
    wait_for_total(&first.client, "web-1", span, 20).await;
    let told = first.client.wait_for_json("/health", WITHIN, |told| told["fleet"]["failure"].is_null()).await;
    assert_eq!(told["fleet"]["lost"], 0);
}

#[tokio::test]
async fn an_instance_ends_within_its_time_although_the_store_hangs() {
    let mongod = Mongod::start(&[]).await;
    let mut member = member(&mongod, "web-1", &[]).await;
    send(&member, 10).await;
    let is_delivered = |told: &Value| told["fleet"]["delivered_until"].is_u64();
    member.client.wait_for_json("/health", WITHIN, is_delivered).await;
    mongod.signal("STOP").await;
    let begun = Instant::now();
    member.signal("TERM").await;
    member.wait_for_exit().await;
    // Six seconds; those who wait in turn do not add up.
    assert!(begun.elapsed() < Duration::from_secs(9), "{:?}", begun.elapsed());
    mongod.signal("CONT").await;
}
