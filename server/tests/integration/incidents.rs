//! Incidents of a shop on a real MongoDB: the first finding names the cause, and what follows from it does not hide it.

use std::time::Duration;

use axum::{Router, extract::State, routing::get};
use mongodb::{
    Client, Database,
    bson::{Document, doc},
    options::ClientOptions,
};
use serde_json::Value;
use watchboard::{LocalOnly, Monitor};
use watchboard_test_support::{Mongod, TestClient};

const SHOP: &str = "shop";
/// Each endpoint asks the collection of its name.
const ASKING: [&str; 7] = ["orders", "carts", "products", "customers", "invoices", "reviews", "reports"];
const WITHIN: Duration = Duration::from_secs(30);
/// Requests to each endpoint.
const EVERY: Duration = Duration::from_millis(100);

/// A shop with requests to all its endpoints, until it is dropped.
struct Shop {
    asker: TestClient,
    mongod: Mongod,
    traffic: tokio::task::JoinHandle<()>,
}

impl Shop {
    /// With so many connections to the database at most.
    async fn open(max_pool_size: u32) -> Self {
        let mongod = Mongod::start(&["--setParameter", "enableTestCommands=1"]).await;
        let mut options = ClientOptions::parse(mongod.uri()).await.expect("options");
        options.max_pool_size = Some(max_pool_size);
        let monitor = Monitor::builder().access(LocalOnly::default()).build();
        let client = Client::with_options(monitor.listen(options)).expect("a client");
        let mut app = Router::new().route("/status", get(|| async { "fine" }));
        for name in ASKING {
            let ask = move |State(shop): State<Database>| async move {
                shop.collection::<Document>(name).find_one(doc! {}).await.expect("an answer");
            };
            app = app.route(&format!("/{name}"), get(ask));
        }
        let asker = TestClient::serve(monitor.watch(app.with_state(client.database(SHOP)), "/board")).await;
        let traffic = tokio::spawn(send_on(asker.clone()));
        Self { asker, mongod, traffic }
    }

    /// The answers of the database to these queries come late.
    async fn slow_down(&self, queries: Document) {
        let mut data = doc! { "failCommands": ["find"], "blockConnection": true };
        data.extend(queries);
        let quiet = Client::with_uri_str(self.mongod.uri()).await.expect("a client that nobody listens to");
        let fail = doc! { "configureFailPoint": "failCommand", "mode": "alwaysOn", "data": data };
        quiet.database("admin").run_command(fail).await.expect("a fail point");
    }

    /// The findings that are so now, once the first has these words.
    async fn findings(&self, words: &str) -> Vec<String> {
        let holds = |health: &Value| current(health).first().is_some_and(|first| first.contains(words));
        current(&self.asker.wait_for_json("/board/health", WITHIN, holds).await)
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.traffic.abort();
    }
}

fn current(health: &Value) -> Vec<String> {
    let findings = health["findings"].as_array().into_iter().flatten();
    let current = findings.filter(|finding| finding["over_since_unix_ms"].is_null());
    current.filter_map(|finding| Some(finding["sentence"].as_str()?.replace('\u{a0}', " "))).collect()
}

async fn send_on(asker: TestClient) {
    let mut clock = tokio::time::interval(EVERY);
    loop {
        clock.tick().await;
        for name in ASKING.into_iter().chain(["status"]) {
            let asker = asker.clone();
            tokio::spawn(async move { asker.send("GET", &format!("/{name}")).await });
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_slow_database_is_one_finding_that_names_it() {
    let shop = Shop::open(200).await;
    shop.slow_down(doc! { "blockTimeMS": 700 }).await;
    let findings = shop.findings("the database is slow: 7 endpoints wait for it").await;
    let [only] = &findings[..] else { panic!("one cause: {findings:#?}") };
    assert!(
        only.contains("each with a p99 of about") && only.contains(" commands are slow, such as find shop."),
        "the slowest endpoint and command: {only}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_exhausted_pool_names_who_has_the_connections_and_counts_who_waits() {
    let shop = Shop::open(10).await;
    shop.slow_down(doc! { "blockTimeMS": 1_500, "namespace": "shop.reports" }).await;
    // Who has the connections is known once the first slow requests end; the pool is exhausted before.
    let findings = shop.findings("of the time by GET /reports, up to").await;
    assert!(findings[0].starts_with("connection pool exhausted: all 10 in use, "), "{findings:#?}");
    // It is said on, whatever a tick meets, and who waits is told as a part of it.
    let counted =
        |health: &Value| current(health).first().is_some_and(|first| first.contains("endpoints are late for it"));
    let health = shop.asker.wait_for_json("/board/health", WITHIN, counted).await;
    let late = current(&health);
    let is_of_another = |sentence: &String| sentence.starts_with("GET /") && !sentence.starts_with("GET /reports");
    assert!(!late.iter().any(is_of_another), "{late:#?}");
}
