//! What is secret or the application's own data is nowhere on the board: not in filters, documents, connection strings, error texts,
//! rejections, panics or names of threads.

use std::{
    io::Write,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    extract::{Path, Query, State},
    http::StatusCode,
    routing::{get, post},
};
use mongodb::{
    Client, Collection,
    bson::{Document, doc},
    options::ClientOptions,
};
use watchboard::{LocalOnly, Monitor};
use watchboard_test_support::{Mongod, TestClient, board_texts, places_of, raw::exchange};

/// Parts of every secret of this test.
const CANARIES: [&str; 2] = ["c4nary", "quokka"];

/// All that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

type Orders = State<Collection<Document>>;

async fn find(State(orders): Orders) -> String {
    let found = orders.find_one(doc! { "customer": "c4nary-filter", "c4nary_is_no_field": null }).await;
    found.expect("an answer").map_or("none", |_| "found").to_owned()
}

/// Answers with the driver's own text, as applications do.
async fn insert(State(orders): Orders) -> Result<StatusCode, (StatusCode, String)> {
    let order = doc! { "_id": "c4nary-key", "note": "c4nary-document" };
    let inserted = orders.insert_one(order).await.map_err(|error| (StatusCode::CONFLICT, error.to_string()));
    inserted.map(|_| StatusCode::CREATED)
}

/// Panics with it.
async fn insert_or_panic(State(orders): Orders) {
    orders.insert_one(doc! { "_id": "c4nary-key" }).await.expect("it is new");
}

/// A question that the server refuses, and repeats in its error.
async fn refused(State(orders): Orders) -> StatusCode {
    let refused = orders.find_one(doc! { "$where": { "c4nary-operator": 1 } }).await;
    if refused.is_err() { StatusCode::BAD_REQUEST } else { StatusCode::OK }
}

#[derive(serde::Deserialize)]
struct Customer {
    age: u8,
}

/// Answers with axum's own texts for what it rejects.
async fn reads_json(axum::Json(customer): axum::Json<Customer>) -> String {
    customer.age.to_string()
}

async fn reads_query(Query(customer): Query<Customer>) -> String {
    customer.age.to_string()
}

async fn reads_path(Path(age): Path<u8>) -> String {
    age.to_string()
}

async fn panics(Path(name): Path<String>) {
    panic!("no order of customer {name}, 'c4nary'");
}

/// Breaks off with an error of its own.
async fn breaks_off() -> axum::body::Body {
    let parts = [Ok("half"), Err(std::io::Error::other("the file /srv/quokka is gone"))];
    axum::body::Body::from_stream(futures_util::stream::iter(parts))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn secrets_and_data_are_nowhere() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .init();
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let named = std::thread::Builder::new().name("quokka-jobs".to_owned()).spawn(move || ended.recv());
    let mongod = Mongod::start(&["--auth"]).await;
    let admin = Client::with_uri_str(mongod.uri()).await.expect("a client").database("admin");
    let user = doc! { "createUser": "watcher", "pwd": "c4nary-password", "roles": ["root"] };
    admin.run_command(user).await.expect("the first user needs no login");

    let uri = format!("mongodb://watcher:c4nary-password@127.0.0.1:{}/?directConnection=true", mongod.port);
    let options = ClientOptions::parse(&uri).await.expect("options");
    let monitor = Monitor::builder().database(options.clone()).access(LocalOnly::default()).build();
    let client = Client::with_options(monitor.listen(options)).expect("a client");
    let app = Router::new()
        .route("/find", get(find))
        .route("/insert", get(insert))
        .route("/insert_or_panic", get(insert_or_panic))
        .route("/refused", get(refused))
        .route("/json", post(reads_json))
        .route("/query", get(reads_query))
        .route("/age/{age}", get(reads_path))
        .route("/customers/{name}", get(panics))
        .route("/breaks_off", get(breaks_off))
        .with_state(client.database("shop").collection("orders"));
    let app = monitor.watch(app, "/board");
    let asker = TestClient::serve(app).await;

    let statuses = [("find", 200), ("insert", 201), ("insert", 409), ("insert_or_panic", 500), ("refused", 400)];
    for (path, status) in statuses {
        assert_eq!(asker.send("GET", &format!("/{path}")).await.0.as_u16(), status, "{path}");
    }
    let rejected = [("query?age=quokka", 400), ("age/quokka", 400), ("customers/quokka", 500)];
    for (path, status) in rejected {
        assert_eq!(asker.send("GET", &format!("/{path}")).await.0.as_u16(), status, "{path}");
    }
    let json = "POST /json HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{\"age\":\"quokka\"}";
    let answer = String::from_utf8_lossy(&exchange(asker.address, json.as_bytes()).await).into_owned();
    assert!(answer.contains("422") && answer.contains("quokka"), "{answer}");
    exchange(asker.address, b"GET /breaks_off HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    let requests = statuses.len() + rejected.len() + 2;
    let all = |health: &serde_json::Value| health["application"]["total_requests"] == requests;
    asker.wait_for_json("/board/health", Duration::from_secs(10), all).await;
    let health = asker.json("/board/health").await;
    let endpoints = health["application"]["endpoints"].as_object().cloned().unwrap_or_default();
    let endpoints: Vec<String> = endpoints.keys().cloned().collect();
    let texts = board_texts(&asker, "/board", &endpoints).await;
    assert_eq!(places_of(&CANARIES, &texts), Vec::<String>::new());
    // What is shown of them can be read, also in the figures of a page.
    let database = texts.iter().find(|(path, _)| path.contains("view=database")).expect("the view");
    assert!(database.1.contains("find") && database.1.contains("orders"), "{}", database.1);
    let errors = health["application"]["recent_errors"].to_string();
    for error in [
        "An error occurred when trying to execute a write operation: WriteError #",
        "500 panic: it is new: Error #",
        "Failed to deserialize the JSON body into the target type: age: invalid type: string #, expected # at line # column #",
        "Failed to deserialize query string: age: invalid digit found in string",
        "Invalid URL: Cannot parse # to a #",
        "500 panic: no order of customer #",
        "200 server error: the file # is gone",
    ] {
        assert!(errors.contains(error), "{error} in {errors}");
    }
    let log = String::from_utf8_lossy(&log.0.lock().expect("no panic")).into_owned();
    // axum has a target for what it rejects, which a host turns on by its name.
    let log: String = log.lines().filter(|line| !line.contains("axum::rejection")).collect();
    assert_eq!(places_of(&CANARIES, &[("the log".to_owned(), log)]), Vec::<String>::new());

    // What is not told is counted.
    let health = asker.json("/board/health").await;
    let failed: u64 = health["database"]["commands"]["by_name"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|command| command["failed"].as_u64())
        .sum();
    assert_eq!(failed, 3, "two duplicates and a refusal: {health:#}");
    drop(end);
    drop(named);
}
