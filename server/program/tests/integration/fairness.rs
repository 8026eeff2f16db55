//! Clients that wait, or read slowly, are no slow application; an endpoint that is really slow is named beside them.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use watchboard_test_support::{Binary, Node, raw::exchange, reasons};

/// How long nothing may be found, if the environment has no `FAIR_SECONDS`.
const FAIR_SECONDS: u64 = 15;
/// An endpoint that is really slow is named within this time.
const NAMED_WITHIN: Duration = Duration::from_secs(15);

const EVENTS_FOR: Duration = Duration::from_secs(5);

fn request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
}

/// Asks again and again.
async fn repeat(proxy: SocketAddr, path: &'static str) {
    loop {
        exchange(proxy, request(path).as_bytes()).await;
    }
}

/// Listens to events for some seconds, again and again.
async fn listen(proxy: SocketAddr) {
    loop {
        let mut stream = TcpStream::connect(proxy).await.expect("it listens");
        stream.write_all(request("/events").as_bytes()).await.expect("it reads");
        let _ = timeout(EVENTS_FOR, tokio::io::copy(&mut stream, &mut tokio::io::sink())).await;
    }
}

/// Downloads 4 MB, and takes some four seconds for it.
async fn download_slowly(proxy: SocketAddr) {
    loop {
        let mut stream = TcpStream::connect(proxy).await.expect("it listens");
        stream.write_all(request("/bytes?count=4000000").as_bytes()).await.expect("it reads");
        let mut buffer = vec![0; 100_000];
        while stream.read(&mut buffer).await.is_ok_and(|count| count > 0) {
            sleep(Duration::from_millis(100)).await;
        }
    }
}

#[tokio::test]
async fn only_a_slow_application_is_slow() {
    let seconds = std::env::var("FAIR_SECONDS").map_or(FAIR_SECONDS, |text| text.parse().expect("FAIR_SECONDS"));
    let node = Node::start().await;
    let (binary, proxy) = Binary::with_upstream(node.port, &[]).await;
    let mut clients = JoinSet::new();
    // The board has seen that these are streams, though no client says so.
    exchange(proxy, request("/news?after=0").as_bytes()).await;
    for _ in 0..25 {
        clients.spawn(repeat(proxy, "/news"));
        clients.spawn(repeat(proxy, "/poll"));
        clients.spawn(download_slowly(proxy));
    }
    for _ in 0..10 {
        clients.spawn(repeat(proxy, "/lines"));
        clients.spawn(repeat(proxy, "/words"));
        clients.spawn(listen(proxy));
    }
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(seconds) {
        let health = binary.client.json("/health").await;
        assert_eq!(reasons(&health), [""; 0]);
        sleep(Duration::from_millis(500)).await;
    }
    let health = binary.client.json("/health").await;
    let polls = health["application"]["endpoints"]["GET /poll"].as_u64().unwrap_or_default();
    assert!(polls >= 50, "{}", health["application"]["endpoints"]);
    for _ in 0..10 {
        clients.spawn(repeat(proxy, "/slow"));
    }
    let named = |health: &serde_json::Value| health["reasons"].to_string().contains("GET /slow p99");
    let health = binary.client.wait_for_json("/health", NAMED_WITHIN, named).await;
    assert_eq!(health["reasons"].as_array().map(Vec::len), Some(1), "{}", health["reasons"]);
}
