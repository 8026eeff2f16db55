//! What somebody has dropped in a fleet's store, or written into it, stops nothing for long.

use std::time::{Duration, Instant};

use mongodb::{
    Client,
    bson::{Bson, DateTime, Document, Timestamp, doc},
};
use serde_json::Value;
use tokio::time::sleep;
use watchboard_test_support::Mongod;

use crate::{
    fleet::{send, unix_seconds},
    fleet_outages::{WITHIN, a_minute_ago, member, wait_for_total},
};

#[tokio::test]
async fn a_store_that_has_lost_everything_is_made_anew_with_its_names_and_its_bounds() {
    let mongod = Mongod::start(&[]).await;
    let from = a_minute_ago();
    let database = Client::with_uri_str(mongod.uri()).await.expect("a client").database("watchboard");
    let member = member(&mongod.uri(), "web-1").await;
    send(&member, 10).await;
    wait_for_total(&member, from, 10).await;
    database.drop().await.expect("it is dropped");
    // What the next steps begin with is gone, and what they end with is not.
    let is_back = async || database.collection::<Document>("instances").find_one(doc! { "state": "running" }).await;
    let deadline = Instant::now() + WITHIN;
    while is_back().await.expect("an answer").is_none() {
        assert!(Instant::now() < deadline, "the instance is not back");
        sleep(Duration::from_millis(100)).await;
    }
    let path = format!("/health?instance=all&from={from}&to={}", from + 3_600);
    let has_row = |told: &Value| told["application"]["endpoints"]["GET /shop/products"].as_u64() >= Some(5);
    send(&member, 5).await;
    member.client.wait_for_json(&path, WITHIN, has_row).await;
    let indexes = database.collection::<Document>("steps_10s").list_index_names().await.expect("indexes");
    assert!(indexes.contains(&"expiry".to_owned()), "{indexes:?}");
    // A collection that is dropped alone comes back too: the names, and what bounds the steps.
    database.collection::<Document>("names").drop().await.expect("it is dropped");
    database.collection::<Document>("steps_10s").drop().await.expect("it is dropped");
    send(&member, 5).await;
    member.client.wait_for_json(&path, WITHIN, has_row).await;
    let deadline = Instant::now() + WITHIN;
    let steps = database.collection::<Document>("steps_10s");
    while !steps.list_index_names().await.expect("indexes").contains(&"expiry".to_owned()) {
        assert!(Instant::now() < deadline, "the steps of ten seconds never expire");
        sleep(Duration::from_millis(100)).await;
    }
    // Times that no step has are nobody's: neither the newest nor the first.
    for instance in ["", "web-1"] {
        let now = unix_seconds().cast_signed();
        for start in [Bson::Int64(1 << 62), Bson::Int32(5), Bson::Double(now as f64 + 0.5), Bson::Int32(now as i32)] {
            let id = doc! { "_id": { "instance": instance, "start": start }, "at": DateTime::now(), "record": "none" };
            steps.insert_one(id).await.expect("it is stored");
        }
    }
    member.wait_for_page("/?instance=web-1&view=requests", "GET /shop/products").await;
    let told = member.client.json("/health?instance=all").await;
    assert!(
        told["age_seconds"].as_u64() < Some(90) && told["application"]["total_requests"].as_u64() > Some(0),
        "{told}"
    );
    assert_eq!(member.log_lines("panicked").len(), 0);
    // Nor does a lease that nobody could give up stop the merging.
    let lease = database.collection::<Document>("lease");
    let told = member.client.json(&path).await;
    let total = told["application"]["total_requests"].as_u64().expect("a total");
    let never = DateTime::from_millis(i64::MAX / 2);
    let merged = Timestamp { time: 4_200_000_000, increment: 1 };
    let spoiled = doc! { "holder": "nobody", "until": never, "number": "many", "merged": merged };
    lease.update_one(doc! {}, doc! { "$set": spoiled }).await.expect("it is changed");
    send(&member, 3).await;
    member.client.wait_for_json(&path, WITHIN, |told| told["application"]["total_requests"] == total + 3).await;
    lease.delete_many(doc! {}).await.expect("it is removed");
    send(&member, 4).await;
    member.client.wait_for_json(&path, WITHIN, |told| told["application"]["total_requests"] == total + 7).await;
}
