//! The memory view: all of it has figures, and endpoints tell what they allocate wherever they are listed.

use watchboard_end2end::{Board, Browser};

#[tokio::test]
async fn every_card_has_its_figures_and_refreshes_without_a_complaint() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &[]).await, Browser::start(true).await);
    browser.tab.goto(&format!("{}?view=memory&window=1m", board.url)).await.unwrap();
    browser.until("document.querySelector('.freshness .words').textContent", |text| text == "Live").await;
    // What folds has its figures too.
    let folds = "document.querySelectorAll('#view details').forEach(fold => { fold.open = true; }) ?? true";
    assert_eq!(browser.value("document.getElementById('heaviest-processes').checkVisibility()").await, false);
    browser.value(folds).await;
    for (id, words) in [
        ("where-the-memory-goes", "allocated and not freed"),
        ("resource-usage", "File descriptors"),
        ("endpoints-by-allocation", "GET /shop/products"),
        ("resource-usage", "Growth"),
        ("threads", "tokio-rt-worker"),
        ("process", "Its alone (USS)"),
        ("process", "Data and stack"),
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
    // Memory, allocation and CPU; pressure too where the kernel tells it.
    let charts = browser.value("document.querySelectorAll('#view figure.chart').length").await;
    assert!((3..=4).contains(&charts.as_u64().unwrap()), "{charts}");
    // The parts of RSS stand on each other, and what is freed hangs below zero.
    for filled in ["polygon.hue-memory", "polygon.hue-p99", "polygon.hue-p50", "polygon.hue-rate"] {
        let areas = format!("document.querySelectorAll('#view .drawing {filled}').length");
        browser.until(&areas, |count| count.as_u64() >= Some(1)).await;
    }
    let bars = "document.querySelectorAll('#endpoints-by-allocation .drawn svg rect').length";
    browser.until(bars, |count| count.as_u64() >= Some(2)).await;
    browser.tab.goto(&format!("{}?view=requests&sort=allocated", board.url)).await.unwrap();
    let sorted = "document.querySelector('th[aria-sort]').textContent";
    browser.until(sorted, |title| title == "Allocated").await;
    browser.tab.goto(&format!("{}?view=requests&endpoint=GET+/shop/search", board.url)).await.unwrap();
    browser.until_says("what-it-allocates", "Largest request").await;
    // What the figures mean is a text as well, for those who cannot hover over them.
    browser.value("document.querySelectorAll('#view .hints').forEach(fold => { fold.open = true; }) ?? true").await;
    browser.until_says("what-it-allocates", "half allocated at most this").await;
    browser.until_says("endpoint", "99 of 100 were at most this slow").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.stop().await;
}

#[tokio::test]
async fn the_charts_and_the_endpoints_are_on_one_screen() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &[]).await, Browser::start(true).await);
    browser.tab.set_window_size(1440, 1040).await.unwrap();
    browser.tab.goto(&format!("{}?view=memory&window=1m", board.url)).await.unwrap();
    browser.until("document.querySelector('.freshness .words').textContent", |text| text == "Live").await;
    let bottom =
        "Math.max(...[...document.querySelectorAll('#view figure')].map(it => it.getBoundingClientRect().bottom))";
    browser.until(bottom, |bottom| bottom.as_f64() < Some(900.0)).await;
    let endpoints = "document.getElementById('endpoints-by-allocation').getBoundingClientRect().top";
    browser.until(endpoints, |top| top.as_f64() < Some(700.0)).await;
    browser.stop().await;
}
