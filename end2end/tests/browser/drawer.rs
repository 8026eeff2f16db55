//! One request in a drawer: by a link, by its URL, with and without scripts.

use fantoccini::{Locator, key::Key};
use watchboard_end2end::{Board, Browser};

const FRESHNESS: &str = "document.querySelector('.freshness .words').textContent";
const SLOW: &str = "#slowest-requests tbody tr:first-child th a";
const DRAWER: &str = "document.querySelector('.drawer:not([hidden])')";
const FOCUS: &str = "document.activeElement.getAttribute('href')";
const TRACE_URL: &str = "https://jaeger.local/trace/{trace_id}";

/// Opens the drawer of the slowest request, and returns the link that did it.
async fn open_slowest(browser: &Browser) -> serde_json::Value {
    let link = format!("document.querySelector('{SLOW}')?.getAttribute('href') ?? null");
    browser.until(&link, |href| href.as_str().is_some_and(|href| href.contains("&request="))).await;
    // The list may change between a look and a click.
    let open =
        format!("(link => (link.focus(), link.click(), link.getAttribute('href')))(document.querySelector('{SLOW}'))");
    let href = browser.value(&open).await;
    browser.until(DRAWER, |drawer| !drawer.is_null()).await;
    href
}

#[tokio::test]
async fn a_slow_request_opens_a_drawer_that_escape_back_and_a_link_close() {
    let arguments = ["--trace-url", TRACE_URL];
    let (board, browser) = (Board::demo("127.0.0.1:0", &arguments).await, Browser::start(true).await);
    browser.tab.goto(&format!("{}?view=requests", board.url)).await.unwrap();
    browser.until(FRESHNESS, |text| text == "Live").await;
    // What is paused stays as it is while the test looks at it.
    browser.until(&format!("document.querySelectorAll('{SLOW}').length"), |count| count == 1).await;
    browser.value("document.querySelector('.controls button').click()").await;
    browser.until(FRESHNESS, |text| text == "Paused").await;

    let opened = open_slowest(&browser).await;
    assert_eq!(browser.value("location.search").await, opened);
    browser.until("document.activeElement === document.querySelector('.drawer')", |is_there| is_there == true).await;
    let text = browser.value("document.querySelector('.drawer').innerText").await;
    for part in ["Endpoint", "Status", "From arrival to its end", "application"] {
        assert!(text.as_str().unwrap().contains(part), "{part} in {text}");
    }
    let id = browser.value("document.getElementById('request-id').textContent").await;
    let id = id.as_str().unwrap();
    assert_eq!(
        browser.value("document.querySelector('.drawer a.trace').href").await,
        TRACE_URL.replace("{trace_id}", id)
    );

    browser.tab.find(Locator::Css(".drawer button")).await.unwrap().click().await.unwrap();
    browser.until("document.querySelector('.drawer > [role=status]').textContent", |said| said == "Copied").await;

    for close in ["escape", "back", "link"] {
        if browser.value(DRAWER).await.is_null() {
            open_slowest(&browser).await;
        }
        let entries = browser.value("history.length").await;
        match close {
            "escape" => {
                let focused = browser.tab.active_element().await.unwrap();
                focused.send_keys(&Key::Escape.to_string()).await.unwrap();
            }
            "back" => browser.tab.back().await.unwrap(),
            _ => browser.tab.find(Locator::Css(".drawer .close")).await.unwrap().click().await.unwrap(),
        }
        browser.until(DRAWER, serde_json::Value::is_null).await;
        browser.until(FOCUS, |focused| *focused == opened).await;
        assert_eq!(browser.value("history.length").await, entries, "{close}: no entry to open it again");
    }

    // The copied id, from the clipboard into a field.
    let field = browser.tab.find(Locator::Css("input[name='filter']")).await.unwrap();
    field.send_keys(&format!("{}v", char::from(Key::Control))).await.unwrap();
    browser.until("document.querySelector('input[name=filter]').value", |text| *text == id).await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.stop().await;
}

#[tokio::test]
async fn an_error_opens_the_drawer_too_and_its_url_opens_it_again() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &["--no-traffic"]).await, Browser::start(true).await);
    browser.tab.goto(&format!("{}?view=requests", board.url)).await.unwrap();
    browser.until(FRESHNESS, |text| text == "Live").await;
    let headers = "{ headers: { 'x-request-id': 'order-7' } }";
    browser.value(&format!("void fetch('/shop/coupons/ab', {headers})")).await;
    let link =
        "document.querySelector('#errors-by-cause td.id a, #errors-by-cause td a[href*=\"&request=\"]') !== null";
    browser.until(link, |is_there| is_there == true).await;
    browser.value("document.querySelector('#errors-by-cause td a[href*=\"&request=\"]').click()").await;
    browser.until("document.getElementById('request-id')?.textContent ?? ''", |id| id == "order-7").await;
    // No trace is named, so nothing leads to one.
    assert_eq!(browser.value("document.querySelectorAll('.drawer a.trace').length").await, 0);
    browser.tab.goto(&format!("{}?view=requests&request=order-7", board.url)).await.unwrap();
    browser
        .until("document.querySelector('.drawer .facts')?.innerText ?? ''", |text| {
            text.as_str().is_some_and(|text| text.contains("/shop/coupons/"))
        })
        .await;
    browser.tab.goto(&format!("{}?view=requests&request=no-such", board.url)).await.unwrap();
    browser
        .until("document.querySelector('.drawer')?.innerText ?? ''", |text| {
            text.as_str().is_some_and(|text| text.contains("no such request"))
        })
        .await;
    browser.stop().await;
}

#[tokio::test]
async fn the_drawer_opens_and_closes_without_scripts() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &["--trace-url", TRACE_URL]).await, Browser::start(false).await);
    let rows = format!("document.querySelectorAll('{SLOW}').length");
    let parts = "document.querySelector('.drawer .legend')?.innerText ?? ''";
    // A page as of its loading: it is loaded until there was a request. That can leave the list before its drawer is loaded.
    while !browser.value(parts).await.as_str().is_some_and(|text| text.contains("application")) {
        browser.tab.goto(&format!("{}?view=requests&window=1m", board.url)).await.unwrap();
        if browser.value(&rows).await == 1 {
            browser.tab.find(Locator::Css(SLOW)).await.unwrap().click().await.unwrap();
            browser.until(DRAWER, |drawer| !drawer.is_null()).await;
        }
    }
    browser.until("document.querySelectorAll('.drawer a.trace').length", |count| count == 1).await;
    assert_eq!(browser.value("getComputedStyle(document.querySelector('.drawer button')).display").await, "none");
    browser.tab.find(Locator::Css(".drawer .close")).await.unwrap().click().await.unwrap();
    browser.until(DRAWER, serde_json::Value::is_null).await;
    browser.stop().await;
}
