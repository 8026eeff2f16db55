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

/// The times below the first chart.
const TIMES: &str =
    "[...document.querySelector('.charts .chart:first-child .x-axis').children].map(e => e.textContent).join(' ')";
const NOTICE: &str = "document.querySelector('#past-span:not([hidden])')?.textContent ?? null";
const SEARCH: &str = "location.search";

/// Opens the requests view once the charts have half a minute.
async fn open_charts(board: &Board, browser: &Browser) {
    browser.tab.goto(&format!("{}?view=requests&window=1m", board.url)).await.unwrap();
    browser.until(FRESHNESS, |text| text == "Live").await;
    browser.until(TIMES, |times| times.as_str().is_some_and(|times| times.ends_with("now"))).await;
    // A span is of what the history has.
    let age = "(fetch('health').then(answer => answer.json()).then(it => window.age = it.monitor.uptime_seconds), window.age ?? 0)";
    let began = std::time::Instant::now();
    while browser.value(age).await.as_u64() < Some(30) {
        assert!(began.elapsed().as_secs() < 60, "it is young for too long");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn a_dragged_span_is_shown_alone_and_one_click_leads_back() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &[]).await, Browser::start(true).await);
    open_charts(&board, &browser).await;
    browser.drag(".charts .chart:first-child .plot", (0.5, 0.75)).await;
    browser
        .until(NOTICE, |notice| notice.as_str().is_some_and(|notice| notice.contains("Findings, and what is open")))
        .await;
    let search = browser.value(SEARCH).await.as_str().unwrap().to_owned();
    let second = |name: &str| -> u64 {
        let value = search.split(['?', '&']).find_map(|pair| pair.strip_prefix(name)).expect("it is in the URL");
        value.trim_start_matches('=').parse().expect("a second")
    };
    let seconds = second("to") - second("from");
    assert!((14..=18).contains(&seconds), "a quarter of a minute: {seconds} s");
    // All charts show it, also of another view and after a reload; the span stays while time goes on.
    let times = browser.value(TIMES).await;
    assert!(!times.as_str().unwrap().contains("now"), "{times}");
    let axes = "new Set([...document.querySelectorAll('.chart .x-axis')].map(e => e.textContent)).size";
    assert_eq!(browser.value(axes).await, 1);
    browser.tab.find(Locator::Css("nav a[href^='?view=memory']")).await.unwrap().click().await.unwrap();
    browser.until("document.querySelector('#container') !== null", |is_there| is_there == true).await;
    assert_eq!(browser.value(axes).await, 1);
    assert_eq!(browser.value(&TIMES.replace(".charts .chart:first-child", ".chart")).await, times);
    browser.tab.back().await.unwrap();
    browser.tab.refresh().await.unwrap();
    browser.until(FRESHNESS, |text| text == "Past").await;
    browser.until(TIMES, |shown| *shown == times).await;
    // The tables and the tiles are of the span too.
    let requests = "[...document.querySelectorAll('#endpoints tbody.rows td[data-label=Requests]')]
        .reduce((sum, cell) => sum + +cell.textContent, 0)";
    let of_span = browser.value(requests).await;
    let health = format!(
        "fetch('health?from={}&to={}').then(answer => answer.json()).then(health => window.health = health.application.total_requests), window.health",
        second("from"),
        second("to")
    );
    browser.until(&health, |total| *total == of_span).await;
    // The span before, and this one again.
    browser.tab.find(Locator::Css("#past-span a")).await.unwrap().click().await.unwrap();
    browser
        .until(SEARCH, |search| search.as_str().is_some_and(|it| it.contains(&format!("to={}", second("from")))))
        .await;
    browser.tab.find(Locator::Css("#past-span a:nth-of-type(2)")).await.unwrap().click().await.unwrap();
    browser.until(TIMES, |shown| *shown == times).await;
    browser.tab.find(Locator::Css("#past-span a:nth-of-type(3)")).await.unwrap().click().await.unwrap();
    browser.until(NOTICE, serde_json::Value::is_null).await;
    assert_eq!(browser.value(SEARCH).await, "?view=requests&window=1m");
    browser.until(TIMES, |times| times.as_str().is_some_and(|times| times.ends_with("now"))).await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.stop().await;
}

#[tokio::test]
async fn a_span_is_chosen_by_keys() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &[]).await, Browser::start(true).await);
    open_charts(&board, &browser).await;
    browser.value("document.querySelector('.charts .chart:first-child .plot').focus()").await;
    let arrow = char::from(Key::Left).to_string();
    for _ in 0..5 {
        press(&browser, &arrow).await;
    }
    // The Shift key stays down until it is sent again.
    let shift = char::from(Key::Shift);
    press(&browser, &format!("{shift}{}{shift}", arrow.repeat(9))).await;
    assert_eq!(browser.value("document.querySelector('.crosshair rect').getAttribute('width')").await, "9");
    press(&browser, &char::from(Key::Enter).to_string()).await;
    browser.until(SEARCH, |search| search.as_str().is_some_and(|search| search.contains("&from="))).await;
    let view_box = "document.querySelector('.charts .chart:first-child .crosshair').getAttribute('viewBox')";
    browser.until(view_box, |view_box| view_box == "0 0 9 1").await;
    // Within it a further span is chosen.
    press(&browser, &format!("{shift}{}{shift}", arrow.repeat(3))).await;
    press(&browser, &char::from(Key::Enter).to_string()).await;
    browser.until(view_box, |view_box| view_box == "0 0 3 1").await;
    press(&browser, &char::from(Key::Escape).to_string()).await;
    browser.until(SEARCH, |search| search == "?view=requests&window=1m").await;
    browser.until(view_box, |view_box| view_box == "0 0 59 1").await;
    press(&browser, &char::from(Key::Home).to_string()).await;
    let at = "document.querySelector('.crosshair line.at').getAttribute('x1')";
    browser.until(at, |at| at == "0").await;
    // The chart goes while it has the focus.
    press(&browser, "g").await;
    press(&browser, "m").await;
    browser.until(SEARCH, |search| search == "?view=memory&window=1m").await;
    browser.until("document.querySelector('#view').textContent.includes('Resident')", |there| *there == true).await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.stop().await;
}

#[tokio::test]
async fn a_span_that_is_not_in_the_history_or_none_says_so_without_scripts() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &["--no-traffic"]).await, Browser::start(false).await);
    browser.tab.goto(&format!("{}?view=requests&window=1m&from=5&to=60", board.url)).await.unwrap();
    browser
        .until(NOTICE, |notice| notice.as_str().is_some_and(|notice| notice.contains("the history has nothing of it")))
        .await;
    browser.tab.find(Locator::Css("#past-span a:nth-of-type(3)")).await.unwrap().click().await.unwrap();
    browser.until(NOTICE, serde_json::Value::is_null).await;
    browser.tab.goto(&format!("{}?view=requests&from=60&to=5", board.url)).await.unwrap();
    browser.until_says("unknown-selection", "Unix seconds").await;
    browser.stop().await;
}
