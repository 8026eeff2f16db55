//! Makes the pictures of the README, `docs/images`, from the demo. Run it by `cargo xtask screenshots`.

use std::{fs, path::Path, time::Duration};

use watchboard_end2end::{Board, Browser};

/// The demo's charts fill in this time.
const TRAFFIC: Duration = Duration::from_secs(150);

#[tokio::main]
async fn main() {
    let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/images");
    fs::create_dir_all(&images).expect("the folder can be made");
    let board = Board::demo("127.0.0.1:0", &[]).await;
    tokio::time::sleep(TRAFFIC).await;
    let browser = Browser::start(true).await;
    browser.resize(1440, 900).await;
    for theme in ["light", "dark"] {
        browser.tab.goto(&board.url).await.expect("the page loads");
        browser.value(&format!("document.cookie = 'watchboard_preferences={theme}-2-running; path=/'")).await;
        browser.tab.goto(&format!("{}?window=5m", board.url)).await.expect("the page loads");
        browser.until("document.querySelector('.freshness .words').textContent", |text| text == "Live").await;
        let picture = browser.tab.screenshot().await.expect("a picture");
        fs::write(images.join(format!("overview-{theme}.png")), picture).expect("the folder can be written");
    }
    browser.stop().await;
    board.stop().await;
}
