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

#[tokio::test]
async fn targets_pass_as_they_are() {
    let application = Application::start().await;
    for (target, seen) in [
        (&b"/a#b"[..], &b"/a#b"[..]),
        (b"/#", b"/#"),
        (b"/a?b=<c>&d=\"e\"&f=`g`|{h}^\\", b"/a?b=<c>&d=\"e\"&f=`g`|{h}^\\"),
        (b"/<a>/`b`", b"/<a>/`b`"),
        (b"/caf\xe9?\xff=\xfe", b"/caf\xe9?\xff=\xfe"),
        ("/caf\u{e9}".as_bytes(), "/caf\u{e9}".as_bytes()),
        (b"//a/../b/./c?", b"//a/../b/./c?"),
        (b"/a??b=%zz&c=%00", b"/a??b=%zz&c=%00"),
        (b"http://other.example/a#b", b"/a#b"),
    ] {
        let line = |target: &[u8]| [b"GET ", target, b" HTTP/1.1\r\n"].concat();
        let request = [&line(target)[..], b"Host: a\r\nConnection: close\r\n\r\n"].concat();
        let (got, answer) = application.exchange(&request, b"\r\n\r\n", OK).await;
        assert!(got.starts_with(&line(seen)), "{}, not {}", text(&got), text(target));
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", text(&answer));
    }
    // The longest that has room in a head.
    let long = format!("GET /{} HTTP/1.1\r\n", "a#".repeat(30_000));
    let request = format!("{long}Host: a\r\nConnection: close\r\n\r\n");
    let (got, _) = application.exchange(request.as_bytes(), b"\r\n\r\n", OK).await;
    assert!(text(&got).starts_with(&long));
}

#[tokio::test]
async fn pipelined_requests_keep_their_targets_and_their_bodies() {
    let application = Application::start().await;
    let mut client = TcpStream::connect(application.proxy).await.unwrap();
    let requests = [
        "GET /1#a HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\nGET /#b HTTP/1.1\r\n\r\n",
        "POST /3#c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "GET /4<d> HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /5 HTTP/1.1\r\nHost: a\r\n\r\n",
    ];
    client.write_all(requests.concat().as_bytes()).await.unwrap();
    let mut stream = application.accept().await;
    for request in requests {
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let seen = text(&read_until(&mut stream, b"\r\n\r\n").await);
        assert!(seen.starts_with(head.lines().next().unwrap()), "{seen}");
        read_until(&mut stream, body.as_bytes()).await;
        stream.write_all(OK).await.unwrap();
        read_until(&mut client, b"\r\n\r\nok").await;
    }
}

#[tokio::test]
async fn a_head_in_pieces_is_a_head() {
    let application = Application::start().await;
    let mut client = TcpStream::connect(application.proxy).await.unwrap();
    for _ in 0..2 {
        for byte in b"\r\nPOST /a#b HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi" {
            client.write_all(&[*byte]).await.unwrap();
            tokio::task::yield_now().await;
        }
        let mut stream = application.accept().await;
        assert!(read_until(&mut stream, b"\r\n\r\nhi").await.starts_with(b"POST /a#b HTTP/1.1\r\n"));
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok").await.unwrap();
        read_until(&mut client, b"ok").await;
    }
}

#[tokio::test]
async fn interim_responses_pass_as_they_are() {
    let application = Application::start().await;
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nX-ODD: 1\r\n\r\n";
    let others = "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 199 \r\n\r\n";
    let ok = text(OK);
    let mut client = TcpStream::connect(application.proxy).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut stream = application.accept().await;
    read_until(&mut stream, b"\r\n\r\n").await;
    // Early, and in pieces.
    stream.write_all(&hints.as_bytes()[..20]).await.unwrap();
    sleep(Duration::from_millis(50)).await;
    stream.write_all(&hints.as_bytes()[20..]).await.unwrap();
    assert_eq!(text(&read_until(&mut client, b"\r\n\r\n").await), hints);
    // And with the response in one piece.
    stream.write_all(format!("{others}{ok}").as_bytes()).await.unwrap();
    assert_eq!(text(&read_until(&mut client, b"ok").await), format!("{others}{ok}"));
    drop((stream, client));
    // An older client knows none.
    let answer = format!("{hints}{ok}");
    let (_, got) = application.exchange(b"GET / HTTP/1.0\r\n\r\n", b"\r\n\r\n", answer.as_bytes()).await;
    assert!(text(&got).starts_with("HTTP/1.0 200 OK"), "{}", text(&got));
    // While the client waits for the application to ask for its body.
    let mut client = TcpStream::connect(application.proxy).await.unwrap();
    client.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n").await.unwrap();
    let mut stream = application.accept().await;
    read_until(&mut stream, b"\r\n\r\n").await;
    stream.write_all(hints.as_bytes()).await.unwrap();
    assert_eq!(text(&read_until(&mut client, b"\r\n\r\n").await), hints);
    stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
    assert_eq!(text(&read_until(&mut client, b"\r\n\r\n").await), "HTTP/1.1 100 Continue\r\n\r\n");
    client.write_all(b"hi").await.unwrap();
    read_until(&mut stream, b"hi").await;
    stream.write_all(OK).await.unwrap();
    assert_eq!(text(&read_until(&mut client, b"ok").await), ok);
}

#[tokio::test]
async fn trailers_pass_without_being_announced() {
    let application = Application::start().await;
    let request = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nhi\r\n0\r\nx-sum: 42\r\nx-forwarded-for: evil\r\nhost: evil\r\n\r\n";
    let answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-sum: 1\r\nx-sum: 2\r\n\r\n";
    for _ in 0..2 {
        let (seen, got) = application.exchange(request, b"0\r\nx-sum: 42\r\n\r\n", answer).await;
        assert!(text(&seen).ends_with("2\r\nhi\r\n0\r\nx-sum: 42\r\n\r\n"), "{}", text(&seen));
        assert!(text(&got).ends_with("2\r\nok\r\n0\r\nx-sum: 1\r\nx-sum: 2\r\n\r\n"), "{}", text(&got));
    }
    let (_, got) = application.exchange(b"GET / HTTP/1.0\r\n\r\n", b"\r\n\r\n", answer).await;
    assert!(text(&got).ends_with("\r\n\r\nok"), "{}", text(&got));
}

#[tokio::test]
async fn a_client_that_closes_its_side_gets_its_answer() {
    let application = Application::start().await;
    for request in [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    ] {
        let mut client = TcpStream::connect(application.proxy).await.unwrap();
        client.write_all(request.as_bytes()).await.unwrap();
        client.shutdown().await.unwrap();
        let mut stream = application.accept().await;
        // The application hears of it as it would without the proxy.
        let mut seen = vec![];
        timeout(WITHIN, stream.read_to_end(&mut seen)).await.expect("it ends").unwrap();
        assert!(text(&seen).ends_with(request.rsplit("\r\n\r\n").next().unwrap()), "{}", text(&seen));
        sleep(Duration::from_millis(200)).await;
        let large = "x".repeat(1 << 20);
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{large}", large.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
        let mut got = vec![];
        timeout(WITHIN, client.read_to_end(&mut got)).await.expect("it ends").unwrap();
        assert!(text(&got).ends_with(&large), "{request}: {} bytes", got.len());
    }
    // Two at once, and then its end.
    let mut client = TcpStream::connect(application.proxy).await.unwrap();
    client.write_all("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2).as_bytes()).await.unwrap();
    client.shutdown().await.unwrap();
    let mut stream = application.accept().await;
    for _ in 0..2 {
        read_until(&mut stream, b"\r\n\r\n").await;
        stream.write_all(OK).await.unwrap();
    }
    let mut got = vec![];
    timeout(WITHIN, client.read_to_end(&mut got)).await.expect("it ends").unwrap();
    assert_eq!(text(&got).matches("HTTP/1.1 200").count(), 2);
    let all = |health: &serde_json::Value| health["application"]["status_codes"]["200"] == 6;
    let health = application.binary.client.wait_for_json("/health", WITHIN, all).await;
    assert_eq!(health["application"]["dropped_count"], 0, "{health:#}");
}

#[tokio::test]
async fn a_client_that_leaves_is_dropped_and_no_error_of_the_application() {
    let application = Application::start().await;
    let mut client = TcpStream::connect(application.proxy).await.unwrap();
    client.write_all(GET.as_bytes()).await.unwrap();
    let mut stream = application.accept().await;
    read_until(&mut stream, b"\r\n\r\n").await;
    drop(client);
    assert_eq!(timeout(WITHIN, stream.read(&mut [0; 8])).await.expect("it hears of it").unwrap(), 0);
    drop(stream);
    let dropped = |health: &serde_json::Value| health["application"]["dropped_count"] == 1;
    let health = application.binary.client.wait_for_json("/health", WITHIN, dropped).await;
    assert_eq!(health["application"]["error_count"], 0, "{health:#}");
}
