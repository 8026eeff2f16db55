//! Ambiguous requests, as used for request smuggling: the proxy refuses them, or sends them on with one meaning. RFC 9110 and 9112 demand one
//! treatment for each case. The cases are from public test suites for HTTP/1.1 servers and for smuggling.

use std::{net::SocketAddr, time::Duration};

use tokio::time::timeout;
use watchboard_test_support::{
    Binary, Node,
    raw::{RawResponse, exchange},
};

const REFUSED_WITHIN: Duration = Duration::from_secs(5);

/// A head whose lines end as they should, before it what a client begins with.
fn head(lines: &[&str]) -> Vec<u8> {
    format!("{}\r\n\r\n", lines.join("\r\n")).into_bytes()
}

/// Behind a head with a chunked body.
fn chunked(body: &str) -> Vec<u8> {
    [&head(&["POST /hash HTTP/1.1", "Host: a", "Transfer-Encoding: chunked"])[..], body.as_bytes()].concat()
}

/// What would be a second request to whoever read the first one otherwise.
const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

/// Each with its name. The answer to all of them is a 400, or the end of the connection.
fn refused() -> Vec<(String, Vec<u8>)> {
    let mut cases: Vec<(String, Vec<u8>)> = vec![];
    let mut add = |name: &str, bytes: Vec<u8>| cases.push((name.to_owned(), bytes));
    for (name, lines) in [
        ("a space before the colon", &["GET /hash HTTP/1.1", "Host: a", "X-A : b"][..]),
        ("a folded line", &["GET /hash HTTP/1.1", "Host: a", "X-A: b", " c"]),
        ("no host", &["GET /hash HTTP/1.1"]),
        ("two hosts", &["GET /hash HTTP/1.1", "Host: a", "Host: b"]),
        ("the same host twice", &["GET /hash HTTP/1.1", "Host: a", "Host: a"]),
        ("a host with a user", &["GET /hash HTTP/1.1", "Host: ada@a"]),
        ("a host with a path", &["GET /hash HTTP/1.1", "Host: a/b"]),
        ("a host of nothing", &["GET /hash HTTP/1.1", "Host: "]),
        ("hosts in a list", &["GET /hash HTTP/1.1", "Host: a, b"]),
        ("a header without a name", &["GET /hash HTTP/1.1", "Host: a", ": b"]),
        ("brackets in a name", &["GET /hash HTTP/1.1", "Host: a", "X[]: b"]),
        ("a header without a colon", &["GET /hash HTTP/1.1", "Host: a", "X-A"]),
        ("a space before the headers", &["GET /hash HTTP/1.1", " Host: a"]),
        ("no target", &["GET HTTP/1.1", "Host: a"]),
        ("* for GET", &["GET * HTTP/1.1", "Host: a"]),
        ("half a version", &["GET /hash HTTP/1", "Host: a"]),
        ("a version with zeros", &["GET /hash HTTP/01.01", "Host: a"]),
        ("a version with a space", &["GET /hash HTTP/ 1.1", "Host: a"]),
        ("a version of its own", &["GET /hash HTTP/9.9", "Host: a"]),
        ("no version", &["GET /hash"]),
        ("a control character in a value", &["GET /hash HTTP/1.1", "Host: a", "X-A: b\x07c"]),
        ("NUL in a value", &["GET /hash HTTP/1.1", "Host: a", "X-A: b\0c"]),
        ("NUL in the target", &["GET /ha\0sh HTTP/1.1", "Host: a"]),
        ("a bare CR in a value", &["GET /hash HTTP/1.1", "Host: a", "X-A: b\rc"]),
        ("a coding below the chunks", &["POST /hash HTTP/1.1", "Host: a", "Transfer-Encoding: gzip, chunked"]),
        ("a user in the target", &["GET http://ada@a/hash HTTP/1.1", "Host: a"]),
        ("a target that is a host alone", &["GET a:80 HTTP/1.1", "Host: a"]),
        ("a host in the target alone", &["GET http://a/hash HTTP/1.1"]),
        ("chunked not last", &["POST /hash HTTP/1.1", "Host: a", "Transfer-Encoding: chunked, gzip"]),
        ("chunked in HTTP/1.0", &["POST /hash HTTP/1.0", "Host: a", "Transfer-Encoding: chunked"]),
        ("a coding of nothing", &["POST /hash HTTP/1.1", "Host: a", "Transfer-Encoding: "]),
        ("an unknown coding", &["POST /hash HTTP/1.1", "Host: a", "Transfer-Encoding: xchunked"]),
        ("identity", &["POST /hash HTTP/1.1", "Host: a", "Transfer-Encoding: identity", "Content-Length: 3"]),
        ("a vertical tab", &["POST /hash HTTP/1.1", "Host: a", "Transfer-Encoding: \x0bchunked"]),
        ("a form feed", &["POST /hash HTTP/1.1", "Host: a", "Transfer-Encoding: \x0cchunked"]),
        ("NUL in a coding", &["POST /hash HTTP/1.1", "Host: a", "Transfer-Encoding: chunked\0"]),
        ("a folded coding", &["POST /hash HTTP/1.1", "Host: a", "Transfer-Encoding:", " chunked"]),
        ("a coding with a space", &["POST /hash HTTP/1.1", "Host: a", "Transfer-Encoding : chunked"]),
        ("two lengths", &["POST /hash HTTP/1.1", "Host: a", "Content-Length: 5", "Content-Length: 3"]),
    ] {
        add(name, [&head(lines)[..], SMUGGLED.as_bytes()].concat());
    }
    for length in ["abc", "+5", "-5", "-0", "5, 3", "1_0", "0o5", "0x5", "1 0", "99999999999999999999999", ""] {
        let line = format!("Content-Length: {length}");
        add(&line, [&head(&["POST /hash HTTP/1.1", "Host: a", &line])[..], b"hello", SMUGGLED.as_bytes()].concat());
    }
    for body in [
        "0x5\r\nhello\r\n0\r\n\r\n",
        "5_0\r\nhello\r\n0\r\n\r\n",
        " 5\r\nhello\r\n0\r\n\r\n",
        "-5\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "5\r\nhello!!\r\n0\r\n\r\n",
        "5;a\rb\r\nhello\r\n0\r\n\r\n",
        "5\rhello\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
        "\r\nhello\r\n0\r\n\r\n",
    ] {
        add(&format!("the chunks {body:?}"), [&chunked(body)[..], SMUGGLED.as_bytes()].concat());
    }
    cases
}

struct Between {
    _binary: Binary,
    node: Node,
    proxy: SocketAddr,
    marks: u32,
}

impl Between {
    async fn start() -> Self {
        let node = Node::start().await;
        let (binary, proxy) = Binary::with_upstream(node.port, &[]).await;
        Self { _binary: binary, node, proxy, marks: 0 }
    }

    /// What the application is asked from now until a request of ours.
    async fn requests(&mut self) -> Vec<String> {
        self.marks += 1;
        let mark = format!("GET /mark/{}", self.marks);
        exchange(self.proxy, &head(&[&format!("{mark} HTTP/1.1"), "Host: a", "Connection: close"])).await;
        let mut requests = vec![];
        loop {
            let next = self.node.wait_for_log("asked ").await;
            if next == mark {
                return requests;
            }
            requests.push(next);
        }
    }
}

#[tokio::test]
async fn what_can_be_read_in_two_ways_is_refused() {
    let mut between = Between::start().await;
    let mut taken = vec![];
    for (name, bytes) in refused() {
        let answer = timeout(REFUSED_WITHIN, exchange(between.proxy, &bytes)).await;
        let answer = answer.unwrap_or_else(|_| b"HTTP/1.1 200 it stays open\r\n\r\n".to_vec());
        let refused = answer.is_empty() || [400, 501].contains(&RawResponse::parse(&answer).code());
        let requests = between.requests().await;
        // Of a body the application may have seen the beginning: that it is none shows later.
        let passed_on = requests.iter().any(|request| !name.starts_with("the chunks") || request != "POST /hash");
        if !refused || passed_on {
            taken.push(format!(
                "{name}: {}, the application was asked {requests:?}",
                String::from_utf8_lossy(&answer).lines().next().unwrap_or_default()
            ));
        }
    }
    assert_eq!(taken, Vec::<String>::new());
}

#[tokio::test]
async fn of_two_lengths_the_chunks_count_and_nothing_follows() {
    let mut between = Between::start().await;
    for lengths in
        [["Content-Length: 4", "Transfer-Encoding: chunked"], ["Transfer-Encoding: chunked", "Content-Length: 4"]]
    {
        let lines = [&["POST /hash HTTP/1.1", "Host: a"], &lengths[..]].concat();
        let bytes = [&head(&lines)[..], b"5\r\nhello\r\n0\r\n\r\n", SMUGGLED.as_bytes()].concat();
        let answer = RawResponse::parse(&exchange(between.proxy, &bytes).await);
        assert!(answer.code() == 400 || answer.body.starts_with(b"5 2cf24dba"), "{answer:?}");
        let requests = between.requests().await;
        assert!(requests.iter().all(|request| request == "POST /hash"), "{requests:?}");
    }
}

#[tokio::test]
async fn nobody_speaks_http_2_with_the_application_past_the_proxy() {
    let mut between = Between::start().await;
    let lines = [
        "POST /hash HTTP/1.1",
        "Host: a",
        "Connection: Upgrade, HTTP2-Settings, close",
        "Upgrade: h2c",
        "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
        "Content-Length: 5",
    ];
    let answer = RawResponse::parse(&exchange(between.proxy, &[&head(&lines)[..], b"hello"].concat()).await);
    assert!(answer.code() == 200 && answer.body.starts_with(b"5 2cf24dba"), "{answer:?}");
    assert_eq!(between.requests().await, ["POST /hash"]);
}

#[tokio::test]
async fn a_head_without_an_end_is_refused() {
    let mut between = Between::start().await;
    let long = format!("X-A: {}", "b".repeat(100_000));
    let many: Vec<String> = (0..2000).map(|number| format!("X-{number}: b")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for lines in [vec![long.as_str()], many] {
        let answer = RawResponse::parse(
            &exchange(between.proxy, &head(&[&["GET /hash HTTP/1.1", "Host: a"][..], &lines].concat())).await,
        );
        assert_eq!(answer.code(), 431);
    }
    assert_eq!(between.requests().await, Vec::<String>::new());
}
