//! What an application asks of a real MongoDB, as its client's events tell: every command once, and of the request that sent it.

use std::time::Duration;

use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    routing::get,
};
use futures_util::{StreamExt, TryStreamExt, future::join_all, stream};
use mongodb::{
    Client, Database,
    bson::{Document, doc},
    options::ClientOptions,
};
use serde_json::Value;
use watchboard::{LocalOnly, Monitor};
use watchboard_test_support::{Mongod, ReplicaSet, TestClient, reasons};

const CONCURRENT: usize = 1_000;
/// Of each kind.
const REQUESTS: usize = 500;
const WITHIN: Duration = Duration::from_secs(15);

/// The database of the tests.
const SHOP: &str = "shop";

async fn find(shop: &Database, collection: &str, value: u32) {
    let found = shop.collection::<Document>(collection).find_one(doc! { "value": value }).await;
    found.expect("the database answers");
}

/// So many commands on a collection of its own, one after the other.
async fn in_turn(State(shop): State<Database>, Path(times): Path<u32>) {
    for value in 0..times {
        find(&shop, "in_turn", value).await;
    }
}

/// Three at once.
async fn at_once(State(shop): State<Database>) {
    join_all((0..3).map(|value| find(&shop, "at_once", value))).await;
}

/// One by the request, two by a task of its own.
async fn spawned(State(shop): State<Database>) {
    find(&shop, "by_request", 0).await;
    let task = tokio::spawn(async move {
        find(&shop, "by_task", 0).await;
        find(&shop, "by_task", 1).await;
    });
    task.await.expect("no panic");
}

/// Many batches of one cursor.
async fn cursor(State(shop): State<Database>) -> String {
    let cursor = shop.collection::<Document>("many").find(doc! {}).batch_size(4).await.expect("a cursor");
    let found: Vec<Document> = cursor.try_collect().await.expect("all documents");
    found.len().to_string()
}

/// The same document twice.
async fn duplicate(State(shop): State<Database>) -> StatusCode {
    let collection = shop.collection::<Document>("unique");
    let insert = || collection.insert_one(doc! { "_id": "the one" });
    let (first, second) = (insert().await, insert().await);
    if first.is_err() || second.is_err() { StatusCode::CONFLICT } else { StatusCode::OK }
}

struct Shop {
    asker: TestClient,
    /// A client that nobody listens to.
    quiet: Client,
}

impl Shop {
    async fn open(uri: &str) -> Self {
        let quiet = Client::with_uri_str(uri).await.expect("a client");
        let many = (0..95).map(|value| doc! { "value": value });
        quiet.database(SHOP).collection::<Document>("many").insert_many(many).await.expect("documents");
        let mut options = ClientOptions::parse(uri).await.expect("options");
        options.app_name = Some("the shop".to_owned());
        let monitor = Monitor::builder().access(LocalOnly::default()).build();
        let client = Client::with_options(monitor.listen(options)).expect("a client");
        let app = Router::new()
            .route("/in_turn/{times}", get(in_turn))
            .route("/in_turn_often", get(|state| in_turn(state, Path(12))))
            .route("/at_once", get(at_once))
            .route("/spawned", get(spawned))
            .route("/cursor", get(cursor))
            .route("/duplicate", get(duplicate))
            .route("/nothing", get(|| async { "nothing" }))
            .with_state(client.database(SHOP));
        let app = monitor.watch(app, "/board");
        Self { asker: TestClient::serve(app).await, quiet }
    }

    async fn health(&self, holds: impl Fn(&Value) -> bool) -> Value {
        self.asker.wait_for_json("/board/health", WITHIN, holds).await
    }

    /// Commands of the shop that the server's own profiler saw.
    async fn profiled(&self) -> u64 {
        let profile = self.quiet.database(SHOP).collection::<Document>("system.profile");
        profile.count_documents(doc! { "appName": "the shop" }).await.expect("a count")
    }
}

fn sent(health: &Value) -> u64 {
    let commands = &health["database"]["commands"];
    ["sent_for_requests", "sent_by_others"].iter().filter_map(|name| commands[*name].as_u64()).sum()
}

/// The figures of one name of all pools.
fn pools(health: &Value, field: &str) -> Vec<i64> {
    let pools = health["database"]["commands"]["pools"].as_array();
    pools.into_iter().flatten().filter_map(|pool| pool[field].as_i64()).collect()
}

/// The largest of them; less than nothing while there is none.
fn pool(health: &Value, field: &str) -> i64 {
    pools(health, field).into_iter().max().unwrap_or(-1)
}

fn of_name<'a>(health: &'a Value, command: &str, collection: &str) -> &'a Value {
    let all = health["database"]["commands"]["by_name"].as_array().expect("a list");
    let wanted = |one: &&Value| one["command"] == command && one["collection"] == collection;
    all.iter().find(wanted).unwrap_or(&Value::Null)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_command_is_counted_once_and_for_the_request_that_sent_it() {
    let set = ReplicaSet::start().await;
    let shop = &Shop::open(&set.uri()).await;
    let own = shop.quiet.database(SHOP);
    own.run_command(doc! { "create": "system.profile", "capped": true, "size": 64 << 20 }).await.expect("room");
    own.run_command(doc! { "profile": 2 }).await.expect("a profiler");
    let paths = ["/in_turn/1", "/in_turn/3", "/at_once", "/spawned", "/cursor", "/nothing"];
    let all = (0..REQUESTS).flat_map(|_| paths);
    stream::iter(all)
        .for_each_concurrent(CONCURRENT, |path| async move {
            let (status, _) = shop.asker.send("GET", path).await;
            assert_eq!(status, StatusCode::OK, "{path}");
        })
        .await;
    own.run_command(doc! { "profile": 0 }).await.expect("no profiler");

    // A cursor over 95 documents in fours takes one find and 23 getMores, which is not the same question again and again.
    let each = |path: &str| match path {
        "/in_turn/1" | "/in_turn/3" => 4,
        "/at_once" => 3,
        "/spawned" => 1,
        "/cursor" => 24,
        _ => 0,
    };
    let requests = REQUESTS as u64;
    let expected = (4 + 3 + 3 + 24) * requests;
    // Commands are counted as they are sent, and for an endpoint when their request has ended: maybe a tick later.
    let of_endpoints = |health: &Value| -> u64 {
        let each = health["application"]["database_commands"].as_object();
        each.map_or(0, |each| each.values().filter_map(Value::as_u64).sum())
    };
    let is_whole = |health: &Value| sent(health) >= expected && of_endpoints(health) >= expected - 2 * requests;
    let health = shop.health(is_whole).await;
    assert_eq!((sent(&health), shop.profiled().await), (expected, expected), "by the board, and by the server");
    let commands = &health["database"]["commands"];
    assert_eq!(commands["sent_by_others"], 2 * requests);
    assert_eq!(commands["in_flight"], 0);
    let by_endpoint = &health["application"]["database_commands"];
    for (path, endpoint) in [
        ("/in_turn/1", "GET /in_turn/{times}"),
        ("/at_once", "GET /at_once"),
        ("/spawned", "GET /spawned"),
        ("/cursor", "GET /cursor"),
        ("/nothing", "GET /nothing"),
    ] {
        assert_eq!(by_endpoint[endpoint], each(path) * requests, "{endpoint}: {by_endpoint}");
    }
    for (command, collection, sent) in [
        ("find", "in_turn", 4),
        ("find", "at_once", 3),
        ("find", "by_request", 1),
        ("find", "by_task", 2),
        ("find", "many", 1),
        ("getMore", "many", 23),
    ] {
        assert_eq!(of_name(&health, command, collection)["sent"], sent * requests, "{command} {collection}");
    }
    assert_eq!(health["database"]["status"], "healthy", "whose client is listened to is asked how it is");
    // And on the endpoints' own pages: no command of another.
    for (endpoint, own) in [("GET /at_once", "at_once"), ("GET /cursor", "many"), ("GET /spawned", "by_request")] {
        let page = shop.page(&format!("view=requests&endpoint={}", endpoint.replace(' ', "+"))).await;
        for collection in ["in_turn", "at_once", "by_request", "by_task", "many"] {
            assert_eq!(page.contains(&format!("shop.{collection}")), collection == own, "{endpoint}: {collection}");
        }
    }
}

impl Shop {
    /// The HTML of a view, as a browser without scripts gets it.
    async fn page(&self, query: &str) -> String {
        let (_, html) = self.asker.send("GET", &format!("/board/?{query}")).await;
        String::from_utf8_lossy(&html).into_owned()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_question_again_and_again_is_named_and_a_clean_endpoint_is_not() {
    let mongod = Mongod::start(&["--setParameter", "enableTestCommands=1"]).await;
    let shop = Shop::open(&mongod.uri()).await;
    for _ in 0..10 {
        shop.asker.send("GET", "/in_turn_often").await;
        shop.asker.send("GET", "/in_turn/3").await;
        shop.asker.send("GET", "/cursor").await;
    }
    let health = shop.health(|health| health["reasons"].to_string().contains("again and again")).await;
    let expected =
        "GET /in_turn_often asks the database again and again: find shop.in_turn, up to 12 times in one request";
    assert_eq!(reasons(&health), [expected]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_the_server_refuses_is_counted_by_its_code() {
    let mongod = Mongod::start(&["--setParameter", "enableTestCommands=1"]).await;
    let shop = Shop::open(&mongod.uri()).await;
    shop.asker.send("GET", "/duplicate").await;
    let fail = doc! { "failCommands": ["find"], "errorCode": 91 };
    let admin = shop.quiet.database("admin");
    let once = doc! { "configureFailPoint": "failCommand", "mode": { "times": 2 }, "data": fail };
    admin.run_command(once).await.expect("a fail point");
    shop.asker.send("GET", "/in_turn/1").await;
    let health = shop.health(|health| of_name(health, "find", "in_turn")["failed"] == 2).await;
    assert_eq!(of_name(&health, "insert", "unique")["failed"], 1);
    let page = shop.page("view=database").await;
    assert!(page.contains("11000") && page.contains("91"), "the codes are on the page");
    assert!(!page.contains("the one"), "what was written is not");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_exhausted_pool_is_named_with_its_figures_and_its_end_too() {
    let mongod = Mongod::start(&["--setParameter", "enableTestCommands=1"]).await;
    let shop = Shop::open(&mongod.uri()).await;
    let block = doc! { "failCommands": ["find"], "blockConnection": true, "blockTimeMS": 3_000 };
    let admin = shop.quiet.database("admin");
    let always = doc! { "configureFailPoint": "failCommand", "mode": "alwaysOn", "data": block };
    admin.run_command(always).await.expect("a fail point");
    let requests: Vec<_> = (0..40)
        .map(|_| {
            let asker = shop.asker.clone();
            tokio::spawn(async move { asker.send("GET", "/in_turn/1").await })
        })
        .collect();
    let health = shop.health(|health| health["reasons"].to_string().contains("connection pool exhausted")).await;
    let reasons = health["reasons"].to_string();
    assert!(reasons.contains("all 10 in use"), "{reasons}");
    shop.health(|health| pool(health, "waiting") == 30).await;
    // Half of those who wait go away: they wait no more.
    requests.iter().skip(20).for_each(tokio::task::JoinHandle::abort);
    admin.run_command(doc! { "configureFailPoint": "failCommand", "mode": "off" }).await.expect("no fail point");
    shop.health(|health| pool(health, "waiting") == 0 && pool(health, "in_use") == 0).await;
    let is_exhausted = |finding: &Value| {
        finding["sentence"].to_string().contains("exhausted") && finding["over_since_unix_ms"].is_null()
    };
    shop.health(|health| !health["findings"].as_array().expect("a list").iter().any(is_exhausted)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn connections_that_come_back_without_having_been_given_out_are_in_nobodys_hands() {
    let mongod = Mongod::start(&["--setParameter", "enableTestCommands=1"]).await;
    let quiet = Client::with_uri_str(mongod.uri()).await.expect("a client");
    let monitor = Monitor::builder().access(LocalOnly::default()).build();
    let mut options = ClientOptions::parse(mongod.uri()).await.expect("options");
    (options.min_pool_size, options.max_pool_size) = (Some(6), Some(20));
    // Two clients of one server, each of which counts its connections from one.
    let clients = [0, 1].map(|_| Client::with_options(monitor.listen(options.clone())).expect("a client"));
    clients[0].warm_connection_pool().await;
    let board = monitor.dashboard();
    let asker = TestClient::serve(board).await;
    // Given up while their connections are made.
    for _ in 0..50 {
        let shop = clients[1].database(SHOP);
        let tasks: Vec<_> = (0..8)
            .map(|value| {
                let shop = shop.clone();
                tokio::spawn(async move { find(&shop, "given_up", value).await })
            })
            .collect();
        tokio::task::yield_now().await;
        tasks.iter().for_each(tokio::task::JoinHandle::abort);
    }
    asker.wait_for_json("/health", WITHIN, |health| pool(health, "in_use") == 0).await;
    let block = doc! { "failCommands": ["find"], "blockConnection": true, "blockTimeMS": 5_000 };
    let always = doc! { "configureFailPoint": "failCommand", "mode": "alwaysOn", "data": block };
    quiet.database("admin").run_command(always).await.expect("a fail point");
    for client in &clients {
        for value in 0..4 {
            let shop = client.database(SHOP);
            tokio::spawn(async move { find(&shop, "held", value).await });
        }
    }
    let held = |health: &Value| pools(health, "in_use") == [4, 4];
    let health = asker.wait_for_json("/health", WITHIN, held).await;
    assert_eq!(pool(&health, "max"), 20);
    quiet
        .database("admin")
        .run_command(doc! { "configureFailPoint": "failCommand", "mode": "off" })
        .await
        .expect("off");
    let health = asker.wait_for_json("/health", WITHIN, |health| of_name(health, "find", "held")["sent"] == 8).await;
    let none = |health: &Value| health["database"]["commands"]["in_flight"] == 0 && pool(health, "in_use") == 0;
    let health = if none(&health) { health } else { asker.wait_for_json("/health", WITHIN, none).await };
    assert_eq!(of_name(&health, "find", "held")["cancelled"], 0, "neither client is taken for the other");
    assert_eq!(of_name(&health, "(other)", ""), &Value::Null);
}
