//! The code of the page comes in pieces: what is there works, and what comes later takes its place without a trace.

use watchboard_end2end::{Board, Browser};

const FRESHNESS: &str = "document.querySelector('.freshness .words').textContent";
const DRAWN: &str = "document.querySelectorAll('.column.as-drawn').length";
/// The pieces that come after the first.
const LATER: &[&str] = &["*chunk_*", "*split_*"];

/// A board whose later pieces are held back.
async fn held() -> (Board, Browser) {
    let (board, browser) = (Board::demo("127.0.0.1:0", &[]).await, Browser::start(true).await);
    browser.resize(1440, 900).await;
    browser.tab.goto(&board.url).await.unwrap();
    let rows = "document.querySelectorAll('#endpoints-that-take-the-most tbody a').length";
    browser.until(rows, |rows| rows.as_u64() > Some(2)).await;
    browser.block(LATER).await;
    browser.tab.goto(&board.url).await.unwrap();
    browser.until(FRESHNESS, |text| text == "Live").await;
    assert_eq!(browser.value(DRAWN).await, 1);
    (board, browser)
}

/// Lets the pieces come, and waits for them.
async fn free(browser: &Browser) {
    browser.block(&[]).await;
    browser.until(DRAWN, |drawn| drawn == 0).await;
}

#[tokio::test]
async fn the_charts_take_their_place_with_the_focus_and_the_folds() {
    let (_board, browser) = held().await;
    let table = "#endpoints-that-take-the-most";
    browser.value(&format!("document.querySelector('{table} details').open = true")).await;
    browser.value(&format!("document.querySelector('{table} tbody a').focus()")).await;
    let focused = browser.value("document.activeElement.getAttribute('href')").await;
    // The title, since rows change their places.
    let text = format!("document.querySelector('{table} h2').firstChild");
    browser.value(&format!("getSelection().setBaseAndExtent({text}, 1, {text}, 5)")).await;
    let selected = browser.value("getSelection().toString()").await;
    // What is old by now says so.
    browser
        .until("getComputedStyle(document.querySelector('.column.as-drawn')).opacity", |opacity| opacity == "0.6")
        .await;
    free(&browser).await;
    browser.until("document.activeElement.getAttribute('href')", |now| *now == focused).await;
    browser.until("getSelection().toString()", |now| *now == selected).await;
    assert_eq!(browser.value(&format!("document.querySelector('{table} details').open")).await, true);
    browser.until("document.querySelectorAll('.sparkline svg').length", |lines| lines == 5).await;
    browser.stop().await;
}

#[tokio::test]
async fn a_dialog_that_is_opened_before_its_code_is_there_can_be_used_then() {
    let (_board, browser) = held().await;
    browser.key("?", 0).await;
    browser.until("document.querySelector('dialog').textContent", |text| text == "Loading. Esc closes it.").await;
    browser.key("Escape", 0).await;
    browser.until("document.querySelector('dialog').open", |open| open == false).await;
    browser.key("k", 2).await;
    browser.until("document.querySelector('dialog').open", |open| open == true).await;
    browser.block(&[]).await;
    browser.until("document.activeElement.tagName", |tag| tag == "INPUT").await;
    for letter in "memory".split("").filter(|letter| !letter.is_empty()) {
        browser.key(letter, 0).await;
    }
    browser.key("Enter", 0).await;
    browser.until("location.search", |query| query.as_str().is_some_and(|query| query.contains("view=memory"))).await;
    browser.stop().await;
}

#[tokio::test]
async fn a_view_whose_code_does_not_come_says_so_and_comes_later() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &[]).await, Browser::start(true).await);
    browser.block(&["*split_memory*"]).await;
    browser.tab.goto(&board.url).await.unwrap();
    browser.until(FRESHNESS, |text| text == "Live").await;
    browser.value("document.querySelector(\"nav a[href*='view=memory']\").click()").await;
    browser.until_says("view", "the code of this view cannot be loaded").await;
    browser.block(&[]).await;
    browser
        .until("document.querySelector('#container, #process-memory, #view .chart') !== null", |there| there == true)
        .await;
    browser.stop().await;
}

#[tokio::test]
async fn the_first_code_is_asked_for_until_it_comes() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &[]).await, Browser::start(true).await);
    browser.block(&["*app-*.wasm"]).await;
    browser.tab.goto(&board.url).await.unwrap();
    browser.until(FRESHNESS, |text| text == "As loaded").await;
    // The figures of a page that never became live are old, and look so.
    browser.until("getComputedStyle(document.querySelector('main')).filter", |filter| filter == "grayscale(1)").await;
    browser.block(&[]).await;
    browser.until(FRESHNESS, |text| text == "Live").await;
    browser.stop().await;
}
