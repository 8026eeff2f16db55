//! The history on disk: the windows of days, and what they show of earlier runs.

use fantoccini::Locator;
use watchboard_end2end::{Board, Browser};

const WINDOWS: &str = "document.querySelectorAll('nav.windows a').length";
const ROWS: &str = "document.querySelectorAll('#endpoints tbody.rows th').length";
const BAR: &str = "document.querySelector('header.top').offsetHeight";

#[tokio::test]
async fn windows_of_days_are_there_with_a_history_on_disk_and_show_the_run_before() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--data-dir", folder.path().to_str().unwrap()];
    let browser = Browser::start(true).await;
    let unix_seconds = || std::time::SystemTime::UNIX_EPOCH.elapsed().expect("a time after 1970").as_secs();
    let began = unix_seconds();
    let first = Board::demo("127.0.0.1:0", &arguments).await;
    browser.resize(1024, 768).await;
    browser.tab.goto(&format!("{}?view=requests", first.url)).await.unwrap();
    browser.until(WINDOWS, |windows| windows == 9).await;
    assert_eq!(browser.value(BAR).await, 44, "the bar is one row");
    browser.until("document.querySelector('.freshness .words').textContent", |text| text == "Live").await;
    browser.key("9", 0).await;
    browser.until("location.search", |query| query.as_str().is_some_and(|query| query.contains("window=13mo"))).await;
    let current = "document.querySelector('nav.windows [aria-current]').getBoundingClientRect().right";
    let edge = "document.querySelector('nav.windows').getBoundingClientRect().right";
    let in_sight = format!("{current} <= {edge} + 1");
    browser.until(&in_sight, |is_in_sight| is_in_sight == true).await;
    browser.until(ROWS, |rows| rows.as_u64() > Some(3)).await;
    // In the first seconds nothing of the shop may have failed.
    browser.value("void fetch('/nope')").await;
    let of_health = |figure: &str| {
        let keep = format!(
            "fetch('health').then(answer => answer.json()).then(health => window['{figure}'] = health.{figure})"
        );
        format!("({keep}, window['{figure}'] ?? 0)")
    };
    browser.until(&of_health("application.recent_errors.length"), |errors| errors.as_u64() > Some(0)).await;
    // The stop is a kill: what counts is the step that is stored after the error.
    let stored = of_health("history.bytes");
    let before = browser.until(&stored, |bytes| bytes.as_u64() > Some(0)).await;
    browser.until(&stored, |bytes| bytes.as_u64() > before.as_u64()).await;
    first.stop().await;
    let ended = unix_seconds();
    let second = Board::demo("127.0.0.1:0", &[&arguments[..], &["--no-traffic"]].concat()).await;
    for window in ["15m", "7d", "30d", "13mo"] {
        browser.tab.goto(&format!("{}?view=requests&window={window}", second.url)).await.unwrap();
        browser.until(ROWS, |rows| rows.as_u64() > Some(3)).await;
    }
    // A span of the first run alone, in every view.
    browser.tab.goto(&format!("{}?view=requests&from={began}&to={ended}", second.url)).await.unwrap();
    browser.until(ROWS, |rows| rows.as_u64() > Some(3)).await;
    browser.until_says("past-span", "are of now").await;
    // What failed before the restart, and why.
    browser
        .until("document.querySelectorAll('#errors-by-cause tbody tr').length", |causes| causes.as_u64() > Some(0))
        .await;
    for (view, shown) in
        [("overview", "#endpoints-that-take-the-most tbody a"), ("memory", ".chart polyline, .chart path")]
    {
        browser.tab.find(Locator::Css(&format!("nav a[href^='?view={view}']"))).await.unwrap().click().await.unwrap();
        browser.until(&format!("document.querySelectorAll('{shown}').length"), |count| count.as_u64() > Some(3)).await;
    }
    browser.stop().await;
}

#[tokio::test]
async fn a_young_process_without_a_history_on_disk_offers_no_window_of_days() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &[]).await, Browser::start(true).await);
    browser.tab.goto(&board.url).await.unwrap();
    assert_eq!(browser.value(WINDOWS).await, 6);
    // A link to one shows it all the same.
    browser.tab.goto(&format!("{}?window=7d", board.url)).await.unwrap();
    browser.until("document.querySelector('nav.windows [aria-current]').textContent", |text| text == "7d").await;
    browser.stop().await;
}
