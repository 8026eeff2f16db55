//! What is secret or the application's own data is nowhere on the board: not in filters, documents, connection strings or error texts.

use std::{
    io::Write,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, extract::State, http::StatusCode, routing::get};
use mongodb::{
    Client, Collection,
    bson::{Document, doc},
    options::ClientOptions,
};
use watchboard::{LocalOnly, Monitor};
use watchboard_test_support::{Mongod, TestClient};

/// Part of every secret of this test.
const CANARY: &str = "c4nary";

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

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn secrets_and_data_are_nowhere() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .init();
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
        .with_state(client.database("shop").collection("orders"));
    let app = monitor.watch(app, "/board");
    let asker = TestClient::serve(app).await;

    let statuses = [("find", 200), ("insert", 201), ("insert", 409), ("insert_or_panic", 500), ("refused", 400)];
    for (path, status) in statuses {
        assert_eq!(asker.send("GET", &format!("/{path}")).await.0.as_u16(), status, "{path}");
    }
    let all = |health: &serde_json::Value| health["application"]["total_requests"] == statuses.len();
    asker.wait_for_json("/board/health", Duration::from_secs(10), all).await;
    let endpoints =
        ["find", "insert", "insert_or_panic", "refused"].map(|path| format!("?view=requests&endpoint=GET+/{path}"));
    let views = ["health", "metrics", "readyz", "?view=overview", "?view=requests", "?view=memory", "?view=database"];
    for path in views.into_iter().map(ToOwned::to_owned).chain(endpoints) {
        let (status, body) = asker.send("GET", &format!("/board/{path}")).await;
        assert_eq!(status, 200, "{path}");
        let body = String::from_utf8_lossy(&body);
        // The page's figures for the browser are in base64, with whatever comes before them.
        let mut tells = false;
        for figures in body.split('"').filter(|text| text.len() > 200) {
            let bytes = base64_decoded(figures);
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains(CANARY), "{path}, in the figures: {text}");
            tells |= text.contains("find") && text.contains("orders");
        }
        assert!(tells || !path.contains("view=database"), "the figures can be read");
        assert!(!body.contains(CANARY), "{path}: {body}");
    }
    assert!(!String::from_utf8_lossy(&log.0.lock().expect("no panic")).contains(CANARY), "in the log");

    // What is not told is counted.
    let health = asker.json("/board/health").await;
    let failed: u64 = health["database"]["commands"]["by_name"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|command| command["failed"].as_u64())
        .sum();
    assert_eq!(failed, 3, "two duplicates and a refusal: {health:#}");
}

/// What of a text is base64, as bytes.
fn base64_decoded(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let digits: Vec<u8> = text.bytes().map_while(digit).collect();
    let group = |four: &[u8]| {
        let bits = four.iter().fold(0u32, |bits, digit| bits << 6 | u32::from(*digit));
        [(bits >> 16) as u8, (bits >> 8) as u8, bits as u8]
    };
    digits.chunks_exact(4).flat_map(group).collect()
}
