//! The monitor's own thread and task under faults: the host's code panics in them, or blocks them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use axum::{Router, http::request::Parts, routing::get};
use mongodb::{Client, event::EventHandler, options::ClientOptions};
use serde_json::Value;
use watchboard::Monitor;
use watchboard_test_support::{Mongod, TestClient};

const WITHIN: Duration = Duration::from_secs(20);

/// What the host's handler of the client's events does.
const RETURNS: u8 = 0;
const PANICS: u8 = 1;
const BLOCKS: u8 = 2;

/// A handler that the monitor's probe calls, since the client is the host's.
fn faulty_handler(mode: Arc<AtomicU8>) -> EventHandler<mongodb::event::command::CommandEvent> {
    EventHandler::callback(move |_| {
        assert_ne!(mode.load(SeqCst), PANICS, "a bug of the host");
        while mode.load(SeqCst) == BLOCKS {
            thread::sleep(Duration::from_millis(20));
        }
    })
}

fn reasons(health: &Value) -> String {
    health["reasons"].to_string().replace('\u{a0}', " ")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_that_panics_or_blocks_is_never_healthy_and_goes_on_afterwards() {
    let mongod = Mongod::start(&[]).await;
    let mode = Arc::new(AtomicU8::new(RETURNS));
    let mut options = ClientOptions::parse(mongod.uri()).await.expect("options");
    options.command_event_handler = Some(faulty_handler(Arc::clone(&mode)));
    let client = Client::with_options(options).expect("a client");
    let monitor = Monitor::builder().database(client).access(|_: &Parts| true).build();
    let asker = TestClient::serve(monitor.watch(Router::new().route("/", get(|| async { "shop" })), "/board")).await;
    let database = |health: &Value| health["database"]["status"].as_str().unwrap_or_default().to_owned();
    let is_healthy = |health: &Value| database(health) == "healthy";
    asker.wait_for_json("/board/health", WITHIN, is_healthy).await;

    mode.store(PANICS, SeqCst);
    let named = |health: &Value| database(health).starts_with("error: not probed: the monitor's probe: it panicked");
    let health = asker.wait_for_json("/board/health", Duration::from_secs(5), named).await;
    let reason = |health: &Value| reasons(health).contains("the database probe failed");
    let health = if reason(&health) { health } else { asker.wait_for_json("/board/health", WITHIN, reason).await };
    assert_eq!(health["monitor"]["faults"][0]["part"], "database probe");
    assert!(!health.to_string().contains("a bug of the host"), "its text is in the log alone: {health:#}");
    let metrics = String::from_utf8(asker.send("GET", "/board/metrics").await.1.to_vec()).expect("text");
    assert!(metrics.contains("watchboard_faults_total{part=\"database probe\"} "), "{metrics}");
    assert!(metrics.contains("watchboard_database_up 0"), "{metrics}");

    mode.store(RETURNS, SeqCst);
    asker.wait_for_json("/board/health", WITHIN, is_healthy).await;

    // The probe is a task on the monitor's thread.
    mode.store(BLOCKS, SeqCst);
    let stale = |health: &Value| reasons(health).contains("the monitor has not taken figures for");
    let health = asker.wait_for_json("/board/health", WITHIN, stale).await;
    assert_eq!((&health["status"], health["monitor"]["stale"].as_bool()), (&"unhealthy".into(), Some(true)));
    for (path, status) in [("/board/health", 503), ("/board/readyz", 503), ("/board/livez", 200), ("/", 200)] {
        assert_eq!(asker.send("GET", path).await.0, status, "{path}");
    }
    mode.store(RETURNS, SeqCst);
    let health = asker.wait_for_json("/board/health", WITHIN, is_healthy).await;
    assert_eq!(health["application"]["total_requests"], 1);
}
