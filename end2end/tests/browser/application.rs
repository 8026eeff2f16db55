//! The memory view of an application beside the binary: its processes, and the mark of its restart, as they come while somebody looks.

use std::{net::TcpListener, process::Stdio};

use fantoccini::Locator;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::{Child, Command},
};
use watchboard_end2end::{Board, Browser};

/// Python's own web server, of which no package is needed.
fn start(port: u16) -> Child {
    let mut python = Command::new("python3");
    python.args(["-m", "http.server", "--bind", "127.0.0.1", &port.to_string()]);
    python.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn().expect("python3 starts")
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port()
}

/// Asks the proxy for a page, twenty times a second.
async fn traffic(proxy: u16) {
    loop {
        if let Ok(mut connection) = TcpStream::connect(("127.0.0.1", proxy)).await {
            let _ = connection.write_all(b"GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n").await;
            let _ = connection.read_to_end(&mut vec![]).await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_killed_application_shows_in_the_tiles() {
    let (port, proxy) = (free_port(), free_port());
    let mut application = start(port);
    let [upstream, listen] = [format!("http://127.0.0.1:{port}"), format!("127.0.0.1:{proxy}")];
    let board = Board::start(&["--upstream", &upstream, "--proxy-listen", &listen]).await;
    let browser = Browser::start(true).await;
    browser.tab.goto(&board.url).await.unwrap();
    let more = "document.querySelector('#endpoints-that-take-the-most .more').textContent";
    browser.until(more, |text| text.to_string().contains("send them to http://127.0.0.1:")).await;
    let sender = tokio::spawn(traffic(proxy));
    let tile = |label: &str| {
        format!(
            "[...document.querySelectorAll('.stat')].filter(e => e.textContent.startsWith('{label}'))
             .map(e => e.querySelector('.value').className + ': ' + e.querySelector('.value').textContent)[0]"
        )
    };
    browser.until(&tile("Requests"), |text| text.as_str().is_some_and(|text| text != "value : 0\u{a0}/s")).await;
    browser.until(&tile("Application memory"), |text| text.as_str().is_some_and(|text| text.contains("MiB"))).await;
    application.kill().await.unwrap();
    browser.until(&tile("Application memory"), |text| text == "value bad: –").await;
    browser
        .until(&tile("Server errors"), |text| text.as_str().is_some_and(|text| text.starts_with("value bad: ")))
        .await;
    sender.abort();
    browser.stop().await;
}

#[tokio::test]
async fn its_processes_are_a_table_and_its_restart_is_a_mark() {
    let port = free_port();
    let mut application = start(port);
    let upstream = format!("http://127.0.0.1:{port}");
    let board = Board::start(&["--upstream", &upstream, "--proxy-listen", "127.0.0.1:0"]).await;
    let browser = Browser::start(true).await;
    browser.tab.goto(&format!("{}?view=memory&window=1m", board.url)).await.unwrap();
    browser.until("document.querySelector('.freshness .words').textContent", |text| text == "Live").await;
    let card = "application-processes";
    browser.until_says(card, &format!("http.server, 1 process, listening at 127.0.0.1:{port}.")).await;
    let pid = "document.querySelector('#application-processes tbody tr td').textContent";
    let before = application.id().expect("it runs").to_string();
    browser.until(pid, |pid| *pid == *before).await;
    for (id, words) in [
        ("all-processes", "Its share (PSS)"),
        ("container", "Working set"),
        ("threads", "python3"),
        ("system", "the application"),
    ] {
        browser.until_says(id, words).await;
    }
    for absent in ["process", "endpoints-by-allocation", "async-runtime"] {
        assert!(browser.tab.find(Locator::Id(absent)).await.is_err(), "{absent} is of the monitor's own process");
    }
    application.kill().await.unwrap();
    browser.until_says(card, "has ended; looking for the next").await;
    application = start(port);
    browser.until_says(card, "Restarted at").await;
    let after = application.id().expect("it runs").to_string();
    browser.until(pid, |pid| *pid == *after).await;
    let charts = browser.value("document.querySelectorAll('#view .chart').length").await;
    for mark in ["kill", "start"] {
        let lines = format!(
            "[...document.querySelectorAll('#view .chart')].filter(it => it.querySelector('line.{mark}')).length"
        );
        browser.until(&lines, |lines| *lines == charts).await;
    }
    // The crosshair says what a mark is.
    let back = "(() => { const plot = document.querySelector('#view .plot');
        plot.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowLeft', bubbles: true }));
        return plot.closest('.chart').querySelector('.legend .mark').textContent })()";
    browser.until(back, |said| said.as_str().is_some_and(|said| said.contains("the application ended"))).await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.stop().await;
}
