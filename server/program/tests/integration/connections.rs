//! The proxy's connections to the application: reuse, ends and retries.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use watchboard_test_support::{
    Binary,
    raw::{RawResponse, exchange, read_until},
};

const WITHIN: Duration = Duration::from_secs(20);
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const KEPT: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const CLOSED: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/// Takes a request from a connection of the binary.
async fn ask(application: &mut TcpStream, answer: &[u8]) {
    read_until(application, b"\r\n\r\n").await;
    application.write_all(answer).await.expect("it is taken");
}

/// The next connection that the binary makes.
async fn accept(listener: &TcpListener) -> TcpStream {
    timeout(WITHIN, listener.accept()).await.expect("in time").expect("a connection").0
}

/// A client whose first request has been answered, and the connection of the binary on which that was.
async fn answered(proxy: SocketAddr, listener: &TcpListener) -> (TcpStream, TcpStream) {
    let mut client = TcpStream::connect(proxy).await.unwrap();
    client.write_all(KEPT).await.unwrap();
    let mut application = accept(listener).await;
    ask(&mut application, ANSWER).await;
    read_until(&mut client, b"\r\n\r\nok").await;
    (client, application)
}

async fn has_ended(stream: &mut TcpStream) {
    assert_eq!(timeout(WITHIN, stream.read(&mut [0; 8])).await.expect("it is closed").expect("no error"), 0);
}

#[tokio::test]
async fn a_connection_is_used_again_until_the_application_closes_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (_binary, proxy) = Binary::with_upstream(listener.local_addr().unwrap().port(), &[]).await;
    // One connection of one client: all its requests are of one thread of the binary.
    let (mut client, mut application) = answered(proxy, &listener).await;
    let trailed =
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 42\r\n\r\n";
    for answer in [ANSWER, trailed, ANSWER] {
        client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n").await.unwrap();
        ask(&mut application, answer).await;
        read_until(&mut client, &answer[answer.len() - 6..]).await;
    }
    // While it is idle.
    application.shutdown().await.unwrap();
    has_ended(&mut application).await;
    let body = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\nbody";
    client.write_all(body).await.unwrap();
    let mut application = accept(&listener).await;
    ask(&mut application, b"HTTP/1.1 100 Continue\r\n\r\n").await;
    read_until(&mut application, b"body").await;
    application.write_all(ANSWER).await.unwrap();
    read_until(&mut client, b"\r\n\r\nok").await;
}

#[tokio::test]
async fn a_request_that_may_be_made_twice_is_where_its_connection_is_closed_instead_of_an_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (binary, proxy) = Binary::with_upstream(listener.local_addr().unwrap().port(), &[]).await;
    let (mut client, mut application) = answered(proxy, &listener).await;
    client.write_all(b"GET /again HTTP/1.1\r\nHost: a\r\nX-ODD-Case: Kept\r\n\r\n").await.unwrap();
    // Names of headers are the same in any case (RFC 9110, 5.1).
    let head = async |application: &mut TcpStream| {
        let head = String::from_utf8(read_until(application, b"\r\n\r\n").await).unwrap();
        let mut lines: Vec<_> = head.lines().map(str::to_ascii_lowercase).collect();
        lines.sort();
        lines
    };
    let first = head(&mut application).await;
    drop(application);
    let mut application = accept(&listener).await;
    assert_eq!(head(&mut application).await, first);
    application.write_all(ANSWER).await.unwrap();
    read_until(&mut client, b"\r\n\r\nok").await;

    // A new connection that is closed tells that the application does so by intent.
    client.write_all(KEPT).await.unwrap();
    read_until(&mut application, b"\r\n\r\n").await;
    drop(application);
    read_until(&mut accept(&listener).await, b"\r\n\r\n").await;
    assert!(read_until(&mut client, b"\r\n\r\n").await.starts_with(b"HTTP/1.1 502"));

    // An order might be placed twice.
    let (mut client, mut application) = answered(proxy, &listener).await;
    client.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    read_until(&mut application, b"\r\n\r\n").await;
    drop(application);
    assert!(read_until(&mut client, b"\r\n\r\n").await.starts_with(b"HTTP/1.1 502"));
    let closed = |health: &Value| health["application"]["error_count"] == 2;
    binary.client.wait_for_json("/health", WITHIN, closed).await;
}

#[tokio::test]
async fn a_connection_on_which_the_application_failed_is_not_used_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (_binary, proxy) = Binary::with_upstream(listener.local_addr().unwrap().port(), &[]).await;
    let (mut client, mut application) = answered(proxy, &listener).await;
    client.write_all(KEPT).await.unwrap();
    ask(&mut application, b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\nno").await;
    read_until(&mut client, b"\r\n\r\nno").await;
    client.write_all(KEPT).await.unwrap();
    ask(&mut accept(&listener).await, ANSWER).await;
    read_until(&mut client, b"\r\n\r\nok").await;
    has_ended(&mut application).await;
}

#[tokio::test]
async fn an_application_that_writes_head_and_body_apart_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (_binary, proxy) = Binary::with_upstream(listener.local_addr().unwrap().port(), &[]).await;
    let (mut client, mut application) = answered(proxy, &listener).await;
    // The system then sends nothing small before what was sent has been acknowledged, which it may be 40 ms later.
    application.set_nodelay(false).unwrap();
    let (head, body) = ANSWER.split_at(ANSWER.len() - 2);
    let mut times = vec![];
    for _ in 0..21 {
        let sent_at = Instant::now();
        client.write_all(KEPT).await.unwrap();
        ask(&mut application, head).await;
        application.write_all(body).await.unwrap();
        read_until(&mut client, b"\r\n\r\nok").await;
        times.push(sent_at.elapsed());
    }
    times.sort();
    assert!(times[10] < Duration::from_millis(30), "{times:?}");
}

#[tokio::test]
async fn a_connection_that_nobody_needs_is_closed_before_the_application_would() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (_binary, proxy) = Binary::with_upstream(listener.local_addr().unwrap().port(), &[]).await;
    let (_client, mut application) = answered(proxy, &listener).await;
    let idle = Instant::now();
    has_ended(&mut application).await;
    let idle = idle.elapsed();
    assert!((Duration::from_secs(2)..Duration::from_secs(5)).contains(&idle), "after {idle:?}");
}

#[tokio::test]
async fn a_signal_to_stop_ends_what_is_idle_and_lets_a_request_under_way_finish() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (mut binary, proxy) = Binary::with_upstream(listener.local_addr().unwrap().port(), &[]).await;
    let (mut idle, first) = answered(proxy, &listener).await;
    let mut busy = TcpStream::connect(proxy).await.unwrap();
    busy.write_all(KEPT).await.unwrap();
    // On whichever connection: the two clients may be of different threads of the binary.
    let mut byte = [0];
    let mut application = tokio::select! {
        _ = first.peek(&mut byte) => first,
        other = accept(&listener) => other,
    };
    read_until(&mut application, b"\r\n\r\n").await;
    binary.signal("TERM").await;
    has_ended(&mut idle).await;
    application.write_all(ANSWER).await.unwrap();
    read_until(&mut busy, b"\r\n\r\nok").await;
    // Much sooner than it waits for what does not finish.
    let status = timeout(Duration::from_secs(5), binary.wait_for_exit()).await.expect("it stops");
    assert_eq!(status.code(), Some(0));
}

#[tokio::test]
async fn an_answer_that_is_no_answer_is_told_with_its_reason() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (binary, proxy) = Binary::with_upstream(listener.local_addr().unwrap().port(), &[]).await;
    // An application that has never answered would be asked what it speaks. Its connection ends, or the next request would take it.
    drop(answered(proxy, &listener).await);
    let many = format!("HTTP/1.1 200 OK\r\n{}Content-Length: 0\r\n\r\n", "X-Many: 1\r\n".repeat(2000));
    for (answer, cause, sentence) in [
        (many.as_str(), "2000 fields", "The head of the application's answer is too large"),
        ("SSH-2.0-OpenSSH_9.2\r\n\r\n", "is not HTTP/1.1", "not to be understood"),
    ] {
        let (response, ()) = tokio::join!(exchange(proxy, CLOSED), async {
            ask(&mut accept(&listener).await, answer.as_bytes()).await;
        });
        let response = RawResponse::parse(&response);
        assert_eq!(response.code(), 502);
        assert!(String::from_utf8_lossy(&response.body).contains(sentence), "{sentence}");
        let caused = |health: &Value| health["application"]["recent_errors"].to_string().contains(cause);
        binary.client.wait_for_json("/health", WITHIN, caused).await;
    }
}
