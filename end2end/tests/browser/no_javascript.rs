//! Without scripts the page still shows everything as of its loading.

use fantoccini::Locator;
use watchboard_end2end::{Board, Browser};

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

#[tokio::test]
async fn endpoints_are_filtered_and_sorted_without_scripts() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &[]).await, Browser::start(false).await);
    let rows = "[...document.querySelectorAll('#endpoints tbody.rows th')].map(e => e.textContent)";
    let url = format!("{}?view=requests&window=1m", board.url);
    // A page as of its loading: it is loaded until the traffic has reached most of the shop.
    while browser.value(rows).await.as_array().is_none_or(|rows| rows.len() < 6) {
        browser.tab.goto(&url).await.unwrap();
    }
    // The key that sends a form.
    let filter = browser.tab.find(Locator::Css("input[name='filter']")).await.unwrap();
    filter.send_keys("products\u{e007}").await.unwrap();
    browser
        .until("location.search", |query| query.as_str().is_some_and(|query| query.contains("filter=products")))
        .await;
    let fits = |row: &serde_json::Value| row.as_str().is_some_and(|row| row.contains("products"));
    browser.until(rows, |rows| rows.as_array().is_some_and(|rows| !rows.is_empty() && rows.iter().all(fits))).await;
    browser.tab.find(Locator::Css("#endpoints thead a[href*='sort=p99']")).await.unwrap().click().await.unwrap();
    browser.until("document.querySelector('th[aria-sort]')?.textContent ?? null", |head| head == "p99").await;
    browser.stop().await;
}
