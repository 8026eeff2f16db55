//! The page lives: it hydrates in silence, refreshes while its tab is visible and only then, and outlives its server.

use std::time::Duration;

use watchboard_end2end::{Board, Browser};

/// How often this page has asked for figures.
const REFRESHES: &str = "performance.getEntriesByType('resource').filter(e => e.name.endsWith('/refresh')).length";
const FRESHNESS: &str = "document.querySelector('.freshness .words').textContent";

#[tokio::test]
async fn the_page_hydrates_in_silence_and_every_view_opens_without_a_reload() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &[]).await, Browser::start(true).await);
    browser.tab.goto(&board.url).await.unwrap();
    browser.until(FRESHNESS, |text| text == "Live").await;
    browser.value("window.sameDocument = true").await;
    for (view, mark) in [
        ("requests", "#errors-by-cause"),
        ("memory", "#container"),
        ("overview", ".more-cards"),
        ("database", "#database-state"),
        ("requests", "#errors-by-cause"),
    ] {
        // A database that is not watched has no tab: its card leads to the way to watch one.
        let place = if view == "database" { "#database" } else { "nav" };
        let link = format!("{place} a[href='?view={view}']");
        browser.tab.find(fantoccini::Locator::Css(&link)).await.unwrap().click().await.unwrap();
        browser.until(&format!("document.querySelector('{mark}') !== null"), |found| found == true).await;
        assert_eq!(browser.value("location.search").await, format!("?view={view}"));
    }
    browser.tab.back().await.unwrap();
    browser.until("document.querySelector('#database-state') !== null", |found| found == true).await;
    assert_eq!(browser.value("window.sameDocument").await, true);
    browser.until(REFRESHES, |count| count.as_u64() >= Some(2)).await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.stop().await;
}

#[tokio::test]
async fn a_hidden_tab_asks_for_nothing_and_a_visible_one_at_once() {
    hidden_and_shown(Board::demo("127.0.0.1:0", &["--no-traffic"]).await).await;
}

#[tokio::test]
async fn a_hidden_tab_of_an_embedded_board_asks_for_nothing_either() {
    hidden_and_shown(Board::embedded("127.0.0.1:0").await).await;
}

async fn hidden_and_shown(board: Board) {
    let browser = Browser::start(true).await;
    browser.tab.goto(&board.url).await.unwrap();
    browser.until(REFRESHES, |count| count.as_u64() >= Some(1)).await;
    browser.tab.minimize_window().await.unwrap();
    browser.until("document.visibilityState", |state| state == "hidden").await;
    let before = browser.value(REFRESHES).await.as_u64().unwrap();
    // The time in which a visible tab would have asked twice; one refresh may have been under way.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let after = browser.value(REFRESHES).await.as_u64().unwrap();
    assert!(after <= before + 1, "a hidden tab asked {} times", after - before);
    browser.value("document.addEventListener('visibilitychange', () => window.shownAt = performance.now())").await;
    browser.tab.maximize_window().await.unwrap();
    browser.until(REFRESHES, |count| count.as_u64() > Some(after)).await;
    let newest = "performance.getEntriesByType('resource').filter(e => e.name.endsWith('/refresh')).at(-1).startTime";
    let first_after = browser.value(&format!("{newest} - window.shownAt")).await.as_f64().unwrap();
    assert!(first_after < 1000.0, "the first refresh came {first_after} ms after the tab was shown");
    browser.stop().await;
}

#[tokio::test]
async fn a_page_whose_server_went_away_says_so_and_recovers_by_itself() {
    let board = Board::demo("127.0.0.1:0", &["--no-traffic"]).await;
    let address = board.address().to_owned();
    goes_away_and_returns(board, Board::demo(&address, &["--no-traffic"])).await;
}

#[tokio::test]
async fn an_embedded_page_whose_host_went_away_recovers_too() {
    let board = Board::embedded("127.0.0.1:0").await;
    let address = board.address().to_owned();
    goes_away_and_returns(board, Board::embedded(&address)).await;
}

async fn goes_away_and_returns(board: Board, again: impl Future<Output = Board>) {
    let browser = Browser::start(true).await;
    browser.tab.goto(&board.url).await.unwrap();
    browser.until(FRESHNESS, |text| text == "Live").await;
    // The code of the charts comes after the first view.
    browser.until("document.querySelector('#view .x-axis').closest('.as-drawn')", serde_json::Value::is_null).await;
    let places =
        "['header.top', '#status', 'main'].map(e => document.querySelector(e).getBoundingClientRect().top + ' ')";
    let before = browser.value(places).await;
    board.stop().await;
    browser.until(FRESHNESS, |text| text.as_str().is_some_and(|text| text.starts_with("Lost"))).await;
    let state = browser
        .value("document.querySelector('#status').className + ': ' + document.querySelector('#status').textContent");
    let state = state.await.to_string();
    assert!(state.starts_with("\"status lost: No contact for ") && state.contains("Last known: Healthy"), "{state}");
    assert_eq!(browser.value("getComputedStyle(document.querySelector('main')).filter").await, "grayscale(1)");
    assert_eq!(browser.value(places).await, before, "nothing moves");
    // The charts end when the figures did.
    let newest = "document.querySelector('#view .x-axis').lastElementChild.textContent";
    browser.until(newest, |time| time.as_str().is_some_and(|time| time.contains(':'))).await;
    browser.value("document.querySelector(\"nav a[href*='view=memory']\").click()").await;
    browser.until_says("view", "No contact with the server, so this view has no figures").await;
    let again = again.await;
    browser.until(FRESHNESS, |text| text == "Live").await;
    drop(again);
    browser.stop().await;
}

#[tokio::test]
async fn a_pause_stops_refreshes_and_is_remembered() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &["--no-traffic"]).await, Browser::start(true).await);
    browser.tab.goto(&board.url).await.unwrap();
    browser.until(FRESHNESS, |text| text == "Live").await;
    browser.tab.find(fantoccini::Locator::Css("button[aria-pressed]")).await.unwrap().click().await.unwrap();
    let paused = |text: &serde_json::Value| text.as_str().is_some_and(|text| text.starts_with("Paused"));
    browser.until(FRESHNESS, paused).await;
    browser.tab.refresh().await.unwrap();
    browser.until(FRESHNESS, paused).await;
    // Of this tab alone.
    let this = browser.tab.window().await.unwrap();
    let other = browser.tab.new_window(true).await.unwrap().handle;
    browser.tab.switch_to_window(other).await.unwrap();
    browser.tab.goto(&board.url).await.unwrap();
    browser.until(FRESHNESS, |text| text == "Live").await;
    browser.tab.close_window().await.unwrap();
    browser.tab.switch_to_window(this).await.unwrap();
    assert_eq!(browser.value(REFRESHES).await, 0);
    browser.stop().await;
}

#[tokio::test]
async fn a_status_that_asks_for_attention_has_its_colour() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &["--no-traffic"]).await, Browser::start(true).await);
    browser.tab.goto(&board.url).await.unwrap();
    browser.until(FRESHNESS, |text| text == "Live").await;
    browser.value("document.querySelector('.more-cards summary').click()").await;
    browser.value("void (fetch('/shop/products/1'), fetch('/shop/products/9999'))").await;
    let colour = |status: &str| {
        format!(
            "[...document.querySelectorAll('tbody th')].filter(e => e.textContent == '{status}')
             .map(e => getComputedStyle(e).color).at(0) ?? null"
        )
    };
    let fine = browser.until(&colour("200"), serde_json::Value::is_string).await;
    let attention = browser.until(&colour("404"), serde_json::Value::is_string).await;
    assert_ne!(fine, attention);
    browser.stop().await;
}

#[tokio::test]
async fn a_screen_reader_hears_of_the_status_when_it_changes() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &["--no-traffic"]).await, Browser::start(true).await);
    browser.tab.goto(&board.url).await.unwrap();
    browser.until(FRESHNESS, |text| text == "Live").await;
    let announced = "document.querySelector('#status + [role=status]').textContent";
    browser.until(announced, |text| text == "The status is healthy").await;
    board.stop().await;
    browser.until(announced, |text| text == "No contact with the server").await;
    browser.stop().await;
}

#[tokio::test]
async fn a_young_process_fills_its_charts() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &[]).await, Browser::start(true).await);
    browser.tab.goto(&board.url).await.unwrap();
    browser.until(FRESHNESS, |text| text == "Live").await;
    // In its first minute it shows a minute, of the fifteen that are chosen: points of ten seconds.
    let axis = "document.querySelector('.x-axis text').textContent";
    browser.until(axis, |text| text == "50\u{a0}s ago").await;
    // Before the first value there is no axis; with it the axis ends near it.
    let labels = "document.querySelector('.y-axis').children.length";
    browser.until(labels, |labels| labels.as_u64() >= Some(3)).await;
    browser.stop().await;
}

#[tokio::test]
async fn a_pause_holds_over_a_change_of_view_or_says_from_when_its_figures_are() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &[]).await, Browser::start(true).await);
    browser.tab.goto(&format!("{}?view=requests&window=1m", board.url)).await.unwrap();
    browser.until(FRESHNESS, |text| text == "Live").await;
    browser
        .until("document.querySelectorAll('#endpoints tbody.rows tr').length > 3", |are_there| are_there == true)
        .await;
    let pause = "document.querySelector('.controls button').click()";
    browser.value(pause).await;
    browser.until(FRESHNESS, |text| text == "Paused").await;
    // A refresh may still be under way.
    browser.until("document.querySelector('#menu a[aria-busy]')", serde_json::Value::is_null).await;
    let requests = "document.querySelector('#application-metrics .facts dd').textContent";
    let notice = "document.querySelector('#after-pause:not([hidden])')?.textContent ?? null";
    let settled = browser.value(REFRESHES).await;
    assert_eq!(browser.value(notice).await, serde_json::Value::Null);
    // The traffic goes on: the server's figures are others by now.
    let paused = browser.value(requests).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(browser.value(requests).await, paused);
    browser.tab.find(fantoccini::Locator::Css("nav a[href^='?view=memory']")).await.unwrap().click().await.unwrap();
    browser.until(notice, |words| words.as_str().is_some_and(|words| words.contains("was asked for after that"))).await;
    browser.until(REFRESHES, |count| *count != settled).await;
    let asked = browser.value(REFRESHES).await;
    browser.tab.back().await.unwrap();
    browser
        .until(&format!("document.querySelector('#application-metrics') !== null && {requests}"), |text| {
            *text == paused
        })
        .await;
    assert_eq!(browser.value(notice).await, serde_json::Value::Null, "this view is as it was at the pause");
    assert_eq!(browser.value(REFRESHES).await, asked, "and was not asked for again");
    browser.value(pause).await;
    browser.until(FRESHNESS, |text| text == "Live").await;
    browser.until(requests, |text| *text != paused).await;
    browser.stop().await;
}
