//! What goes wrong in a fleet: whoever merges hangs or is killed, and the store's set loses its primary or its majority.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use mongodb::{
    Client, Database,
    bson::{Document, doc},
};
use serde_json::Value;
use tokio::{process::Command, time::sleep};
use watchboard_test_support::{
    Binary, FaultyProxy, Mode, Mongod, ReplicaSet, WallClock, binary_path, free_port, signal,
};

use crate::fleet::{send, unix_seconds};

/// Steps of ten seconds are complete, written and merged within this time, on a machine with other tests and after an election.
pub(crate) const WITHIN: Duration = Duration::from_secs(90);
/// A merger that is silent is replaced within this time.
const REPLACED_WITHIN: Duration = Duration::from_secs(15);

pub(crate) async fn member(uri: &str, name: &str) -> Binary {
    Binary::start(&["demo", "--no-traffic", "--fleet", uri, "--instance", name]).await
}

/// Waits until a board has so many requests of all instances since a second.
pub(crate) async fn wait_for_total(member: &Binary, from: u64, total: u64) {
    let path = format!("/health?instance=all&from={from}&to={}", from + 3_600);
    member.client.wait_for_json(&path, WITHIN, |told| told["application"]["total_requests"] == total).await;
}

pub(crate) fn a_minute_ago() -> u64 {
    unix_seconds() - 60
}

/// The name of the instance that merges, once it is another one than `before`.
async fn merger(database: &Database, before: Option<&str>) -> String {
    let deadline = Instant::now() + REPLACED_WITHIN;
    loop {
        let lease = database.collection::<Document>("lease").find_one(doc! {}).await.expect("an answer");
        let holder = lease.and_then(|lease| lease.get_str("holder").ok().map(str::to_owned)).unwrap_or_default();
        let holder = database.collection::<Document>("instances").find_one(doc! { "run": holder }).await;
        let name = holder.expect("an answer").and_then(|one| one.get_str("_id").ok().map(str::to_owned));
        if let Some(name) = name.filter(|name| before != Some(name)) {
            return name;
        }
        assert!(Instant::now() < deadline, "nobody merges after {REPLACED_WITHIN:?}");
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_merger_that_hangs_or_is_killed_is_replaced_and_no_sum_is_wrong() {
    let mongod = Mongod::start(&[]).await;
    let from = a_minute_ago();
    let database = Client::with_uri_str(mongod.uri()).await.expect("a client").database("watchboard");
    let mut members = vec![];
    for name in ["web-1", "web-2", "web-3"] {
        let member = member(&mongod.uri(), name).await;
        send(&member, 10).await;
        members.push((name, member));
    }
    let first = merger(&database, None).await;
    wait_for_total(&members[0].1, from, 30).await;
    let frozen = members.iter().find(|(name, _)| *name == first).expect("one of them").1.pid();
    signal(frozen, "STOP").await;
    let second = merger(&database, Some(&first)).await;
    let other = members.iter().position(|(name, _)| *name != first).expect("another one");
    send(&members[other].1, 5).await;
    wait_for_total(&members[other].1, from, 35).await;
    // It thaws, and may think that it still merges.
    signal(frozen, "CONT").await;
    for (_, member) in &members {
        send(member, 2).await;
    }
    wait_for_total(&members[other].1, from, 41).await;
    let merging = merger(&database, None).await;
    assert!(merging != first || second == first, "{merging} merges, and {first} before");
    let killed = members.iter().position(|(name, _)| *name == merging).expect("one of them");
    let (_, mut killed) = members.remove(killed);
    killed.signal("KILL").await;
    killed.wait_for_exit().await;
    merger(&database, Some(&merging)).await;
    send(&members[0].1, 4).await;
    wait_for_total(&members[0].1, from, 45).await;
}

#[tokio::test]
async fn without_a_primary_or_a_majority_nothing_is_lost_and_nothing_counts_twice() {
    let mut set = ReplicaSet::start().await;
    let from = a_minute_ago();
    let member = member(&set.uri(), "web-1").await;
    send(&member, 10).await;
    wait_for_total(&member, from, 10).await;
    set.step_down().await;
    send(&member, 5).await;
    wait_for_total(&member, from, 15).await;
    let primary = set.primary().await;
    set.members[primary].kill().await;
    send(&member, 5).await;
    wait_for_total(&member, from, 20).await;
    // One of three is no majority.
    let next = set.primary().await;
    set.members[next].kill().await;
    send(&member, 7).await;
    let waits = |told: &Value| told["fleet"]["failure"].is_string() && told["application"]["total_requests"] == 27;
    member.client.wait_for_json("/health", WITHIN, waits).await;
    set.members[primary].restart().await;
    set.members[next].restart().await;
    wait_for_total(&member, from, 27).await;
    let told = member.client.wait_for_json("/health", WITHIN, |told| told["fleet"]["failure"].is_null()).await;
    assert_eq!(told["fleet"]["lost"], 0);
}

#[tokio::test]
async fn while_the_store_is_frozen_or_in_a_black_hole_nothing_is_lost_and_no_request_waits() {
    let mongod = Mongod::start(&[]).await;
    let network = FaultyProxy::start(mongod.port);
    let from = a_minute_ago();
    let member = member(&network.uri(), "web-1").await;
    send(&member, 10).await;
    wait_for_total(&member, from, 10).await;
    let seconds = std::env::var("WATCHBOARD_OUTAGE_SECONDS").map_or(20, |seconds| seconds.parse().expect("seconds"));
    let mut total = 10;
    for is_frozen in [true, false] {
        if is_frozen {
            mongod.signal("STOP").await;
        } else {
            network.set(Mode::BlackHole);
        }
        let until = Instant::now() + Duration::from_secs(seconds);
        let waits = |told: &Value| told["fleet"]["failure"].is_string();
        while Instant::now() < until {
            // Of a request that waited for the store, the answer would take seconds.
            tokio::time::timeout(Duration::from_secs(2), send(&member, 1)).await.expect("an answer");
            total += 1;
            sleep(Duration::from_millis(5)).await;
        }
        member.client.wait_for_json("/health", WITHIN, waits).await;
        if is_frozen {
            mongod.signal("CONT").await;
        } else {
            network.set(Mode::Pass);
        }
        wait_for_total(&member, from, total).await;
        let told = member.client.wait_for_json("/health", WITHIN, |told| told["fleet"]["failure"].is_null()).await;
        assert_eq!(told["fleet"]["lost"], 0);
    }
}

#[tokio::test]
async fn an_instance_whose_clock_is_wrong_is_told_and_spoils_no_figure_of_the_others() {
    let Some(clock) = WallClock::new("+1h") else { return };
    let mongod = Mongod::start(&[]).await;
    let from = a_minute_ago();
    let database = Client::with_uri_str(mongod.uri()).await.expect("a client").database("watchboard");
    let mut command = Command::new(binary_path());
    command.args(["demo", "--no-traffic", "--instance", "web-2", "--fleet", &mongod.uri()]);
    command.env("WATCHBOARD_OPEN", "true").stderr(Stdio::piped()).kill_on_drop(true);
    clock.give_to(&mut command);
    let wrong = Binary::from_command(command).await;
    assert_eq!(merger(&database, None).await, "web-2");
    let right = member(&mongod.uri(), "web-1").await;
    send(&right, 10).await;
    send(&wrong, 7).await;
    let path = format!("/health?instance=all&from={from}&to={}", from + 1_800);
    right.client.wait_for_json(&path, WITHIN, |told| told["application"]["total_requests"] == 10).await;
    // Those of the other stand at its own times.
    let path = format!("/health?instance=web-2&from={}&to={}", from + 3_600, from + 5_400);
    right.client.wait_for_json(&path, WITHIN, |told| told["application"]["total_requests"] == 7).await;
    let told = right.client.json("/health?instance=all").await;
    let reasons = told["reasons"].to_string();
    assert!(reasons.contains("web-2: its clock is") && reasons.contains("ahead of"), "{reasons}");
    assert!(told["application"]["average_response_time"].is_f64(), "the last minute has requests: {told}");
}

#[tokio::test]
async fn an_instance_that_never_reached_the_store_says_so() {
    let member = member(&format!("mongodb://127.0.0.1:{}/", free_port()), "web-1").await;
    let is_told = |told: &Value| told["reasons"].to_string().contains("the fleet has had no figures of this instance");
    let told = member.client.wait_for_json("/health", WITHIN, is_told).await;
    assert_eq!(told["status"], "degraded");
    assert_eq!(member.log_lines("the fleet's MongoDB takes no figures").len(), 1);
}
