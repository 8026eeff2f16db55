//! The link that opens the board, in a browser; sessions of two boards, behind a proxy, and by a link of another site.

use fantoccini::Locator;
use watchboard_end2end::{Board, Browser};
use watchboard_test_support::Nginx;

const FRESHNESS: &str = "document.querySelector('.freshness .words')?.textContent ?? ''";
const PASSWORD: &str = "correct horse battery";
/// Its hash by the cheapest parameters there are.
const HASH: &str = "$argon2id$v=19$m=8,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$gLHIkr1qgP4r3sH1P/NIg3+PMckaLQ3RkuIiytJhVlY";

async fn is_live(browser: &Browser) {
    browser.until(FRESHNESS, |text| text == "Live").await;
}

#[tokio::test]
async fn a_link_opens_the_board_and_the_next_browser_pastes_the_next() {
    let (board, browser) = (Board::with_link(&[]).await, Browser::start(true).await);
    browser.tab.goto(&format!("{}?view=memory", board.url)).await.unwrap();
    browser.until("document.querySelector('#token') !== null", |asks| asks == true).await;
    let field = browser.tab.find(Locator::Id("token")).await.unwrap();
    field.send_keys(&format!("{}\u{e007}", board.link.as_ref().unwrap())).await.unwrap();
    is_live(&browser).await;
    assert_eq!(browser.value("location.pathname + location.search").await, "/?view=memory", "no token stays");
    assert_eq!(browser.value("document.cookie").await, "", "scripts do not see the session");
    browser.tab.goto(board.link.as_ref().unwrap()).await.unwrap();
    is_live(&browser).await;
    assert_eq!(browser.value("location.search").await, "", "a viewer needs no token");
    browser.tab.find(Locator::Css("form[action$='/sign-out'] button")).await.unwrap().click().await.unwrap();
    browser.until("document.title", |title| title == "Sign in to Watchboard").await;
    browser.tab.goto(board.link.as_ref().unwrap()).await.unwrap();
    browser.until_says("refused", "was used already").await;
    browser.stop().await;
}

#[tokio::test]
async fn two_boards_on_one_host_are_live_in_one_browser() {
    let (first, second) = (Board::with_link(&[]).await, Board::with_link(&[]).await);
    let browser = Browser::start(true).await;
    browser.open_link(&first).await;
    browser.open_link(&second).await;
    for board in [&first, &second] {
        browser.tab.goto(&board.url).await.unwrap();
        is_live(&browser).await;
    }
    browser.stop().await;
}

#[tokio::test]
async fn a_link_on_another_site_opens_the_board_with_the_session() {
    let (board, browser) = (Board::with_link(&[]).await, Browser::start(true).await);
    browser.open_link(&board).await;
    let chat = Nginx::start(&format!(
        "location / {{ default_type text/html; return 200 '<a href=\"{}?view=memory\">the board</a>'; }}",
        board.url
    ))
    .await;
    // Another site than that of 127.0.0.1.
    browser.tab.goto(&format!("http://localhost:{}/", chat.address.port())).await.unwrap();
    browser.tab.find(Locator::Css("a")).await.unwrap().click().await.unwrap();
    is_live(&browser).await;
    browser.stop().await;
}

#[tokio::test]
async fn behind_a_stripped_prefix_the_page_is_styled_live_and_its_forms_work() {
    let board = Board::start_closed(HASH).await;
    let locations =
        format!("location /ops/ {{ proxy_pass {}; }} location / {{ return 200 'another application'; }}", board.url);
    let (nginx, browser) = (Nginx::start(&locations).await, Browser::start(true).await);
    browser.tab.goto(&format!("http://{}/ops/?view=memory", nginx.address)).await.unwrap();
    let field = browser.tab.find(Locator::Css("input[name=password]")).await.unwrap();
    field.send_keys(&format!("{PASSWORD}\u{e007}")).await.unwrap();
    is_live(&browser).await;
    assert_eq!(browser.value("location.pathname + location.search").await, "/ops/?view=memory");
    let rules = browser.value("document.styleSheets[0].cssRules.length").await;
    assert!(rules.as_u64() >= Some(100), "the style has {rules} rules");
    let refreshes =
        "performance.getEntriesByType('resource').filter(e => e.name.endsWith('/ops/api/watchboard/refresh')).length";
    browser.until(refreshes, |count| count.as_u64() >= Some(2)).await;
    assert_eq!(browser.complaints().await.iter().filter(|line| !line.contains("status of 401")).count(), 0);
    browser.tab.find(Locator::Css("form[action$='/sign-out'] button")).await.unwrap().click().await.unwrap();
    browser.until("document.querySelector('input[name=password]') !== null", |asks| asks == true).await;
    assert_eq!(browser.value("location.pathname").await, "/ops/");
    browser.stop().await;
}
