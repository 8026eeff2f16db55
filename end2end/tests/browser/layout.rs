//! Nothing moves by itself: figures, findings and lines change in places of their own.
//!
//! `LAYOUT_SECONDS=600 cargo test -p watchboard-end2end --test browser layout` watches each view for so long.

use std::time::Duration;

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use watchboard_end2end::{Board, Browser};

const VIEWS: [&str; 4] = ["overview", "requests", "requests&endpoint=GET /shop/search", "memory"];
/// What the overview says once each endpoint of the demo had a request.
const DEMO_ENDPOINTS: &str = "All 13 endpoints";
const FRESHNESS: &str = "document.querySelector('.freshness .words').textContent";
/// Collects what moves from the loading of the page on, unless a viewer has just done something.
const WATCH: &str = "window.moved = []; new PerformanceObserver(list => list.getEntries().forEach(entry => {
    const rect = ({ x, y, width, height }) => [x, y, width, height].map(Math.round).join(' ');
    const where = entry.sources.map(({ node, previousRect, currentRect }) =>
        `${(node?.outerHTML ?? node?.textContent ?? '').slice(0, 80)} from ${rect(previousRect)} to ${rect(currentRect)}`);
    if (!entry.hadRecentInput) window.moved.push(`${entry.value.toFixed(5)}: ${where.join(' ')}`);
})).observe({ type: 'layout-shift', buffered: true })";

#[tokio::test]
async fn nothing_moves_while_figures_change() {
    let seconds = std::env::var("LAYOUT_SECONDS").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(8);
    let (board, browser) = (Board::demo("127.0.0.1:0", &[]).await, Browser::start(true).await);
    browser.resize(1440, 900).await;
    // A table grows with the endpoints that come.
    browser.tab.goto(&board.url).await.unwrap();
    let endpoints = "document.querySelector('#endpoints-that-take-the-most .more').innerText";
    for wait in 0.. {
        if browser.value(endpoints).await.as_str().is_some_and(|text| text.contains(DEMO_ENDPOINTS)) {
            break;
        }
        assert!(wait < 240, "the demo's endpoints: {}", browser.value(endpoints).await);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    for view in VIEWS {
        browser.tab.goto(&format!("{}?view={view}", board.url)).await.unwrap();
        browser.until(FRESHNESS, |text| text == "Live").await;
        browser.tab.execute(WATCH, vec![]).await.expect("the page watches");
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        let moved = browser.value("window.moved").await;
        assert_eq!(moved, serde_json::json!([]), "{view}");
    }
    browser.stop().await;
}

/// What a browser can paint apart from its contents: they come a moment later.
const SPLITS: [&[u8]; 3] = [b"<details", b"<summary", b"<table"];

#[tokio::test]
async fn nothing_moves_while_the_page_comes_piece_by_piece() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &[]).await, Browser::start(true).await);
    browser.resize(1440, 900).await;
    let relay = in_pieces(board.url.trim_start_matches("http://").trim_end_matches('/').to_owned()).await;
    browser.tab.goto(&relay).await.unwrap();
    browser.until(FRESHNESS, |text| text == "Live").await;
    browser.tab.execute(WATCH, vec![]).await.expect("the page watches");
    let moved = browser.value("window.moved").await;
    assert_eq!(moved, serde_json::json!([]));
    browser.stop().await;
}

/// Passes connections on to an address, and each page that comes back in pieces. Answers its own address.
async fn in_pieces(board: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((browser, _)) = listener.accept().await {
            let board = TcpStream::connect(&board).await.expect("the board listens");
            let ((mut asked, answers), (answered, mut asks)) = (browser.into_split(), board.into_split());
            tokio::spawn(async move { copy_plain(&mut asked, &mut asks).await });
            tokio::spawn(copy_in_pieces(answered, answers));
        }
    });
    format!("http://{address}/")
}

/// Passes requests on without the encodings that they accept.
async fn copy_plain(from: &mut (impl AsyncRead + Unpin), to: &mut (impl AsyncWrite + Unpin)) -> std::io::Result<()> {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let read = from.read(&mut bytes).await?;
        if read == 0 {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&bytes[..read]).replace("Accept-Encoding:", "X-Not-Accepted:");
        to.write_all(text.as_bytes()).await?;
    }
}

async fn copy_in_pieces(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) -> std::io::Result<()> {
    let mut bytes = vec![0; 256 * 1024];
    loop {
        let read = from.read(&mut bytes).await?;
        if read == 0 {
            return Ok(());
        }
        let mut rest = &bytes[..read];
        while let Some(end) = SPLITS.iter().filter_map(|tag| end_of_tag(rest, tag)).min() {
            to.write_all(&rest[..end]).await?;
            // Longer than a frame of the browser.
            tokio::time::sleep(Duration::from_millis(40)).await;
            rest = &rest[end..];
        }
        to.write_all(rest).await?;
    }
}

/// Where the first tag of this kind ends.
fn end_of_tag(bytes: &[u8], tag: &[u8]) -> Option<usize> {
    let start = bytes.windows(tag.len()).position(|window| window == tag)?;
    Some(start + bytes[start..].iter().position(|byte| *byte == b'>')? + 1)
}
