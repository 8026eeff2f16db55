//! The state of a real mongod in the database view: a single server, a replica set, and logins with few or no privileges.

use std::time::{Duration, Instant};

use mongodb::{
    Client,
    bson::{Document, doc},
};
use tokio::time::sleep;
use watchboard_test_support::{Binary, Mongod};

const WITHIN: Duration = Duration::from_secs(15);

/// The database view's HTML, once it holds what is waited for.
async fn page(board: &Binary, holds: impl Fn(&str) -> bool) -> String {
    page_within(WITHIN, board, holds).await
}

async fn page_within(within: Duration, board: &Binary, holds: impl Fn(&str) -> bool) -> String {
    let deadline = Instant::now() + within;
    loop {
        let (_, html) = board.client.send("GET", "/?view=database").await;
        let html = String::from_utf8_lossy(&html).into_owned();
        if holds(&html) {
            return html;
        }
        assert!(Instant::now() < deadline, "not within {within:?}: {html}");
        sleep(Duration::from_millis(100)).await;
    }
}

async fn client(mongod: &Mongod) -> Client {
    Client::with_uri_str(mongod.uri()).await.expect("a client")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_alone_tells_all_but_of_a_set() {
    let mongod = Mongod::start(&[]).await;
    let shop = client(&mongod).await.database("shop");
    shop.collection::<Document>("orders").insert_one(doc! { "number": 1 }).await.expect("an order");
    let board = Binary::start(&["--mongodb-uri", &mongod.uri().replace("/?", "/shop?")]).await;
    let html = page(&board, |html| html.contains("The largest of 1 in shop.")).await;
    for text in ["wiredTiger", "it replicates nothing", "None has been running", "orders"] {
        assert!(html.contains(text), "{text}: {html}");
    }
    assert!(!html.contains("has no right"), "{html}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_tells_of_its_members_and_its_oplog() {
    let mongod = Mongod::start(&["--replSet", "rs0", "--oplogSize", "16"]).await;
    let admin = client(&mongod).await.database("admin");
    let member = doc! { "_id": 0, "host": format!("127.0.0.1:{}", mongod.port) };
    admin.run_command(doc! { "replSetInitiate": { "_id": "rs0", "members": [member] } }).await.expect("a set");
    let board = Binary::start(&["--mongodb-uri", &mongod.uri()]).await;
    let html = page(&board, |html| html.contains("its oplog reaches back")).await;
    assert!(html.contains("(asked)") && html.contains("Set rs0"), "{html}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_sees_what_it_has_the_right_to_and_is_told_what_it_lacks() {
    let mongod = Mongod::start(&[
        "--auth",
        "--replSet",
        "rs0",
        "--keyFile",
        watchboard_test_support::key_file(),
        "--oplogSize",
        "16",
    ])
    .await;
    let admin = client(&mongod).await.database("admin");
    let member = doc! { "_id": 0, "host": format!("127.0.0.1:{}", mongod.port) };
    admin.run_command(doc! { "replSetInitiate": { "_id": "rs0", "members": [member] } }).await.expect("a set");
    let root = doc! { "createUser": "root", "pwd": "root", "roles": ["root"] };
    let deadline = Instant::now() + WITHIN;
    // Only a primary can make one.
    while let Err(error) = admin.run_command(root.clone()).await {
        assert!(Instant::now() < deadline, "{error}");
        sleep(Duration::from_millis(100)).await;
    }
    let uri = |user: &str| {
        format!("mongodb://{user}:{user}@127.0.0.1:{}/shop?directConnection=true&authSource=admin", mongod.port)
    };
    let root = Client::with_uri_str(uri("root")).await.expect("a client");
    root.database("shop").collection::<Document>("orders").insert_one(doc! { "number": 1 }).await.expect("an order");
    let admin = root.database("admin");
    admin.run_command(doc! { "createUser": "nobody", "pwd": "nobody", "roles": [] }).await.expect("a user");
    // As the documentation has it.
    let role = watchboard_test_support::documented_role("shop");
    admin.run_command(role).await.expect("the documented role can be made");
    let watcher = doc! { "createUser": "watcher", "pwd": "watcher", "roles": ["watchboard"] };
    admin.run_command(watcher).await.expect("a user");

    let board = Binary::start(&["--mongodb-uri", &uri("nobody")]).await;
    let html = page(&board, |html| html.contains("no right to serverStatus")).await;
    assert!(html.contains("the login has no role"), "{html}");
    let html = page(&board, |html| html.contains("no right to inprog")).await;
    assert!(html.contains("no right to replSetGetStatus"), "{html}");

    let board = Binary::start(&["--mongodb-uri", &uri("watcher")]).await;
    let html = page(&board, |html| html.contains("The largest of 1 in shop.")).await;
    assert!(html.contains("wiredTiger") && html.contains("None has been running"), "{html}");
    let lacks: Vec<&str> =
        html.split("The login has no right to ").skip(1).map(|rest| rest.split(':').next().unwrap_or("")).collect();
    assert_eq!(lacks, Vec::<&str>::new());
    assert!(html.contains("its oplog reaches back"), "{html}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_is_told_without_what_it_asks() {
    let mongod = Mongod::start(&[]).await;
    let shop = client(&mongod).await.database("shop");
    let orders = shop.collection::<Document>("orders");
    orders.insert_many((0..50).map(|number| doc! { "number": number })).await.expect("orders");
    let slow = tokio::spawn(async move {
        let filter = doc! { "$where": "sleep(200); return this.number == 'c4nary'" };
        orders.find_one(filter).await
    });
    let board = Binary::start(&["--mongodb-uri", &mongod.uri()]).await;
    let html = page(&board, |html| html.contains("shop.orders")).await;
    assert!(html.contains("COLLSCAN"), "{html}");
    assert!(!html.contains("c4nary"), "{html}");
    slow.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_collections_take_a_round_no_longer() {
    let mongod = Mongod::start(&[]).await;
    let shop = client(&mongod).await.database("shop");
    for number in 0..600 {
        shop.create_collection(format!("tenant_{number}")).await.expect("a collection");
    }
    let board = Binary::start(&["--mongodb-uri", &mongod.uri().replace("/?", "/shop?")]).await;
    // A few at a time: some are told before all have been asked.
    page(&board, |html| html.contains("more are being asked")).await;
    // As many rounds as a busy machine needs.
    let all = page_within(Duration::from_mins(1), &board, |html| html.contains("The largest of 600 in shop."));
    let html = all.await;
    let (_, took) = html.split_once("all questions of a second took ").expect("how long a round took");
    let longest = took.split(" at most").next().expect("a time");
    println!("600 collections: a second's questions took {longest}");
    // Whatever the machine is busy with: a round that asked for all of them would take longer.
    assert!(longest.ends_with("ms") || longest.ends_with("µs"), "{longest}");
}
