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

/// How far a figure beside its bar reaches beyond its cell, and how much of a table its names take, at most.
const CROWDED: &str = "(() => {
    const right = element => element.getBoundingClientRect().right;
    const beyond = [...document.querySelectorAll('td.drawn > span')].map(text => right(text) - right(text.parentElement));
    const names = [...document.querySelectorAll('.scroll th[scope=row]')].map(name =>
        name.offsetWidth / name.closest('.scroll').clientWidth);
    return [beyond.length > 0 && Math.max(...beyond) <= 0, names.length > 0 && Math.max(...names) < 0.7].join();
})()";

#[tokio::test]
async fn figures_keep_to_their_cells_and_long_names_leave_them_room() {
    let long = format!("/orders/{}/lines", "a-word-of-a-long-route-".repeat(6));
    let free = TcpListener::bind("127.0.0.1:0").await.and_then(|free| free.local_addr()).expect("a free port");
    let proxy = free.to_string();
    // Nothing answers there: each request is a row all the same.
    let arguments = ["--upstream", "http://127.0.0.1:9", "--proxy-listen", &proxy, "--route", &long];
    let (board, browser) = (Board::start(&arguments).await, Browser::start(true).await);
    for _ in 0..9 {
        let mut client = TcpStream::connect(&proxy).await.expect("the proxy listens");
        let request = format!("GET {long} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n");
        client.write_all(request.as_bytes()).await.expect("it takes requests");
        client.read_to_end(&mut vec![]).await.expect("it answers");
    }
    for width in [620, 768, 1024, 1280] {
        browser.resize(width, 900).await;
        browser.tab.goto(&format!("{}?view=requests", board.url)).await.unwrap();
        browser.until(CROWDED, |is_so| is_so == "true,true").await;
    }
    let board = Board::demo("127.0.0.1:0", &[]).await;
    browser.resize(1440, 900).await;
    browser.tab.goto(&format!("{}?display=wall", board.url)).await.unwrap();
    browser.until(FRESHNESS, |text| text == "Live").await;
    browser.until("document.documentElement.scrollHeight", |height| height.as_u64() <= Some(900)).await;
    browser.stop().await;
}

/// What a browser can paint apart from its contents: they come a moment later.
const SPLITS: [&[u8]; 3] = [b"<details", b"<summary", b"<table"];

#[tokio::test]
async fn nothing_moves_while_the_page_comes_piece_by_piece() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &[]).await, Browser::start(true).await);
    browser.resize(1440, 900).await;
    let relay = relay(&board, usize::MAX).await;
    browser.tab.goto(&relay).await.unwrap();
    browser.until(FRESHNESS, |text| text == "Live").await;
    browser.tab.execute(WATCH, vec![]).await.expect("the page watches");
    let moved = browser.value("window.moved").await;
    assert_eq!(moved, serde_json::json!([]));
    browser.stop().await;
}

#[tokio::test]
async fn a_page_that_is_cut_off_shows_what_came() {
    let (board, browser) = (Board::demo("127.0.0.1:0", &["--no-traffic"]).await, Browser::start(true).await);
    browser.tab.goto(&relay(&board, 20_000).await).await.unwrap();
    assert_eq!(browser.value("document.getElementById('end')").await, serde_json::Value::Null);
    browser.until("document.body.innerText", |text| text.as_str().is_some_and(|text| text.contains("Requests"))).await;
    browser.stop().await;
}

/// Passes connections on to a board, and each page that comes back in pieces, up to so many bytes. Answers its own address.
async fn relay(board: &Board, most: usize) -> String {
    let board = board.url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((browser, _)) = listener.accept().await {
            let board = TcpStream::connect(&board).await.expect("the board listens");
            let ((mut asked, answers), (answered, mut asks)) = (browser.into_split(), board.into_split());
            tokio::spawn(async move { copy_plain(&mut asked, &mut asks).await });
            tokio::spawn(copy_in_pieces(answered, answers, most));
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

async fn copy_in_pieces(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut most: usize,
) -> std::io::Result<()> {
    let mut bytes = vec![0; 256 * 1024];
    loop {
        let read = from.read(&mut bytes).await?;
        if read == 0 || most == 0 {
            return Ok(());
        }
        let mut rest = &bytes[..read.min(most)];
        most -= rest.len();
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
