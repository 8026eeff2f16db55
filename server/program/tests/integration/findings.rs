//! A finding appears on the page with a link to its details, and goes when its cause is gone.

use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;
use watchboard_test_support::Binary;

async fn limit_descriptors(pid: u32, limit: u64) {
    let limit = format!("--nofile={limit}:{}", 1 << 12);
    let set = Command::new("prlimit").args(["--pid", &pid.to_string(), &limit]).status().await.expect("prlimit");
    assert!(set.success());
}

/// So few that the process cannot even read its own figures.
#[tokio::test]
async fn open_files_at_their_limit_are_named_and_linked() {
    let binary = Binary::start(&[]).await;
    let within = Duration::from_secs(5);
    let open = |health: &Value| health["memory_analysis"]["process"]["process"]["num_fds"].as_u64().unwrap_or_default();
    let health = binary.client.wait_for_json("/health", within, |health| open(health) > 0).await;
    limit_descriptors(binary.pid(), open(&health) + 2).await;
    let health = binary
        .client
        .wait_for_json("/health", within, |health| health["reasons"].to_string().contains("file descriptors are open"))
        .await;
    assert!(
        health["reasons"][0].as_str().is_some_and(|reason| reason.ends_with("file descriptors are open")),
        "{health}"
    );
    let page = String::from_utf8(binary.client.send("GET", "/").await.1.to_vec()).expect("text");
    let link = page.split("file descriptors are open</a>").next().and_then(|before| before.rsplit("<a ").next());
    assert!(link.is_some_and(|link| link.starts_with("href=\"?view=memory\"")), "{link:?}");
    limit_descriptors(binary.pid(), 1 << 10).await;
    // It is shown for a minute more.
    let is_over = |health: &Value| health["findings"][0]["over_since_unix_ms"].is_u64();
    binary.client.wait_for_json("/health", within, is_over).await;
}
