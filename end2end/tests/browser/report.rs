//! The file of all views: it is opened from a disk, with nobody to ask for more.

use watchboard_end2end::{Board, Browser};

#[tokio::test]
async fn a_file_of_all_views_shows_them_without_its_board() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &[]).await, Browser::start(true).await);
    browser.tab.goto(&format!("{}?view=requests", board.url)).await.unwrap();
    browser.until("document.querySelector('.freshness .words').textContent", |text| text == "Live").await;
    let fetched = browser.value("fetch('export?view=requests&format=html').then(answer => answer.text())").await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("watchboard.html");
    std::fs::write(&file, fetched.as_str().unwrap()).unwrap();
    drop(board);

    browser.tab.goto(&format!("file://{}", file.display())).await.unwrap();
    let headings = browser.value("[...document.querySelectorAll('.part > h2')].map(it => it.textContent)").await;
    let headings = headings.to_string();
    assert!(
        headings.contains("overview") && headings.contains("requests") && headings.contains("memory"),
        "{headings}"
    );
    let drawn =
        "[...document.querySelectorAll('.drawing svg')].filter(it => it.getBoundingClientRect().height > 50).length";
    assert!(browser.value(drawn).await.as_u64() >= Some(8));
    let alive = "document.querySelectorAll('a[href^=\"?\"], script, link').length";
    assert_eq!(browser.value(alive).await, 0);
    // Its style is there, and what was drawn for a live page does not pale.
    browser.until("getComputedStyle(document.body).margin", |margin| margin == "0px").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.stop().await;
}
