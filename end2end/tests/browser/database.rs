//! The database view, on a real mongod: every card has its figures, the same question again and again is named, and an outage shows
//! within seconds, as does its end.

use watchboard_end2end::{Board, Browser};
use watchboard_test_support::Mongod;

#[tokio::test]
async fn every_card_has_its_figures_and_an_outage_shows_and_ends() {
    let mongod = Mongod::start(&[]).await;
    let uri = mongod.uri().replace("/?", "/watchboard_demo?");
    let (board, browser) = (Board::demo("127.0.0.1:0", &["--mongodb-uri", &uri]).await, Browser::start(true).await);
    // There is something to weigh before somebody looks: collections are weighed once a minute.
    browser.tab.goto(&board.url).await.unwrap();
    let order = r#"fetch('/shop/orders', { method: 'POST', headers: { 'content-type': 'application/json' },
        body: '{"product":7,"quantity":1}' }).then(answer => answer.status)"#;
    assert_eq!(browser.value(order).await, 201);
    browser.tab.goto(&format!("{}?view=database&window=1m", board.url)).await.unwrap();
    browser.until("document.querySelector('.freshness .words').textContent", |text| text == "Live").await;
    let folds = "document.querySelectorAll('#view details:not(#database-health *)').forEach(fold => { fold.open = true; }) ?? true";
    browser.value(folds).await;
    for (id, words) in [
        ("database-health", "Healthy for"),
        ("commands-of-the-application", "Sent by requests"),
        ("server", "wiredTiger"),
        ("replication", "it replicates nothing"),
        ("commands", "find watchboard_demo.orders"),
        ("commands", "POST /shop/orders"),
        ("connection-pools", "waits for a connection in this window"),
        ("refused-commands", "None."),
        ("deployment", "Standalone"),
        ("running-operations", "None has been running"),
        ("storage", "orders"),
    ] {
        browser.until_says(id, words).await;
    }
    assert_eq!(browser.value("document.querySelectorAll('#view figure.chart').length").await, 6);
    let cells = |hue: &str| format!("document.querySelectorAll('.ribbon .drawing polygon.{hue}').length");
    browser.until(&cells("hue-memory"), |count| count.as_u64() >= Some(1)).await;
    browser
        .until("document.querySelectorAll('#commands .range svg rect').length", |count| count.as_u64() >= Some(1))
        .await;
    // What is folded says nothing that grows. The next but one frame is after the folds.
    let watch = "document.querySelectorAll('#view details').forEach(fold => { fold.open = false; }) ??
        new Promise(frame => requestAnimationFrame(() => requestAnimationFrame(frame)))
            .then(() => new PerformanceObserver(list => {
                const places = shift => shift.sources.map(({ node, previousRect, currentRect }) =>
                    [node?.parentElement?.outerHTML.slice(0, 200), previousRect, currentRect]);
                globalThis.moved = [...(globalThis.moved ?? []), ...list.getEntries().map(places)];
            }).observe({ type: 'layout-shift' }) ?? true)";
    browser.value(watch).await;

    mongod.signal("STOP").await;
    let state = "document.getElementById('database-state').innerText";
    browser.until(state, |text| text.as_str().is_some_and(|text| text.starts_with("Frozen for"))).await;
    browser.until_says("status", "database frozen").await;
    // It comes before all else, moves nothing, and cards that nobody asks for are gone.
    for words in ["Frozen for", "takes connections and does not answer", "Look at the server's process", "ago"] {
        browser.until_says("database-health", words).await;
    }
    browser.until("document.querySelector('#view .overview > *').id", |id| id == "database-health").await;
    browser.until("document.querySelectorAll('#server, #replication, #storage').length", |count| count == 0).await;
    browser.until_says("view", "failed\n100").await;
    mongod.signal("CONT").await;
    browser.until(state, |text| text.as_str().is_some_and(|text| text.starts_with("Healthy for"))).await;
    browser.until_says("database-health", "Healthy for").await;
    assert_eq!(browser.value("globalThis.moved ?? []").await, serde_json::json!([]));
    browser.until("document.querySelectorAll('#server').length", |count| count == 1).await;

    // Three requests that ask again and again, each with its commands on its time.
    let orders = "Promise.all([1, 2, 3].map(() => fetch('/shop/orders').then(answer => answer.text())))";
    browser.value(orders).await;
    // What is over from the outage may stand in front of it, so that it is in the folded list.
    let status = "document.getElementById('status').textContent";
    let is_told = |text: &serde_json::Value| text.as_str().is_some_and(|text| text.contains("asks the database again"));
    browser.until(status, is_told).await;
    browser.tab.goto(&format!("{}?view=requests&endpoint=GET+/shop/orders", board.url)).await.unwrap();
    browser.until_says("database-commands", "find").await;
    browser.until("document.querySelectorAll('.steps svg rect').length", |count| count.as_u64() >= Some(20)).await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.stop().await;
}
