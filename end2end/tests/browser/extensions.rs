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

/// Translates as browsers do that ignore the request: each text stands in two `<font>` elements instead of its node.
const TRANSLATE: &str = "(() => {
    const walker = document.createTreeWalker(document.querySelector('#board'), NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) if (walker.currentNode.data.trim()) texts.push(walker.currentNode);
    for (const text of texts) {
        const [outer, inner] = ['font', 'font'].map(name => document.createElement(name));
        inner.textContent = text.data;
        outer.append(inner);
        text.parentNode.insertBefore(outer, text);
        text.remove();
    }
    return texts.length;
})()";

#[tokio::test]
async fn figures_stay_live_under_a_translator_that_does_not_ask() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &[]).await, Browser::start(true).await);
    browser.tab.goto(&board.url).await.unwrap();
    browser.until("document.querySelector('.freshness .words').textContent", |text| text == "Live").await;
    browser.until("document.querySelectorAll('#endpoints-that-take-the-most tbody tr').length", |rows| rows == 8).await;
    // Again and again, as they follow what changes.
    for _ in 0..3 {
        assert!(browser.value(TRANSLATE).await.as_u64() > Some(50));
        for figure in [".freshness time", ".stat .value", ".stat .detail", "#endpoints-that-take-the-most tbody tr td"]
        {
            let text = format!("document.querySelector('{figure}').textContent");
            let before = browser.value(&text).await;
            browser.until(&text, |text| *text != before).await;
        }
    }
    for view in ["requests", "memory", "overview"] {
        browser.value(&format!("document.querySelector('nav a[href^=\"?view={view}\"]').click()")).await;
        browser.until("location.search", |search| search.as_str().is_some_and(|search| search.contains(view))).await;
        browser.until("document.querySelectorAll('#view .card').length", |cards| cards.as_u64() > Some(2)).await;
        browser.value(TRANSLATE).await;
    }
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.stop().await;
}
