//! Nothing moves by itself: figures, findings and lines change in places of their own.
//!
//! `LAYOUT_SECONDS=600 cargo test -p watchboard-end2end --test browser layout` watches each view for so long.

use std::time::Duration;

use watchboard_end2end::{Board, Browser};

const VIEWS: [&str; 4] = ["overview", "requests", "requests&endpoint=GET /shop/search", "memory"];
/// What the overview says once each endpoint of the demo had a request.
const DEMO_ENDPOINTS: &str = "All 13 endpoints";
const FRESHNESS: &str = "document.querySelector('.freshness .words').textContent";
/// Collects what moves from the loading of the page on, unless a viewer has just done something.
const WATCH: &str = "window.moved = []; new PerformanceObserver(list => list.getEntries().forEach(entry => {
    const rect = ({ x, y, width, height }) => [x, y, width, height].map(Math.round).join(' ');
    const where = entry.sources.map(({ node, previousRect, currentRect }) =>
        `${(node?.outerHTML ?? node?.textContent ?? '').slice(0, 80)} from ${rect(previousRect)} to ${rect(currentRect)}`);
    if (!entry.hadRecentInput) window.moved.push(`${entry.value.toFixed(5)}: ${where.join(' ')}`);
})).observe({ type: 'layout-shift', buffered: true })";

#[tokio::test]
async fn nothing_moves_while_figures_change() {
    let seconds = std::env::var("LAYOUT_SECONDS").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(8);
    let (board, browser) = (Board::demo("127.0.0.1:0", &[]).await, Browser::start(true).await);
    browser.resize(1440, 900).await;
    // A table grows with the endpoints that come.
    browser.tab.goto(&board.url).await.unwrap();
    let endpoints = "document.querySelector('#endpoints-that-take-the-most .more').innerText";
    for wait in 0.. {
        if browser.value(endpoints).await.as_str().is_some_and(|text| text.contains(DEMO_ENDPOINTS)) {
            break;
        }
        assert!(wait < 240, "the demo's endpoints: {}", browser.value(endpoints).await);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    for view in VIEWS {
        browser.tab.goto(&format!("{}?view={view}", board.url)).await.unwrap();
        browser.until(FRESHNESS, |text| text == "Live").await;
        browser.tab.execute(WATCH, vec![]).await.expect("the page watches");
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        let moved = browser.value("window.moved").await;
        assert_eq!(moved, serde_json::json!([]), "{view}");
    }
    browser.stop().await;
}
