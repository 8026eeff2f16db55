//! On a phone a table is a list of cards: nothing scrolls sideways, a select sorts, and it stays a table for screen readers.

use fantoccini::Locator;
use watchboard_end2end::{Board, Browser};

const FRESHNESS: &str = "document.querySelector('.freshness .words').textContent";
/// The labels of the figures that the first endpoint shows, in the order of the columns.
const LABELS: &str = "[...document.querySelectorAll('#endpoints tbody.rows tr:first-child td')]
    .filter(cell => cell.offsetParent).map(cell => cell.dataset.label).join()";
/// How far each part of the page reaches beyond its right edge, at most.
const BEYOND: &str = "Math.max(document.documentElement.scrollWidth - innerWidth,
    ...[...document.querySelectorAll('main .scroll')].map(table => table.scrollWidth - table.clientWidth))";

/// The cells whose label cannot be read.
const UNLABELLED: &str =
    "[...document.querySelectorAll('main td[data-label]:not(.strip)')].filter(cell => cell.offsetParent
    && parseFloat(getComputedStyle(cell, '::before').fontSize) < 10).map(cell => cell.dataset.label).join()";
/// The labels of the figures that their card would cut off, were they as wide as they get.
const CUT_OFF: &str = "(() => {
    const widest = { 'Total time': '46.7\u{a0}%', 'Requests': '1.25\u{a0}k', 'p99': '97.8\u{a0}ms' };
    const cells = [...document.querySelectorAll('#endpoints tbody.rows tr:first-child td')].filter(cell => cell.offsetParent);
    for (const cell of cells) (cell.querySelector('span') ?? cell).firstChild.data = widest[cell.dataset.label];
    const end = cells[0].parentElement.getBoundingClientRect().bottom;
    return cells.filter(cell => cell.getBoundingClientRect().bottom > end).map(cell => cell.dataset.label).join() })()";
/// How far the open menu, and what is in it, reaches beyond its own edge or the page's.
const MENU_BEYOND: &str = "(() => { const edge = Math.min(innerWidth, document.querySelector('#menu ul').getBoundingClientRect().right);
    return Math.max(...[...document.querySelectorAll('#menu ul *')].map(it => it.getBoundingClientRect().right - edge)) })()";

#[tokio::test]
async fn the_menu_is_within_the_page() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &["--no-traffic"]).await, Browser::start(true).await);
    for width in [1440, 390, 320] {
        browser.resize(width, 844).await;
        browser.tab.goto(&board.url).await.unwrap();
        browser.until(FRESHNESS, |text| text == "Live").await;
        browser.value("document.querySelector('#menu summary').click()").await;
        browser.until(MENU_BEYOND, |pixels| pixels.as_f64().is_some_and(|pixels| pixels <= 0.0)).await;
    }
    browser.stop().await;
}

#[tokio::test]
async fn the_menu_has_the_windows_for_which_the_bar_has_no_room() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &["--no-traffic"]).await, Browser::start(true).await);
    browser.resize(390, 844).await;
    browser.tab.goto(&board.url).await.unwrap();
    browser.until(FRESHNESS, |text| text == "Live").await;
    let seen = "[...document.querySelectorAll('nav.windows a')].filter(it => it.offsetParent).map(it => it.textContent).join()";
    assert_eq!(browser.value(seen).await, "15m");
    browser.value("document.querySelector('#menu summary').click()").await;
    browser.tab.find(Locator::Css("#menu .narrow a[title='minute']")).await.unwrap().click().await.unwrap();
    browser.until("location.search", |query| query.as_str().is_some_and(|query| query.contains("window=1m"))).await;
    browser.until(seen, |seen| seen == "1m").await;
    browser.stop().await;
}

#[tokio::test]
async fn tables_are_cards_of_two_lines_that_a_select_sorts() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &[]).await, Browser::start(true).await);
    browser.resize(390, 844).await;
    for view in ["overview", "requests", "memory"] {
        browser.tab.goto(&format!("{}?view={view}", board.url)).await.unwrap();
        browser.until(FRESHNESS, |text| text == "Live").await;
        browser.until("document.querySelectorAll('main tbody tr').length", |rows| rows.as_u64() >= Some(5)).await;
        browser.until(BEYOND, |pixels| pixels.as_i64() <= Some(0)).await;
        assert_eq!(browser.value(UNLABELLED).await, "", "{view}");
    }

    browser.tab.goto(&format!("{}?view=requests", board.url)).await.unwrap();
    browser.until(FRESHNESS, |text| text == "Live").await;
    browser.until(LABELS, |labels| labels == "Total time,Requests,p99").await;
    assert_eq!(browser.value(CUT_OFF).await, "");
    let roles = "['table', 'row', 'rowheader', 'cell', 'columnheader']
        .filter(role => document.querySelector(`#endpoints [role=${role}]`)).length";
    assert_eq!(browser.value(roles).await, 5);

    let select = browser.tab.find(Locator::Css(".order select")).await.unwrap();
    select.select_by_value("in-flight").await.unwrap();
    browser.until("location.search", |search| search == "?view=requests&sort=in-flight").await;
    browser.until(LABELS, |labels| labels == "Total time,Requests,In flight").await;
    browser.tab.find(Locator::Css(".order a")).await.unwrap().click().await.unwrap();
    browser.until("location.search", |search| search == "?view=requests&sort=in-flight&order=ascending").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.stop().await;
}

#[tokio::test]
async fn a_long_list_of_cards_scrolls_to_its_end() {
    let (board, browser) = (Board::many("127.0.0.1:0", 2_000).await, Browser::start(true).await);
    browser.resize(390, 844).await;
    browser.tab.goto(&format!("{}?view=requests", board.url)).await.unwrap();
    browser.until(FRESHNESS, |text| text == "Live").await;
    browser.until("document.querySelectorAll('#endpoints tbody.rows tr').length", |rows| rows == 60).await;
    browser.value("document.querySelector('.tall').scrollTop = 1e9").await;
    let last_is_in_sight = "(() => {
        const table = document.querySelector('.tall').getBoundingClientRect();
        const row = document.querySelector('#endpoints tbody.rows tr:last-child').getBoundingClientRect();
        return Math.abs(row.bottom - table.bottom) < 8 && !document.querySelector('.tall tbody:last-child tr');
    })()";
    browser.until(last_is_in_sight, |is_there| is_there == true).await;
    browser.stop().await;
}
