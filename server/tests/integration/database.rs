//! The database of an application's own client.

use std::time::{Duration, Instant};

use mongodb::{
    Client,
    bson::{Document, doc},
};
use tokio::time::sleep;
use watchboard::Monitor;
use watchboard_test_support::{Mongod, TestClient};

const WATCHED: Duration = Duration::from_secs(30);
const MAX_ATTEMPTS: i64 = 8;

/// Logins that the server has refused.
async fn refused_logins(root: &mongodb::Database) -> i64 {
    let status = root.run_command(doc! { "serverStatus": 1 }).await.expect("the server's state");
    let counts = |of: &Document| of.get_i64("received").unwrap_or(0) - of.get_i64("successful").unwrap_or(0);
    let security = status.get_document("security").and_then(|security| security.get_document("authentication"));
    let mechanisms = security.and_then(|security| security.get_document("mechanisms")).expect("counts");
    let each =
        mechanisms.iter().filter_map(|(_, mechanism)| mechanism.as_document()?.get_document("authenticate").ok());
    each.map(counts).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_of_the_applications_client_is_tried_seldom() {
    let mongod = Mongod::start(&["--auth"]).await;
    let admin = Client::with_uri_str(mongod.uri()).await.expect("a client").database("admin");
    admin.run_command(doc! { "createUser": "root", "pwd": "pw", "roles": ["root"] }).await.expect("the first user");
    let uri = |login: &str| mongod.uri().replace("mongodb://", &format!("mongodb://{login}@"));
    let root = Client::with_uri_str(uri("root:pw")).await.expect("a client").database("admin");
    let before = refused_logins(&root).await;

    let client = Client::with_uri_str(uri("root:wr0ng")).await.expect("a client");
    let monitor = Monitor::builder().database(client).access(watchboard::LocalOnly::default()).build();
    let app = TestClient::serve(monitor.watch(axum::Router::new(), "/ops")).await;
    let started = Instant::now();
    let failed =
        |health: &serde_json::Value| health["database"]["status"].to_string().contains("authentication failed");
    app.wait_for_json("/ops/health", Duration::from_secs(10), failed).await;
    while started.elapsed() < WATCHED {
        sleep(Duration::from_millis(500)).await;
    }
    let attempts = refused_logins(&root).await - before;
    println!("{attempts} refused logins in {:?}", started.elapsed());
    assert!((2..=MAX_ATTEMPTS).contains(&attempts), "{attempts}");
}
