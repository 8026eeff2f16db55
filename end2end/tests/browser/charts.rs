//! The charts: a series alone, and a span alone.

use fantoccini::{Locator, key::Key};
use watchboard_end2end::{Board, Browser};

const FRESHNESS: &str = "document.querySelector('.freshness .words').textContent";
/// How often this page has asked for figures.
const REFRESHES: &str = "performance.getEntriesByType('resource').filter(e => e.name.endsWith('/refresh')).length";
/// The hues that the first chart of the requests view draws.
const HUES: &str = "[...new Set([...document.querySelectorAll('.charts .chart:first-child .drawing polyline[class^=hue]')].map(e => e.getAttribute('class')))].join(' ')";
const PRESSED: &str =
    "document.querySelector('.charts .chart:first-child .legend [aria-pressed=true]')?.textContent ?? ''";

async fn press(browser: &Browser, key: &str) {
    let focused = browser.tab.active_element().await.unwrap();
    focused.send_keys(key).await.unwrap();
}

#[tokio::test]
async fn a_name_in_a_legend_shows_its_series_alone_until_it_is_chosen_again() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &[]).await, Browser::start(true).await);
    browser.tab.goto(&format!("{}?view=requests&window=1m", board.url)).await.unwrap();
    browser.until(FRESHNESS, |text| text == "Live").await;
    let all = "hue-server hue-client hue-system hue-rate";
    browser.until(HUES, |hues| hues == all).await;
    let button = ".charts .chart:first-child .legend li:nth-child(4) button";
    browser.tab.find(Locator::Css(button)).await.unwrap().click().await.unwrap();
    browser.until(HUES, |hues| hues == "hue-rate").await;
    let before = browser.value(REFRESHES).await.as_u64();
    browser.until(REFRESHES, |count| count.as_u64() > before.map(|before| before + 1)).await;
    assert_eq!(browser.value(HUES).await, "hue-rate", "it stays through refreshes");
    assert!(browser.value(PRESSED).await.as_str().unwrap().starts_with("succeeded"));
    // By the keyboard: again, and another.
    press(&browser, &char::from(Key::Enter).to_string()).await;
    browser.until(HUES, |hues| hues == all).await;
    browser.value(&format!("document.querySelector('{button}').closest('ul').querySelector('button').focus()")).await;
    press(&browser, " ").await;
    browser.until(HUES, |hues| hues == "hue-server").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.stop().await;
}

#[tokio::test]
async fn without_scripts_a_legend_is_plain_text() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &[]).await, Browser::start(false).await);
    browser.tab.goto(&format!("{}?view=requests&window=1m", board.url)).await.unwrap();
    let names = "document.querySelectorAll('.charts .chart:first-child .legend button').length";
    browser.until(names, |count| count == 4).await;
    assert_eq!(browser.value("document.querySelectorAll('.legend button:enabled').length").await, 0);
    let style = "(style => [style.borderTopWidth, style.backgroundColor])(getComputedStyle(document.querySelector('.legend button')))";
    assert_eq!(browser.value(style).await, serde_json::json!(["0px", "rgba(0, 0, 0, 0)"]));
    browser.stop().await;
}
