//! The login in a browser: in, the live page, out, a session that ends while the page is open; and no page asks for what its policy forbids.

use fantoccini::Locator;
use watchboard_end2end::{Board, Browser};

const PASSWORD: &str = "correct horse battery";
/// Its hash by the cheapest parameters there are.
const HASH: &str = "$argon2id$v=19$m=8,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$gLHIkr1qgP4r3sH1P/NIg3+PMckaLQ3RkuIiytJhVlY";
const FRESHNESS: &str = "document.querySelector('.freshness .words')?.textContent ?? ''";
const FIELD: &str = "document.querySelector('input[name=password]') !== null";

async fn closed() -> Board {
    Board::demo("127.0.0.1:0", &["--password-hash", HASH]).await
}

/// Types a password, and the key that sends a form.
async fn sign_in(browser: &Browser, password: &str) {
    browser.until(FIELD, |there| there == true).await;
    let field = browser.tab.find(Locator::Css("input[name=password]")).await.unwrap();
    field.send_keys(&format!("{password}\u{e007}")).await.unwrap();
}

#[tokio::test]
async fn a_viewer_signs_in_sees_the_live_page_and_signs_out() {
    let (board, browser) = (closed().await, Browser::start(true).await);
    browser.tab.goto(&format!("{}?view=requests", board.url)).await.unwrap();
    assert_eq!(browser.value("document.title").await, "Sign in to Watchboard");
    assert_eq!(browser.value("document.activeElement.name").await, "password");
    sign_in(&browser, "hunter2").await;
    browser.until_says("refused", "The password is not right.").await;
    sign_in(&browser, PASSWORD).await;
    browser.until(FRESHNESS, |text| text == "Live").await;
    assert_eq!(browser.value("location.pathname + location.search").await, "/?view=requests");
    assert_eq!(browser.value("document.cookie").await, "", "scripts do not see the session");
    assert_eq!(browser.value("document.getElementById('open')").await, serde_json::Value::Null);
    browser.tab.find(Locator::Css("form[action$='/sign-out'] button")).await.unwrap().click().await.unwrap();
    browser.until(FIELD, |there| there == true).await;
    browser.tab.back().await.unwrap();
    browser.until(FIELD, |there| there == true).await;
    browser.stop().await;
}

#[tokio::test]
async fn without_scripts_signing_in_and_out_is_the_same() {
    let (board, browser) = (closed().await, Browser::start(false).await);
    browser.tab.goto(&format!("{}?view=memory", board.url)).await.unwrap();
    sign_in(&browser, PASSWORD).await;
    browser.until("document.querySelector('#container') !== null", |there| there == true).await;
    browser.tab.find(Locator::Css("form[action$='/sign-out'] button")).await.unwrap().click().await.unwrap();
    browser.until(FIELD, |there| there == true).await;
    browser.stop().await;
}

#[tokio::test]
async fn a_live_page_whose_session_ended_asks_for_the_password_and_goes_on_where_it_was() {
    let (board, browser) = (closed().await, Browser::start(true).await);
    browser.tab.goto(&format!("{}?view=memory", board.url)).await.unwrap();
    sign_in(&browser, PASSWORD).await;
    browser.until(FRESHNESS, |text| text == "Live").await;
    // As the same viewer would in another tab.
    browser.value("void fetch('/sign-out', { method: 'POST', redirect: 'manual' })").await;
    browser.until("document.title", |title| title == "Sign in to Watchboard").await;
    sign_in(&browser, PASSWORD).await;
    browser.until(FRESHNESS, |text| text == "Live").await;
    assert_eq!(browser.value("location.search").await, "?view=memory");
    // The sessions of a board that was started anew are gone.
    let address = board.address().to_owned();
    board.stop().await;
    browser.until(FRESHNESS, |text| text.as_str().is_some_and(|text| text.starts_with("Lost"))).await;
    let again = Board::demo(&address, &["--password-hash", HASH]).await;
    browser.until("document.title", |title| title == "Sign in to Watchboard").await;
    drop(again);
    browser.stop().await;
}

/// What the page and its console say, once the view has been looked at for a refresh.
async fn violations(browser: &Browser, url: &str) -> Vec<String> {
    browser.tab.goto(url).await.unwrap();
    let seen = "performance.getEntriesByType('resource').filter(e => e.name.endsWith('/refresh')).length";
    let is_sign_in = browser.value(FIELD).await == true;
    if !is_sign_in {
        browser.until(FRESHNESS, |text| text == "Live").await;
        browser.until(seen, |count| count.as_u64() >= Some(1)).await;
    }
    let complaints = browser.complaints().await;
    complaints.into_iter().filter(|entry| !(is_sign_in && entry.contains("status of 401"))).collect()
}

#[tokio::test]
async fn no_page_breaks_its_policy() {
    let browser = Browser::start(true).await;
    browser.watch_policy().await;
    let (open, closed) = (Board::demo("127.0.0.1:0", &[]).await, closed().await);
    assert_eq!(violations(&browser, &closed.url).await, Vec::<String>::new(), "the sign-in page");
    sign_in(&browser, PASSWORD).await;
    browser.until(FRESHNESS, |text| text == "Live").await;
    for board in [&open, &closed] {
        for view in [
            "overview",
            "requests",
            "requests&endpoint=GET%20/shop/products/{id}",
            "memory",
            "database",
            "overview&window=1h",
        ] {
            let url = format!("{}?view={view}", board.url);
            assert_eq!(violations(&browser, &url).await, Vec::<String>::new(), "{url}");
            assert_eq!(browser.value("window.violations ?? null").await, serde_json::json!([]), "{url}");
        }
    }
    // The watching itself: what is forbidden is noticed.
    browser
        .value("void document.body.appendChild(document.createElement('img')).setAttribute('src', 'http://127.0.0.2/')")
        .await;
    browser.until("window.violations.length", |count| count == 1).await;
    browser.stop().await;
}
