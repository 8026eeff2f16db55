//! Without scripts the page still shows everything as of its loading.

mod support;

use support::{Board, Browser};

#[tokio::test]
async fn six_cards_and_the_charts_are_there_without_scripts() {
    whole_without_scripts(Board::demo("127.0.0.1:0", &[]).await, 20).await;
}

#[tokio::test]
async fn below_a_path_they_are_there_too() {
    // Without requests there is no latency to draw: the grids and the figures of the process.
    whole_without_scripts(Board::embedded("127.0.0.1:0").await, 15).await;
}

async fn whole_without_scripts(board: Board, lines: u64) {
    let browser = Browser::start(false).await;
    browser.tab.goto(&board.url).await.unwrap();
    for card in [
        "system-overview",
        "resource-usage",
        "application-metrics",
        "memory-analysis",
        "endpoint-usage",
        "recent-errors",
    ] {
        browser.until(&format!("document.querySelectorAll('section#{card}').length"), |count| count == 1).await;
    }
    browser
        .until("document.querySelectorAll('figure.chart .drawing polyline').length", |count| {
            count.as_u64() >= Some(lines)
        })
        .await;
    assert_eq!(browser.value("document.querySelector('.freshness .words').textContent").await, "As loaded");
    assert_eq!(browser.value("getComputedStyle(document.querySelector('button')).display").await, "none");
    browser.stop().await;
}
