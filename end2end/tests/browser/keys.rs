//! The keys: windows, views, the filter, the pause, what opens over the page; and the tab's title.

use watchboard_end2end::{Board, Browser};

const FRESHNESS: &str = "document.querySelector('.freshness .words').textContent";

/// Presses a key on the page, as a keyboard does.
async fn press(browser: &Browser, key: &str) {
    let focused = browser.tab.active_element().await.unwrap();
    focused.send_keys(key).await.unwrap();
}

#[tokio::test]
async fn every_view_and_window_is_reached_by_the_keyboard_alone() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &[]).await, Browser::start(true).await);
    browser.tab.goto(&board.url).await.unwrap();
    browser.until(FRESHNESS, |text| text == "Live").await;
    press(&browser, "1").await;
    browser.until("location.search", |query| query == "?view=overview&window=1m").await;
    for (letter, view) in [("r", "requests"), ("m", "memory"), ("d", "database"), ("o", "overview")] {
        press(&browser, "g").await;
        press(&browser, letter).await;
        browser.until("location.search", |query| query == format!("?view={view}&window=1m").as_str()).await;
    }
    press(&browser, "/").await;
    browser.until("document.activeElement.name ?? ''", |name| name == "filter").await;
    // In a field the keys are letters.
    press(&browser, "p2").await;
    browser.until("document.querySelector('input[name=filter]').value", |text| text == "p2").await;
    assert_eq!(browser.value(FRESHNESS).await, "Live");
    browser.stop().await;
}

#[tokio::test]
async fn a_way_is_found_by_its_words_and_the_pause_has_a_key() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &[]).await, Browser::start(true).await);
    browser.tab.goto(&board.url).await.unwrap();
    browser.until(FRESHNESS, |text| text == "Live").await;
    browser
        .until("document.querySelector('#endpoints-that-take-the-most tbody a') !== null", |found| found == true)
        .await;
    press(&browser, "p").await;
    browser.until(FRESHNESS, |text| text == "Paused").await;
    press(&browser, "p").await;
    browser.until(FRESHNESS, |text| text == "Live").await;
    // Control and K.
    press(&browser, "\u{e009}k\u{e000}").await;
    browser.until("document.querySelector('dialog').open", |open| open == true).await;
    press(&browser, "memory\u{e007}").await;
    browser.until("location.search", |query| query == "?view=memory").await;
    browser.until("document.querySelector('dialog').open", |open| open == false).await;
    // An action, by the words of its control.
    for state in ["Paused", "Live"] {
        press(&browser, "\u{e009}k\u{e000}").await;
        browser.until("document.querySelector('dialog').open", |open| open == true).await;
        press(&browser, if state == "Paused" { "paus\u{e007}" } else { "resume\u{e007}" }).await;
        browser.until(FRESHNESS, |text| text == state).await;
    }
    press(&browser, "\u{e009}k\u{e000}").await;
    browser.until("document.querySelector('dialog').open", |open| open == true).await;
    press(&browser, "6h\u{e007}").await;
    browser.until("location.search", |query| query == "?view=memory&window=6h").await;
    press(&browser, "?").await;
    browser
        .until("document.querySelector('dialog').innerText", |text| {
            text.as_str().is_some_and(|text| text.contains("pause"))
        })
        .await;
    press(&browser, "\u{e00c}").await;
    browser.until("document.querySelector('dialog').open", |open| open == false).await;
    browser.stop().await;
}

/// Whether all of an element can be seen: none of a grid of points on it is covered.
fn is_seen(css: &str) -> String {
    format!(
        "(() => {{
            const element = document.querySelector('{css}'), box = element.getBoundingClientRect();
            const at = part => document.elementFromPoint(box.left + part * box.width, box.top + box.height / 2);
            return box.height > 0 && [0.1, 0.5, 0.9].every(part => element.contains(at(part)));
        }})()"
    )
}

#[tokio::test]
async fn what_has_the_focus_is_seen() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &[]).await, Browser::start(true).await);
    browser.resize(1440, 900).await;
    browser.tab.goto(&format!("{}?view=requests&window=1m", board.url)).await.unwrap();
    browser.until(FRESHNESS, |text| text == "Live").await;
    let axis = "document.querySelector('.charts .x-axis')?.textContent ?? ''";
    browser.until(axis, |times| times.as_str().is_some_and(|times| times.ends_with("now"))).await;
    browser.key("Tab", 0).await;
    browser.until("document.activeElement.className", |class| class == "skip").await;
    assert_eq!(browser.value(&is_seen(".skip")).await, true);
    // The notice of a span stands over the end of the page.
    browser.drag(".charts .chart:first-child .plot", (0.5, 0.9)).await;
    browser.until("document.querySelector('#past-span')?.hidden", |hidden| hidden == false).await;
    let fold = "document.querySelector('.hints summary')";
    browser.value(&format!("scrollBy(0, {fold}.getBoundingClientRect().bottom - innerHeight + 5)")).await;
    browser.value(&format!("{fold}.focus()")).await;
    browser.until(&is_seen(".hints summary"), |seen| seen == true).await;
    browser.stop().await;
}

#[tokio::test]
async fn the_tab_tells_the_state_and_the_service() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &["--no-traffic"]).await, Browser::start(true).await);
    browser.tab.goto(&board.url).await.unwrap();
    browser.until(FRESHNESS, |text| text == "Live").await;
    assert_eq!(browser.value("document.title").await, "demo shop · Watchboard");
    let icon = "document.querySelector('link[rel=icon]').href";
    let calm = browser.value(icon).await;
    browser.value("void Promise.all([...Array(30)].map(() => fetch('/shop/coupons/ab')))").await;
    browser.until("document.title", |title| title == "● 1 · demo shop · Watchboard").await;
    assert_ne!(browser.value(icon).await, calm);
    assert_eq!(browser.complaints().await.iter().filter(|it| it.contains("Content Security")).count(), 0);
    board.stop().await;
    browser.until("document.title", |title| title == "? demo shop · Watchboard").await;
    browser.stop().await;
}

#[tokio::test]
async fn times_are_those_of_the_browser_if_it_is_chosen() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &["--no-traffic"]).await, Browser::start(true).await);
    browser.set_timezone("Asia/Kolkata").await;
    browser.tab.goto(&board.url).await.unwrap();
    browser.until(FRESHNESS, |text| text == "Live").await;
    let foot = "document.querySelector('footer').textContent";
    assert!(browser.value(foot).await.to_string().contains("All times are UTC."));
    let button = "[...document.querySelectorAll('.menu button')].find(e => e.textContent.startsWith('Times'))";
    browser.value(&format!("void {button}.click()")).await;
    browser.until(foot, |text| text.to_string().contains("All times are UTC+05:30.")).await;
    browser.tab.refresh().await.unwrap();
    browser.until(foot, |text| text.to_string().contains("All times are UTC+05:30.")).await;
    browser.stop().await;
}

#[tokio::test]
async fn the_arrow_keys_go_along_the_endpoints_of_the_table() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &["--no-traffic"]).await, Browser::start(true).await);
    browser.tab.goto(&format!("{}?view=requests&sort=endpoint&order=ascending", board.url)).await.unwrap();
    browser.until(FRESHNESS, |text| text == "Live").await;
    browser.value("void ['products', 'orders', 'search?q=a'].map(path => fetch(`shop/${path}`))").await;
    let names = "[...document.querySelectorAll('#endpoints tbody.rows th')].map(name => name.textContent)";
    let names = browser.until(names, |names| names.as_array().is_some_and(|names| names.len() == 3)).await;
    browser.value("document.querySelector('#endpoints tbody.rows tr:nth-child(2) a').click()").await;
    let shown = "document.querySelector('#endpoint-name')?.textContent ?? ''";
    browser.until(shown, |name| *name == names[1]).await;
    for (key, at) in [("\u{e014}", 2), ("\u{e012}", 1), ("\u{e012}", 0)] {
        press(&browser, key).await;
        browser.until(shown, |name| *name == names[at]).await;
    }
    // On a chart they move its crosshair.
    browser.value("document.querySelector('.chart:not(.heat) .plot').focus()").await;
    press(&browser, "\u{e014}").await;
    browser.until("document.querySelector('.crosshair').innerHTML !== ''", |there| there == true).await;
    assert_eq!(browser.value(shown).await, names[0]);
    browser.stop().await;
}
