//! The rules for rows, by flags and by the file.

use std::time::Duration;

use serde_json::Value;
use watchboard_test_support::{Binary, Node, TestClient};

const WITHIN: Duration = Duration::from_secs(20);

fn rows(health: &Value) -> Vec<String> {
    health["application"]["endpoints"].as_object().expect("rows").keys().cloned().collect()
}

#[tokio::test]
async fn routes_are_ignored_grouped_bounded_and_have_objectives_of_their_own() {
    let node = Node::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("watchboard.toml");
    // Nothing takes so little, and nothing so long.
    std::fs::write(&file, "objective_of = [\"/headers=1us\", \"/several=1h\"]\nmax_endpoints = 3\n").unwrap();
    let file = file.display().to_string();
    let flags = ["--ignore", "/hash", "--group", "/bytes*=files", "--objective", "1us", "--config", &file];
    let (binary, proxy) = Binary::with_upstream(node.port, &flags).await;
    let client = TestClient::new(proxy);
    for _ in 0..25 {
        for path in ["/headers", "/several", "/bytes?count=10", "/hash"] {
            client.send("GET", path).await;
        }
    }
    client.send("POST", "/echo").await;
    let counted = |health: &Value| health["application"]["total_requests"] == 76;
    let health = binary.client.wait_for_json("/health", WITHIN, counted).await;
    assert_eq!(rows(&health), ["GET /headers", "GET /several", "GET files", "POST (other)"], "{health:#}");
    let judged = |health: &Value| health["reasons"].as_array().is_some_and(|reasons| reasons.len() >= 2);
    // A burst is no slow endpoint: the requests go on.
    let requests = async {
        loop {
            for path in ["/headers", "/several", "/bytes?count=10"] {
                client.send("GET", path).await;
            }
        }
    };
    let health = tokio::select! {
        health = binary.client.wait_for_json("/health", WITHIN, judged) => health,
        () = requests => unreachable!("they go on"),
    };
    let reasons = health["reasons"].to_string();
    assert!(reasons.contains("GET /headers p99") && reasons.contains("GET files p99"), "{reasons}");
    assert!(!reasons.contains("/several"), "{reasons}");
}
