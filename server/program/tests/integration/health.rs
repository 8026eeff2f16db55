//! The contract of `/api/v1/health`: every path that a page written for the Python original reads.

use std::time::Duration;

use serde_json::Value;
use watchboard_test_support::{Binary, assets};

/// Each path, and whether what stands there is of the kind that the original had.
type Check = (&'static str, fn(&Value) -> bool);

const PATHS: &[Check] = &[
    ("/status", Value::is_string),
    ("/uptime/seconds", Value::is_u64),
    ("/uptime/formatted", Value::is_string),
    ("/database/status", Value::is_string),
    ("/memory_analysis/process/process/pid", Value::is_u64),
    ("/memory_analysis/process/process/memory_percent", Value::is_f64),
    ("/memory_analysis/process/process/memory_info/rss", Value::is_u64),
    ("/memory_analysis/process/process/memory_info/vms", Value::is_u64),
    ("/memory_analysis/process/process/memory_info/shared", Value::is_u64),
    ("/memory_analysis/process/process/memory_info/text", Value::is_u64),
    ("/memory_analysis/process/process/memory_info/lib", Value::is_u64),
    ("/memory_analysis/process/process/memory_info/data", Value::is_u64),
    ("/memory_analysis/process/process/memory_info/dirty", Value::is_u64),
    ("/memory_analysis/process/process/num_threads", Value::is_u64),
    ("/memory_analysis/process/process/open_files", Value::is_u64),
    ("/memory_analysis/process/process/connections", Value::is_u64),
    ("/memory_analysis/process/threads/0/thread_id", Value::is_u64),
    ("/memory_analysis/process/threads/0/name", Value::is_string),
    ("/memory_analysis/process/threads/0/memory_info/rss", Value::is_u64),
    ("/memory_analysis/system/virtual_memory/total", Value::is_u64),
    ("/memory_analysis/system/virtual_memory/available", Value::is_u64),
    ("/memory_analysis/system/virtual_memory/used", Value::is_u64),
    ("/memory_analysis/system/virtual_memory/free", Value::is_u64),
    ("/memory_analysis/system/virtual_memory/percent", Value::is_f64),
    ("/memory_analysis/system/virtual_memory/active", Value::is_u64),
    ("/memory_analysis/system/virtual_memory/inactive", Value::is_u64),
    ("/memory_analysis/system/virtual_memory/buffers", Value::is_u64),
    ("/memory_analysis/system/virtual_memory/cached", Value::is_u64),
    ("/memory_analysis/system/virtual_memory/shared", Value::is_u64),
    ("/memory_analysis/system/swap_memory/total", Value::is_u64),
    ("/memory_analysis/system/swap_memory/used", Value::is_u64),
    ("/memory_analysis/system/swap_memory/free", Value::is_u64),
    ("/memory_analysis/system/swap_memory/percent", Value::is_f64),
    ("/memory_analysis/system/swap_memory/sin", Value::is_u64),
    ("/memory_analysis/system/swap_memory/sout", Value::is_u64),
    ("/application/total_requests", Value::is_u64),
    ("/application/error_count", Value::is_u64),
    ("/application/error_rate", Value::is_f64),
    ("/application/average_response_time", Value::is_f64),
    ("/application/status_codes/404", Value::is_u64),
    ("/application/endpoints/GET ~1shop~1products~1{id}", Value::is_u64),
    ("/application/recent_errors/0/timestamp", Value::is_string),
    ("/application/recent_errors/0/error", Value::is_string),
    ("/application/recent_errors/0/endpoint", Value::is_string),
];

#[tokio::test]
async fn every_path_of_the_original_is_there_and_of_its_kind() {
    let board = Binary::start(&["demo", "--no-traffic"]).await;
    board.client.send("GET", "/shop/products/9999").await;
    let counted = |health: &Value| health["application"]["total_requests"] == 1;
    let health = board.client.wait_for_json("/api/v1/health", Duration::from_secs(5), counted).await;
    let absent = PATHS.iter().filter(|(path, kind)| !health.pointer(path).is_some_and(kind));
    assert_eq!(absent.map(|(path, _)| *path).collect::<Vec<_>>(), Vec::<&str>::new(), "{health:#}");
    assert_eq!(health["database"]["status"], "not configured");
    let timestamp = health["application"]["recent_errors"][0]["timestamp"].as_str().unwrap();
    assert!(timestamp.len() == "2026-11-23 12:03:04 UTC".len() && timestamp.ends_with(" UTC"), "{timestamp}");
}

#[tokio::test]
async fn figures_are_never_cached_and_assets_always() {
    let board = Binary::start(&[]).await;
    for path in ["/", "/health", "/api/v1/health", "/livez", "/readyz"] {
        let response = board.client.begin("GET", path).await;
        assert_eq!(
            (response.status().as_u16(), &response.headers()["cache-control"]),
            (200, &"no-store".parse().unwrap()),
            "{path}"
        );
    }
    let page = String::from_utf8(board.client.send("GET", "/").await.1.to_vec()).unwrap();
    let assets = assets("/", &page);
    assert_eq!(assets.len(), 4, "icon, style, WASM and script: was the browser bundle built? {assets:?}");
    for asset in assets {
        let response = board.client.begin("GET", &asset).await;
        assert_eq!(response.headers()["cache-control"], "public, max-age=31536000, immutable", "{asset}");
    }
    assert_eq!(board.client.send("GET", "/assets/../Cargo.toml").await.0, 404);
}
