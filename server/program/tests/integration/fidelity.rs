//! Requests and answers pass as they are: what the application gets and what the client gets, byte for byte.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use watchboard_test_support::{
    Binary, Nginx,
    raw::{RawResponse, exchange, read_until},
};

const WITHIN: Duration = Duration::from_secs(20);
const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// An application of bytes.
struct Application {
    listener: TcpListener,
    binary: Binary,
    proxy: SocketAddr,
}

impl Application {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (binary, proxy) = Binary::with_upstream(listener.local_addr().unwrap().port(), &[]).await;
        Self { listener, binary, proxy }
    }

    async fn accept(&self) -> TcpStream {
        timeout(WITHIN, self.listener.accept()).await.expect("in time").expect("a connection").0
    }

    /// What the application gets of a request up to `end`, and what the client gets of an answer after which the application closes.
    async fn exchange(&self, request: &[u8], end: &[u8], answer: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let application = async {
            let mut stream = self.accept().await;
            let seen = read_until(&mut stream, end).await;
            stream.write_all(answer).await.unwrap();
            seen
        };
        let (seen, got) = tokio::join!(application, exchange(self.proxy, request));
        (seen, got)
    }

    /// What the client gets.
    async fn answer(&self, request: &str, answer: &str) -> RawResponse {
        RawResponse::parse(&self.exchange(request.as_bytes(), b"\r\n\r\n", answer.as_bytes()).await.1)
    }
}

/// The lines of a head. The order of fields with different names has no meaning (RFC 9110, 5.3).
fn lines(head: &str) -> Vec<&str> {
    let mut lines: Vec<_> = head.split("\r\n").collect();
    lines.sort_unstable();
    lines
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test]
async fn chunks_overrule_a_length() {
    let application = Application::start().await;
    for length in
        ["Content-Length: 3\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 300"]
    {
        let answer = format!("HTTP/1.1 200 OK\r\n{length}\r\n\r\n5\r\nhello\r\n6\r\n there\r\n0\r\n\r\n");
        let got = application.answer(GET, &answer).await;
        assert_eq!((got.code(), text(&got.body)), (200, "hello there".to_owned()), "{length}");
        assert_eq!(got.header("content-length"), None);
    }
    let all = |health: &serde_json::Value| health["application"]["status_codes"]["200"] == 2;
    let health = application.binary.client.wait_for_json("/health", WITHIN, all).await;
    assert_eq!(health["application"]["dropped_count"], 0, "{health:#}");
}

#[tokio::test]
async fn heads_of_answers_pass_as_they_are() {
    let application = Application::start().await;
    for (request, head) in [
        (GET, "HTTP/1.1 304 Not Modified\r\nETag: \"7\"\r\nContent-Length: 1234\r\n"),
        (GET, "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n"),
        (GET, "HTTP/1.1 200 Well Done\r\nX-Empty:\u{20}\r\nX-EMPTY: two\r\nContent-Length: 0\r\n"),
        (GET, "HTTP/1.1 299 \r\nContent-Length: 0\r\n"),
        ("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n"),
        ("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 OK\r\nX-A: no length\r\n"),
    ] {
        let (_, got) = application.exchange(request.as_bytes(), b"\r\n\r\n", format!("{head}\r\n").as_bytes()).await;
        assert_eq!(lines(&text(&got)), lines(&format!("{head}connection: close\r\n\r\n")), "{head}");
    }
    // Bytes that are no UTF-8.
    let (_, got) = application
        .exchange(GET.as_bytes(), b"\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-A: caf\xe9\r\nContent-Length: 0\r\n\r\n")
        .await;
    assert!(got.windows(8).any(|part| part == b": caf\xe9\r\n"), "{got:?}");
    // RFC 9112 lets a proxy repair both.
    let got = application.answer(GET, "HTTP/1.1 200 OK\r\nX-A : one\r\n two\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!((got.code(), got.header("x-a")), (200, Some("one two")));
    // The application says what it wants instead.
    let got = application
        .answer(
            GET,
            "HTTP/1.1 426 Upgrade Required\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n",
        )
        .await;
    assert_eq!((got.code(), got.header("upgrade")), (426, Some("websocket")));
}

#[tokio::test]
async fn heads_have_as_many_fields_as_they_like() {
    let application = Application::start().await;
    let fields: Vec<String> = (0..1500).map(|number| format!("X-{number}: {number}\r\n")).collect();
    let fields = fields.concat();
    let request = format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{fields}\r\n");
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n{fields}\r\nok");
    let (seen, got) = application.exchange(request.as_bytes(), b"\r\n\r\n", answer.as_bytes()).await;
    let all = |head: &str| lines(&fields).iter().all(|field| lines(head).binary_search(field).is_ok());
    assert!(all(&text(&seen)), "the application gets them");
    let got = RawResponse::parse(&got);
    assert_eq!((got.code(), text(&got.body).as_str()), (200, "ok"));
    assert!(all(&(got.headers.join("\r\n") + "\r\n")), "the client gets them");
}

#[tokio::test]
async fn the_application_gets_an_expectation_without_a_body_too() {
    let application = Application::start().await;
    let request = "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n";
    let (seen, got) = application.exchange(request.as_bytes(), b"\r\n\r\n", OK).await;
    assert!(text(&seen).to_lowercase().contains("expect: 100-continue\r\n"), "{}", text(&seen));
    assert!(text(&got).starts_with("HTTP/1.1 200"), "{}", text(&got));
}

#[tokio::test]
async fn an_application_that_compresses_goes_on_compressing() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("large.txt"), "compressible ".repeat(10_000)).unwrap();
    let root = folder.path().display();
    let nginx = Nginx::start(&format!("location / {{ root {root}; gzip on; gzip_types *; }}")).await;
    let (_binary, proxy) = Binary::with_upstream(nginx.address.port(), &[]).await;
    let request = b"GET /large.txt HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n";
    let [there, here] = [nginx.address, proxy].map(|address| exchange(address, request));
    let (there, here) = tokio::join!(there, here);
    let [there, here] = [there, here].map(|bytes| RawResponse::parse(&bytes));
    assert_eq!(there.header("content-encoding"), Some("gzip"));
    assert_eq!((here.header("content-encoding"), here.body.len()), (Some("gzip"), there.body.len()));
}

/// An application that closes each connection so long after an answer.
async fn close_idle(listener: TcpListener, idle: Duration, keep_alive: &'static str) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::spawn(async move {
            let mut buffer = [0; 4096];
            while let Ok(Ok(1..)) = timeout(idle, stream.read(&mut buffer)).await {
                let answer = format!("HTTP/1.1 200 OK\r\n{keep_alive}Content-Length: 2\r\n\r\nok");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
    }
}

#[tokio::test]
async fn no_request_meets_the_end_of_a_connection_that_the_application_announces_or_that_is_usual() {
    for (idle, keep_alive) in [(2000, ""), (1000, "Connection: keep-alive\r\nKeep-Alive: timeout=1, max=100\r\n")] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (_binary, proxy) = Binary::with_upstream(listener.local_addr().unwrap().port(), &[]).await;
        let application = tokio::spawn(close_idle(listener, Duration::from_millis(idle), keep_alive));
        let clients = (0..40).map(|number| async move {
            // Some meet the very moment.
            let pause = Duration::from_millis(idle - 20 + number);
            let mut client = TcpStream::connect(proxy).await.unwrap();
            for _ in 0..2 {
                client.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi").await.unwrap();
                assert!(read_until(&mut client, b"\r\n\r\n").await.starts_with(b"HTTP/1.1 200"), "after {pause:?}");
                read_until(&mut client, b"ok").await;
                sleep(pause).await;
            }
        });
        futures_util::future::join_all(clients).await;
        application.abort();
    }
}

#[tokio::test]
async fn a_connection_that_has_closed_takes_no_request() {
    let application = Application::start().await;
    let mut client = TcpStream::connect(application.proxy).await.unwrap();
    for _ in 0..20 {
        client.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi").await.unwrap();
        let mut stream = application.accept().await;
        read_until(&mut stream, b"\r\n\r\nhi").await;
        stream.write_all(OK).await.unwrap();
        assert!(read_until(&mut client, b"\r\n\r\n").await.starts_with(b"HTTP/1.1 200"));
        read_until(&mut client, b"ok").await;
        // At once, as a worker does that has served its last request.
        drop(stream);
    }
}
