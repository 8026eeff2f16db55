//! What extensions of the browser do to the page: they add elements, and translate.

use watchboard_end2end::{Board, Browser};

/// Adds an element before and behind the page's own, as soon as the page has a body.
const EXTENSION: &str = "new MutationObserver((_, observer) => {
    if (!document.body) return;
    observer.disconnect();
    for (const place of ['afterbegin', 'beforeend'])
        document.body.insertAdjacentHTML(place, '<div class=extension><p>an extension</p></div>');
}).observe(document, { childList: true, subtree: true })";

#[tokio::test]
async fn elements_of_an_extension_leave_the_page_live() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &["--no-traffic"]).await, Browser::start(true).await);
    browser.run_before_pages(EXTENSION).await;
    browser.tab.goto(&board.url).await.unwrap();
    browser.until("document.querySelector('.freshness .words').textContent", |text| text == "Live").await;
    let refreshes = "performance.getEntriesByType('resource').filter(e => e.name.endsWith('/refresh')).length";
    browser.until(refreshes, |count| count.as_u64() >= Some(2)).await;
    assert_eq!(browser.value("document.querySelectorAll('.extension').length").await, 2);
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.stop().await;
}

#[tokio::test]
async fn the_page_asks_not_to_be_translated() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &["--no-traffic"]).await, Browser::start(true).await);
    browser.tab.goto(&board.url).await.unwrap();
    assert_eq!(browser.value("document.documentElement.translate").await, false);
    assert_eq!(browser.value("document.querySelector('meta[name=google]').content").await, "notranslate");
    browser.stop().await;
}
