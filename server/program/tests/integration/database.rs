//! Outages of a real mongod: their names on the board, and no effect on the application's requests.

use std::time::{Duration, Instant};

use mongodb::{Client, bson::doc};
use serde_json::Value;
use watchboard_test_support::{Binary, Mongod, reasons};

/// How soon the board has to know.
const WITHIN: Duration = Duration::from_secs(5);

async fn until_status(board: &Binary, holds: impl Fn(&str) -> bool) -> Value {
    let status = |health: &Value| health["database"]["status"].as_str().is_some_and(&holds);
    board.client.wait_for_json("/health", WITHIN, status).await
}

/// The slowest of a hundred requests to a route without a database.
async fn slowest(board: &Binary) -> Duration {
    let mut slowest = Duration::ZERO;
    for _ in 0..100 {
        let started = Instant::now();
        board.client.send("GET", "/shop/coupons/SPRING-1").await;
        slowest = slowest.max(started.elapsed());
    }
    slowest
}

#[tokio::test(flavor = "multi_thread")]
async fn each_outage_has_its_name_and_ends() {
    let mut mongod = Mongod::start(&[]).await;
    let board = Binary::start(&["demo", "--no-traffic", "--mongodb-uri", &mongod.uri()]).await;
    let healthy = |status: &str| status == "healthy";
    let health = until_status(&board, healthy).await;
    assert_eq!(health["database"]["version"], "6.0.5");
    assert_eq!(health["database"]["topology"], "standalone");
    assert_eq!(board.client.send("POST", "/shop/orders").await.0, 415, "the shop's own error, not the database's");

    mongod.signal("STOP").await;
    let health = until_status(&board, |status| status.starts_with("error: frozen")).await;
    assert_eq!(health["status"], "degraded");
    assert!(health["reasons"].to_string().contains("database frozen"), "{health}");
    // A demo route's work takes a few milliseconds: a request that waited for the database would take a second.
    assert!(slowest(&board).await < Duration::from_millis(500));
    mongod.signal("CONT").await;
    until_status(&board, healthy).await;

    mongod.kill().await;
    until_status(&board, |status| status.starts_with("error: connection refused")).await;
    assert!(slowest(&board).await < Duration::from_millis(500));
    mongod.restart().await;
    let health = until_status(&board, healthy).await;
    assert_eq!(reasons(&health), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_named_and_never_told() {
    let mongod = Mongod::start(&["--auth"]).await;
    // The first user may be made without a login, from this machine.
    let admin = Client::with_uri_str(mongod.uri()).await.unwrap().database("admin");
    admin.run_command(doc! { "createUser": "watcher", "pwd": "right", "roles": ["read"] }).await.unwrap();
    let uri = |password: &str| format!("mongodb://watcher:{password}@127.0.0.1:{}/?directConnection=true", mongod.port);

    let board = Binary::start(&["--mongodb-uri", &uri("wr0ng-s3cret")]).await;
    let health = until_status(&board, |status| status.starts_with("error: authentication failed")).await;
    assert!(!health.to_string().contains("s3cret"));
    assert!(!String::from_utf8_lossy(&board.client.send("GET", "/?view=database").await.1).contains("s3cret"));

    let board = Binary::start(&["--mongodb-uri", &uri("right")]).await;
    until_status(&board, |status| status == "healthy").await;
}
