//! What a client does wrong is its own error: it is never counted as the application's, and never moves the status.

use std::{net::SocketAddr, time::Duration};

use serde_json::Value;
use socket2::SockRef;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use watchboard_test_support::{
    Binary, Node,
    raw::{RawResponse, exchange, read_until},
    reasons,
};

const WITHIN: Duration = Duration::from_secs(20);
/// So many failed requests would decide the status.
const ENOUGH: usize = 25;

async fn start() -> (Node, Binary, SocketAddr) {
    let node = Node::start().await;
    let (binary, proxy) = Binary::with_upstream(node.port, &[]).await;
    (node, binary, proxy)
}

/// Waits until so many requests have ended, and returns the figures of `/health`.
async fn ended(binary: &Binary, requests: usize) -> Value {
    let all = |health: &Value| {
        let application = &health["application"];
        application["total_requests"] == requests && application["in_flight"] == 0
    };
    binary.client.wait_for_json("/health", WITHIN, all).await
}

fn assert_no_server_error(health: &Value, name: &str) {
    let application = &health["application"];
    // The application is this process, and programs of other tests are its children: what they hold is not judged here.
    let findings = reasons(health).iter().filter(|reason| !reason.contains("descriptors")).count();
    assert_eq!((&application["error_count"], findings), (&0.into(), 0), "{name}: {health:#}");
    let codes = application["status_codes"].as_object().expect("codes");
    assert!(codes.keys().all(|code| code.as_str() < "500"), "{name}: {codes:?}");
}

#[tokio::test]
async fn malformed_and_refused_requests_are_client_errors() {
    let (_node, binary, proxy) = start().await;
    let mut total = 0;
    for (name, head) in [
        ("a coding below the chunks", "POST /hash HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked"),
        ("a coding twice", "POST /hash HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked"),
        ("an unknown coding", "POST /hash HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked"),
        ("a coding in HTTP/1.0", "POST /hash HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked"),
        ("a tunnel to elsewhere", "CONNECT a:443 HTTP/1.1\r\nHost: a:443"),
        ("no host", "GET /hash HTTP/1.1"),
        ("two hosts", "GET /hash HTTP/1.1\r\nHost: a\r\nHost: b"),
        ("a host that is none", "GET /hash HTTP/1.1\r\nHost: a/b"),
        ("* for GET", "GET * HTTP/1.1\r\nHost: a"),
        ("an expectation that nobody fulfils", "GET /several HTTP/1.1\r\nHost: a\r\nExpect: cake"),
        ("a version of its own", "GET /hash HTTP/9.9\r\nHost: a"),
        ("no version", "GET /hash"),
        ("a header without a colon", "GET /hash HTTP/1.1\r\nHost: a\r\nX-A"),
        ("a chunk that is none", "POST /hash HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello"),
        ("a chunk too large", "POST /hash HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff"),
    ] {
        for _ in 0..ENOUGH {
            let answer = exchange(proxy, format!("{head}\r\nConnection: close\r\n\r\n").as_bytes()).await;
            let code = if answer.is_empty() { 400 } else { RawResponse::parse(&answer).code() };
            assert!(code < 500, "{name}: {code}");
        }
        total += ENOUGH;
        let health = ended(&binary, total).await;
        assert_no_server_error(&health, name);
        assert_eq!(health["application"]["dropped_count"], 0, "{name}");
    }
}

#[tokio::test]
async fn an_upload_that_its_client_aborts_is_dropped() {
    let (_node, binary, proxy) = start().await;
    let mut total = 0;
    for (path, framing, resets) in [
        ("/hash", "Content-Length: 100", false),
        ("/hash", "Content-Length: 100", true),
        ("/hash", "Transfer-Encoding: chunked", false),
        // The application answers while the upload goes on.
        ("/echo", "Content-Length: 100", false),
        ("/echo", "Content-Length: 100", true),
        ("/echo", "Transfer-Encoding: chunked", false),
    ] {
        for _ in 0..ENOUGH {
            let mut client = TcpStream::connect(proxy).await.unwrap();
            let part = if framing.starts_with('T') { "40\r\nhalf" } else { "half" };
            client
                .write_all(format!("POST {path} HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n{part}").as_bytes())
                .await
                .unwrap();
            if path == "/echo" {
                read_until(&mut client, b"half\r\n").await;
            }
            if resets {
                SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
            }
        }
        total += ENOUGH;
        let health = ended(&binary, total).await;
        let name = format!("{path}, {framing}, resets: {resets}");
        assert_no_server_error(&health, &name);
        let application = &health["application"];
        assert_eq!(
            (&application["dropped_count"], &application["client_error_count"]),
            (&total.into(), &0.into()),
            "{name}"
        );
    }
}

#[tokio::test]
async fn an_application_that_gives_up_on_a_stalled_upload_has_not_failed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (binary, proxy) = Binary::with_upstream(listener.local_addr().unwrap().port(), &[]).await;
    let application = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_until(&mut stream, b"half").await;
        // As a server does whose worker is killed for its time.
        sleep(Duration::from_secs(6)).await;
    };
    let mut client = TcpStream::connect(proxy).await.unwrap();
    client.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf").await.unwrap();
    timeout(WITHIN, application).await.unwrap();
    let head = read_until(&mut client, b"\r\n\r\n").await;
    assert!(head.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&head));
    let health = ended(&binary, 1).await;
    assert_no_server_error(&health, "stalled");
    assert_eq!(health["application"]["client_error_count"], 1);
}

#[tokio::test]
async fn an_application_that_breaks_an_upload_off_has_failed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (binary, proxy) = Binary::with_upstream(listener.local_addr().unwrap().port(), &[]).await;
    let mut client = TcpStream::connect(proxy).await.unwrap();
    client.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf").await.unwrap();
    let (mut stream, _) = listener.accept().await.unwrap();
    read_until(&mut stream, b"half").await;
    drop(stream);
    let head = read_until(&mut client, b"\r\n\r\n").await;
    assert!(head.starts_with(b"HTTP/1.1 502"), "{}", String::from_utf8_lossy(&head));
    assert_eq!(ended(&binary, 1).await["application"]["error_count"], 1);
}

/// Each takes longer than the default objective of 500 ms.
const SLOW: Duration = Duration::from_millis(700);

#[tokio::test]
async fn the_time_that_clients_take_to_send_is_not_judged() {
    let (_node, binary, proxy) = start().await;
    for (number, rest) in ["rest", ""].into_iter().enumerate() {
        let client = || async move {
            let mut client = TcpStream::connect(proxy).await.unwrap();
            let head = b"POST /hash HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\nConnection: close\r\n\r\nhalf";
            client.write_all(head).await.unwrap();
            sleep(SLOW).await;
            client.write_all(rest.as_bytes()).await.unwrap();
            if !rest.is_empty() {
                assert!(read_until(&mut client, b"\r\n\r\n").await.starts_with(b"HTTP/1.1 200"));
            }
        };
        futures_util::future::join_all((0..ENOUGH).map(|_| client())).await;
        let health = ended(&binary, (number + 1) * ENOUGH).await;
        // The judgement is that of the next second.
        let tick = health["monitor"]["uptime_seconds"].as_u64().unwrap() + 2;
        let later = |health: &Value| health["monitor"]["uptime_seconds"].as_u64().unwrap() >= tick;
        let health = binary.client.wait_for_json("/health", WITHIN, later).await;
        assert_eq!(reasons(&health), [""; 0], "{rest:?}");
    }
}

#[tokio::test]
async fn refusals_that_strangers_cause_are_a_full_limit_and_no_error_of_the_application() {
    let node = Node::start().await;
    let (binary, proxy) = Binary::with_upstream(node.port, &["--max-connections", "20"]).await;
    let mut open = vec![];
    for _ in 0..80 {
        let mut stream = TcpStream::connect(proxy).await.unwrap();
        let request = b"GET /upgrade HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let head = read_until(&mut stream, b"\r\n\r\n").await;
        if head.starts_with(b"HTTP/1.1 101") {
            open.push(stream);
        }
    }
    assert_eq!(open.len(), 20);
    let full = |health: &Value| health["reasons"].to_string().contains("tunnels (WebSockets)");
    let health = binary.client.wait_for_json("/health", WITHIN, full).await;
    assert_eq!(health["status"], "degraded", "{health:#}");
    assert!(!health["reasons"].to_string().contains("server error"), "{health:#}");
}
