//! The board inside another axum app, below a path.

use watchboard_end2end::{Board, Browser};

#[tokio::test]
async fn below_a_path_the_page_loads_hydrates_and_refreshes() {
    let (board, browser) = (Board::embedded("127.0.0.1:0").await, Browser::start(true).await);
    assert!(board.url.ends_with("/ops/board"), "{}", board.url);
    browser.tab.goto(&board.url).await.unwrap();
    let refreshes = "performance.getEntriesByType('resource').filter(e => e.name.endsWith('/ops/board/api/watchboard/refresh')).length";
    browser.until(refreshes, |count| count.as_u64() >= Some(2)).await;
    browser.until("document.querySelector('.freshness .words').textContent", |text| text == "Live").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.stop().await;
}
