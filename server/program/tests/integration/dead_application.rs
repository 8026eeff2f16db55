//! An application that dies or hangs under load: it is told within seconds, before what follows from it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use serde_json::Value;
use tokio::{process::Command, task::JoinSet, time::sleep};
use watchboard_test_support::{Binary, Python, TestClient};

const WITHIN: Duration = Duration::from_secs(30);

fn first_reason(health: &Value) -> &str {
    health["reasons"][0].as_str().unwrap_or_default()
}

fn has_answered(health: &Value) -> bool {
    health["application"]["total_requests"].as_u64() >= Some(300)
}

/// Requests of two endpoints, each twenty times a second, until it is dropped.
fn load(proxy: SocketAddr) -> JoinSet<()> {
    let proxy = Arc::new(TestClient::new(proxy));
    let mut load = JoinSet::new();
    load.spawn(async move {
        let mut waiting = JoinSet::new();
        loop {
            for path in ["/products/1", "/cookies"] {
                let proxy = Arc::clone(&proxy);
                waiting.spawn(async move { drop(proxy.send("GET", path).await) });
            }
            while waiting.try_join_next().is_some() {}
            sleep(Duration::from_millis(50)).await;
        }
    });
    load
}

#[tokio::test]
async fn an_application_that_dies_under_load_is_told_before_the_errors_that_follow() {
    let mut application = Python::fastapi();
    let (binary, proxy) = Binary::with_upstream(application.port, &[]).await;
    application.wait_until_listening().await;
    let _load = load(proxy);
    // So many that the first errors are far from half of them.
    binary.client.wait_for_json("/health", WITHIN, has_answered).await;
    application.kill().await;
    let is_told = |health: &Value| health["status"] == "unhealthy";
    let health = binary.client.wait_for_json("/health", WITHIN, is_told).await;
    let reason = first_reason(&health);
    assert!(reason.starts_with("the application has not been running for"), "{health:#}");
    let seconds = |reason: &str| reason.split("running for ").nth(1)?.split('\u{a0}').next()?.parse::<u64>().ok();
    assert!(seconds(reason).is_some_and(|seconds| seconds < 10), "sooner than a restart: {reason}");
    application.restart();
    let runs = |health: &Value| !first_reason(health).contains("has not been running");
    let health = binary.client.wait_for_json("/health", WITHIN, runs).await;
    let errors = first_reason(&health);
    assert!(errors.is_empty() || errors.contains("refused connections: it was not running"), "{errors}");
}

#[tokio::test]
async fn an_application_that_hangs_is_unhealthy_and_told_as_one() {
    let application = Python::fastapi();
    let (binary, proxy) = Binary::with_upstream(application.port, &[]).await;
    let signal = |name: &'static str| {
        let pid = application.pid().to_string();
        async move {
            let sent = Command::new("kill").args([name, &pid]).status().await.expect("kill");
            assert!(sent.success());
        }
    };
    application.wait_until_listening().await;
    let _load = load(proxy);
    binary.client.wait_for_json("/health", WITHIN, has_answered).await;
    signal("-STOP").await;
    let is_told = |health: &Value| first_reason(health).starts_with("the application does not answer: ");
    let health = binary.client.wait_for_json("/health", WITHIN, is_told).await;
    assert_eq!(health["status"], "unhealthy");
    let reasons = health["reasons"].to_string();
    assert!(!reasons.contains("have waited for more than"), "its endpoints follow from it: {reasons}");
    signal("-CONT").await;
    // It is shown for a minute more, without those that it stands for.
    let is_over = |health: &Value| health["findings"][0]["over_since_unix_ms"].is_u64();
    let health = binary.client.wait_for_json("/health", WITHIN, is_over).await;
    assert!(first_reason(&health).starts_with("the application does not answer: "), "{health:#}");
}
