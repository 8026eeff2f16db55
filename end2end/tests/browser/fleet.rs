//! The fleet: all instances together, one other instance, and those that are gone.

use fantoccini::Locator;
use watchboard_end2end::{Board, Browser};
use watchboard_test_support::Mongod;

const QUERY: &str = "location.search";
const INSTANCES: &str = "document.querySelectorAll('#instances tbody tr').length";
const LIVE: &str = "document.querySelector('.freshness .words').textContent";
const ROWS: &str = "document.querySelectorAll('#endpoints tbody.rows th').length";

async fn member(mongod: &Mongod, name: &str, more: &[&str]) -> Board {
    let uri = mongod.uri();
    Board::demo("127.0.0.1:0", &[&["--fleet", &uri, "--instance", name, "--service", "shop"], more].concat()).await
}

#[tokio::test]
async fn the_switch_shows_all_or_one_and_a_gone_instance_is_told() {
    let mongod = Mongod::start(&[]).await;
    let first = member(&mongod, "web-1", &[]).await;
    let second = member(&mongod, "web-2", &["--no-traffic"]).await;
    let browser = Browser::start(true).await;
    let click = async |css: &str| {
        // A refresh may replace what was found.
        for _ in 0..5 {
            if browser.tab.find(Locator::Css(css)).await.unwrap().click().await.is_ok() {
                return;
            }
        }
        panic!("{css} cannot be clicked");
    };
    browser.resize(1440, 900).await;
    browser.tab.goto(&format!("{}?view=instances", first.url)).await.unwrap();
    browser.until(INSTANCES, |rows| rows == 2).await;
    browser.until(LIVE, |text| text == "Live").await;

    click(".scope nav a:nth-of-type(2)").await;
    browser.until(QUERY, |query| query.as_str().is_some_and(|query| query.contains("instance=all"))).await;
    browser.until_says("scope", "All instances together: 2 running").await;
    assert_eq!(browser.value("document.activeElement.textContent").await, "all", "the link keeps the focus");
    click("nav[aria-label=Views] a[href*='view=requests']").await;
    browser.until(ROWS, |rows| rows.as_u64() > Some(3)).await;
    let query = browser.value(QUERY).await;
    assert!(query.as_str().is_some_and(|query| query.contains("instance=all")), "the scope stays: {query}");
    // The requests of both grow: the page refreshes itself.
    let age = "Number(document.getElementById('scope').textContent.match(/ended ([0-9]+)/)?.[1] ?? -1)";
    let before = browser.until(age, |seconds| seconds.as_i64() > Some(2)).await;
    browser.until(age, |seconds| seconds.as_i64() >= Some(0) && seconds.as_i64() < before.as_i64()).await;

    browser.tab.back().await.unwrap();
    browser.until(INSTANCES, |rows| rows == 2).await;
    browser.until_says("scope", "All instances together").await;
    browser.tab.forward().await.unwrap();
    browser.until(ROWS, |rows| rows.as_u64() > Some(3)).await;

    browser.tab.goto(&format!("{}?view=instances", first.url)).await.unwrap();
    browser.until(LIVE, |text| text == "Live").await;
    browser.until(INSTANCES, |rows| rows == 2).await;
    click("#instances a[href*='instance=web-2']").await;
    browser.until_says("scope", "Instance web-2, which runs").await;
    browser.until("document.querySelector('.scope nav [aria-current]').textContent", |name| name == "web-2").await;

    second.stop().await;
    browser.until_says("scope", "Instance web-2, which is gone").await;
    click(".scope nav a:nth-of-type(2)").await;
    browser.until_says("scope", "1 running, 1 gone").await;
    browser.until_says("status", "web-2 is gone").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.stop().await;
}

#[tokio::test]
async fn a_phones_bar_has_room_for_all_views_of_a_fleet() {
    let mongod = Mongod::start(&[]).await;
    let board = member(&mongod, "web-1", &["--no-traffic"]).await;
    let browser = Browser::start(true).await;
    browser.resize(390, 844).await;
    browser.tab.goto(&format!("{}?view=database&instance=all", board.url)).await.unwrap();
    browser.until_says("scope", "All instances together").await;
    let links = "document.querySelectorAll('nav[aria-label=Views] a').length";
    browser.until(links, |links| links == 5).await;
    let room = "(ways => ways.clientWidth - ways.scrollWidth)(document.querySelector('.ways'))";
    assert_eq!(browser.value(room).await, 0, "all are to be seen without scrolling");
    browser.stop().await;
}

#[tokio::test]
async fn without_scripts_every_view_of_the_fleet_has_its_figures() {
    let mongod = Mongod::start(&[]).await;
    let board = member(&mongod, "web-1", &[]).await;
    let browser = Browser::start(false).await;
    let shows = async |query: &str, words: &str| {
        let within = std::time::Instant::now() + std::time::Duration::from_mins(1);
        loop {
            browser.tab.goto(&format!("{}?{query}", board.url)).await.unwrap();
            let page = browser.tab.source().await.unwrap();
            if page.contains(words) {
                return;
            }
            assert!(std::time::Instant::now() < within, "{words} is not at {query}");
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
    };
    shows("view=requests&instance=all", "Each instance counts from its own start").await;
    shows("view=overview&instance=all", "that take the most time; the requests view has all").await;
    shows("view=requests&instance=all", "GET /shop/products").await;
    shows("view=overview&instance=all", "All instances together: 1 running").await;
    shows("view=memory&instance=all", "Bytes are the sums of all instances").await;
    shows("view=database&instance=all", "No database is watched").await;
    shows("view=instances", "Instances over time").await;
    shows("view=requests&instance=web-1", "GET /shop/products").await;
    shows("view=requests&instance=web-9", "the fleet has no instance").await;
    browser.stop().await;
}
