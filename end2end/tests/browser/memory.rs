//! The memory view: all of it has figures, and endpoints tell what they allocate wherever they are listed.

use watchboard_end2end::{Board, Browser};

#[tokio::test]
async fn every_card_has_its_figures_and_refreshes_without_a_complaint() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &[]).await, Browser::start(true).await);
    browser.tab.goto(&format!("{}?view=memory&window=1m", board.url)).await.unwrap();
    browser.until("document.querySelector('.freshness .words').textContent", |text| text == "Live").await;
    for (id, words) in [
        ("where-the-memory-goes", "allocated and not freed"),
        ("resource-usage", "File descriptors"),
        ("endpoints-by-allocation", "GET /shop/products"),
        ("threads", "tokio-rt-worker"),
        ("process", "Its alone (USS)"),
        ("system", "Swapping in"),
        ("disks-and-networks", "lo"),
        ("async-runtime", "Alive tasks"),
        ("cost-of-watching", "endpoints"),
    ] {
        browser.until_says(id, words).await;
    }
    // The machine may have any processes, and need not have control groups.
    for filled in ["#heaviest-processes tbody tr", "#container dl div"] {
        let count = format!("document.querySelectorAll('{filled}').length");
        browser.until(&count, |count| count.as_u64() >= Some(1)).await;
    }
    // What is told from two readings comes with the second.
    browser.until_says("threads", "/s").await;
    let lines = "document.querySelectorAll('.charts figure').length";
    assert_eq!(browser.value(lines).await, 3, "memory, allocation, CPU");
    browser.tab.goto(&format!("{}?view=requests&sort=allocated", board.url)).await.unwrap();
    let sorted = "document.querySelector('th[aria-sort]').textContent";
    browser.until(sorted, |title| title == "Allocated").await;
    browser.tab.goto(&format!("{}?view=requests&endpoint=GET+/shop/search", board.url)).await.unwrap();
    browser.until_says("what-it-allocates", "Largest request").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.stop().await;
}
