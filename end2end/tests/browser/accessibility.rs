//! axe finds nothing to mend, best practices included: in any view, theme and width, with figures and without, in an incident, and with
//! contact lost.

use std::path::Path;

use serde_json::Value;
use watchboard_end2end::{Board, Browser};

const FRESHNESS: &str = "document.querySelector('.freshness .words').textContent";

/// What axe says of the page as it is.
async fn violations(browser: &Browser) -> Vec<String> {
    let axe = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/axe/axe_playwright_python/axe.min.js");
    let axe = std::fs::read_to_string(axe).expect("axe, which `cargo xtask test` installs");
    browser.tab.execute(&axe, vec![]).await.expect("axe starts");
    let run = "const done = arguments[0];
        axe.run(document, { resultTypes: ['violations'] }).then(result => done(result.violations.map(
            violation => `${violation.id}: ${violation.nodes.map(node => node.html.slice(0, 160)).slice(0, 3).join(' ')}`)))";
    let found = browser.tab.execute_async(run, vec![]).await.expect("axe ends");
    let found = found.as_array().expect("a list");
    found.iter().map(|violation| violation.as_str().unwrap_or_default().to_owned()).collect()
}

/// Opens every view in both themes, wide and narrow.
async fn every_view(board: &Board, browser: &Browser) {
    let mut found = vec![];
    for (theme, width) in [("light", 1440), ("dark", 1440), ("light", 390), ("dark", 390)] {
        browser.resize(width, 900).await;
        browser.tab.goto(&board.url).await.unwrap();
        browser.value(&format!("document.cookie = 'watchboard_preferences={theme}-2-running; path=/'")).await;
        for query in [
            "view=overview",
            "view=requests",
            "view=requests&endpoint=GET /shop/products",
            "view=memory",
            "view=database",
        ] {
            browser.tab.goto(&format!("{}?{query}", board.url)).await.unwrap();
            browser.until(FRESHNESS, |text| text == "Live").await;
            let of_page = violations(browser).await;
            found.extend(of_page.into_iter().map(|violation| format!("{query}, {theme}, {width}: {violation}")));
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

#[tokio::test]
async fn axe_has_no_complaint_about_a_busy_board_in_an_incident() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &[]).await, Browser::start(true).await);
    browser.tab.goto(&board.url).await.unwrap();
    browser.value("void Promise.all([...Array(60)].map(() => fetch('/shop/coupons/ab')))").await;
    let status = "document.querySelector('#status').className";
    browser.until(status, |class| class == "status degraded" || class == "status unhealthy").await;
    every_view(&board, &browser).await;
    browser.stop().await;
}

#[tokio::test]
async fn axe_has_no_complaint_about_an_empty_board_nor_without_contact() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &["--no-traffic"]).await, Browser::start(true).await);
    every_view(&board, &browser).await;
    browser.tab.goto(&board.url).await.unwrap();
    browser.until(FRESHNESS, |text| text == "Live").await;
    board.stop().await;
    browser.until(FRESHNESS, |text| text == "Lost").await;
    assert_eq!(violations(&browser).await, Vec::<String>::new());
    browser.stop().await;
}

#[tokio::test]
async fn axe_has_no_complaint_about_the_drawer_of_a_request() {
    let arguments = ["--trace-url", "https://jaeger.local/trace/{trace_id}"];
    let (board, browser) = (Board::demo("127.0.0.1:0", &arguments).await, Browser::start(true).await);
    for (theme, width) in [("light", 1440), ("dark", 390)] {
        browser.resize(width, 900).await;
        browser.tab.goto(&board.url).await.unwrap();
        browser.value(&format!("document.cookie = 'watchboard_preferences={theme}-2-running; path=/'")).await;
        browser.tab.goto(&format!("{}?view=requests", board.url)).await.unwrap();
        browser.until(FRESHNESS, |text| text == "Live").await;
        let link = "document.querySelector('#slowest-requests tbody a[href*=\"&request=\"]')";
        browser.until(link, |link| !link.is_null()).await;
        browser.value(&format!("{link}.click()")).await;
        browser.until("document.querySelector('.drawer a.trace')", |link| !link.is_null()).await;
        assert_eq!(violations(&browser).await, Vec::<String>::new(), "{theme}, {width}");
    }
    browser.stop().await;
}

#[tokio::test]
async fn axe_has_no_complaint_about_what_opens_over_the_page() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &[]).await, Browser::start(true).await);
    for open in [
        "document.querySelector('#menu summary').click()",
        "document.querySelector('.more-cards summary').click()",
        "document.dispatchEvent(new KeyboardEvent('keydown', { key: 'k', ctrlKey: true, bubbles: true }))",
        "document.dispatchEvent(new KeyboardEvent('keydown', { key: '?', bubbles: true }))",
    ] {
        browser.tab.goto(&board.url).await.unwrap();
        browser.until(FRESHNESS, |text| text == "Live").await;
        browser.value(&format!("void {open}")).await;
        browser
            .until(
                "document.querySelector('dialog, details').open || document.querySelector('details[open]') !== null",
                Value::is_boolean,
            )
            .await;
        assert_eq!(violations(&browser).await, Vec::<String>::new(), "{open}");
    }
    browser.stop().await;
}
