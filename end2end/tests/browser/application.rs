//! The memory view of an application beside the binary: its processes, and the mark of its restart, as they come while somebody looks.

use std::{net::TcpListener, process::Stdio};

use fantoccini::Locator;
use tokio::process::{Child, Command};
use watchboard_end2end::{Board, Browser};

/// Python's own web server, of which no package is needed.
fn start(port: u16) -> Child {
    let mut python = Command::new("python3");
    python.args(["-m", "http.server", "--bind", "127.0.0.1", &port.to_string()]);
    python.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn().expect("python3 starts")
}

#[tokio::test]
async fn its_processes_are_a_table_and_its_restart_is_a_mark() {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
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
    let marks = "document.querySelectorAll('#view polyline.mark').length";
    browser.until(marks, |marks| *marks == 2).await;
    let legends = "document.querySelectorAll('#view .legend .mark').length";
    assert_eq!(browser.value(legends).await, 2, "memory, CPU");
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.stop().await;
}
