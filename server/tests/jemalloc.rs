//! A program whose allocator is jemalloc: the board shows its own figures beside the counted ones.

use std::{hint::black_box, time::Duration};

use axum::Router;
use serde_json::Value;
use watchboard::{
    LocalOnly, Monitor,
    alloc::{Jemalloc, Tracking},
};
use watchboard_test_support::TestClient;

#[global_allocator]
static ALLOCATOR: Tracking<Jemalloc> = Tracking::new(Jemalloc);

#[tokio::test]
async fn the_memory_view_has_jemallocs_figures() {
    let app = Monitor::builder().access(LocalOnly::default()).build().watch(Router::new(), "/");
    let asker = TestClient::serve(app).await;
    let held: Vec<u8> = black_box(vec![7; 64 << 20]);
    let (_, page) = asker.send("GET", "/?view=memory").await;
    let page = String::from_utf8(page.to_vec()).expect("text");
    assert!(page.contains("As the allocator sees it") && page.contains("fragmentation"), "{page}");
    let all = |health: &Value| health["memory_analysis"]["allocator"]["allocated_bytes"].as_u64() >= Some(64 << 20);
    let health = asker.wait_for_json("/health", Duration::from_secs(5), all).await;
    let live = health["memory_analysis"]["heap"]["live_bytes"].as_u64().expect("bytes");
    let allocator = &health["memory_analysis"]["allocator"];
    let figures =
        ["allocated_bytes", "active_bytes", "resident_bytes"].map(|name| allocator[name].as_u64().expect("bytes"));
    assert!(figures.is_sorted(), "{allocator}");
    // It rounds sizes up to its classes.
    let beyond = figures[0] as f64 / live as f64;
    assert!((0.95..1.3).contains(&beyond), "jemalloc has {} allocated, counted are {live}", figures[0]);
    drop(held);
}
