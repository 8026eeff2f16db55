//! The proxy in front of an application is transparent to both sides.

use std::{net::SocketAddr, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use watchboard_test_support::{
    Binary, Node, free_port,
    raw::{RawResponse, exchange, read_until},
};

const WITHIN: Duration = Duration::from_secs(20);

fn request(line: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("{line} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n{headers}\r\n{body}").into_bytes()
}

async fn get(address: SocketAddr, target: &str, headers: &str) -> RawResponse {
    RawResponse::parse(&exchange(address, &request(&format!("GET {target}"), headers, "")).await)
}

#[tokio::test]
async fn answers_are_what_they_are_without_it() {
    let node = Node::start().await;
    let (binary, proxy) = Binary::with_upstream(node.port, &[]).await;
    let own = SocketAddr::from(([127, 0, 0, 1], node.port));
    for (line, headers, body) in [
        ("GET /several", "", ""),
        ("HEAD /several", "", ""),
        ("GET /chunks", "", ""),
        ("GET /trailers", "TE: trailers\r\n", ""),
        ("GET /empty", "", ""),
        ("GET /unchanged", "If-None-Match: \"7\"\r\n", ""),
        ("GET /old", "", ""),
        ("GET /nowhere?q=%C3%A9&r=a%2Fb", "", ""),
        ("POST /echo?a=1&a=2", "Content-Length: 11\r\n", "hello there"),
        ("PUT /echo", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n6\r\n there\r\n0\r\n\r\n"),
        ("POST /echo", "Content-Length: 0\r\n", ""),
        ("GET /echo", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"),
        ("GET /echo", "Content-Length: 5\r\n", "hello"),
        ("DELETE /echo", "", ""),
        ("BREW /echo", "", ""),
        ("OPTIONS *", "", ""),
        ("POST /trailed", "Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n", "2\r\nok\r\n0\r\nX-Sum: 42\r\n\r\n"),
        ("GET http://other.example/echo", "", ""),
    ] {
        let bytes = request(line, headers, body);
        let [there, here] = [exchange(own, &bytes).await, exchange(proxy, &bytes).await];
        let [there, here] = [there, here].map(|bytes| RawResponse::parse(&bytes).end_to_end());
        let there = match line {
            // The target that the application sees has no host in it any more: that is in the Host header.
            "GET http://other.example/echo" => RawResponse {
                headers: there.headers.iter().map(|line| line.replace("http://other.example", "")).collect(),
                ..there
            },
            _ => there,
        };
        assert_eq!(here, there, "{line}");
    }
    let recorded = |health: &Value| health["application"]["total_requests"] == 18;
    let health = binary.client.wait_for_json("/health", WITHIN, recorded).await;
    assert_eq!(health["application"]["dropped_count"], 0, "each answer was taken to its end");
}

#[tokio::test]
async fn the_application_sees_the_request_as_it_came_and_who_sent_it() {
    let node = Node::start().await;
    let lies = "X-ODD-Case: Kept\r\nX-Forwarded-For: 10.0.0.9\r\nForwarded: for=10.0.0.9\r\nX-Forwarded-Proto: https\r\n\
                X-Forwarded-Host: evil.example\r\nConnection: x-hop\r\nX-Hop: ends here\r\nKeep-Alive: timeout=9\r\n\
                Proxy-Connection: close\r\nTE: gzip\r\nX-Real-IP: 10.0.0.9\r\nX-Forwarded-Prefix: /evil\r\n\
                X_Real_IP: 10.0.0.8\r\nX_Forwarded_For: 10.0.0.8\r\nX-Forwarded_User: admin\r\nX_Forward: mine\r\n\
                Cookie: a=1; watchboard_session=0123; watchboard_session_of=b; b=2\r\n";
    let seen = |answer: RawResponse| -> Vec<(String, String)> {
        let list: Vec<String> = serde_json::from_slice(&answer.body).expect("JSON");
        list.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
    };
    let (_binary, proxy) = Binary::with_upstream(node.port, &[]).await;
    let headers = seen(get(proxy, "/headers", lies).await);
    let one = |name: &str| {
        let values: Vec<&str> = headers
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect();
        values.join(" | ")
    };
    assert_eq!(one("host"), "shop.example");
    assert!(headers.contains(&("X-ODD-Case".to_owned(), "Kept".to_owned())), "{headers:?}");
    assert_eq!((one("x-forwarded-for"), one("x-forwarded-proto")), ("127.0.0.1".to_owned(), "http".to_owned()));
    assert_eq!((one("forwarded"), one("x-forwarded-host")), ("for=127.0.0.1;proto=http".into(), "shop.example".into()));
    assert!(one("via").is_empty() && one("cdn-loop").starts_with("watchboard-"));
    for ended in ["x-hop", "keep-alive", "proxy-connection", "te", "upgrade", "x-real-ip", "x-forwarded-prefix"] {
        assert_eq!(one(ended), "", "{ended}");
    }
    assert_eq!(one("cookie"), "a=1; watchboard_session_of=b; b=2", "the board's sessions are its own");

    let (_binary, proxy) = Binary::with_upstream(node.port, &["--trusted-proxy", "127.0.0.0/8"]).await;
    let headers = seen(get(proxy, "/headers", lies).await);
    let find = |name: &str| {
        headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    };
    assert_eq!(find("x-forwarded-for"), Some("10.0.0.9, 127.0.0.1"));
    assert_eq!(find("forwarded"), Some("for=10.0.0.9, for=127.0.0.1;proto=http"));
    assert_eq!((find("x-forwarded-proto"), find("x-forwarded-host")), (Some("https"), Some("evil.example")));
    assert_eq!((find("x-real-ip"), find("x-forwarded-prefix")), (Some("10.0.0.9"), Some("/evil")));
    // Most proxies know one kind of these headers: another, begun here, would tell of that proxy alone.
    let headers = seen(get(proxy, "/headers", "X-Forwarded-For: 10.0.0.9\r\nX-Forwarded-Proto: https\r\n").await);
    assert!(headers.iter().all(|(name, _)| !name.eq_ignore_ascii_case("forwarded")), "{headers:?}");
}

#[tokio::test]
async fn a_body_is_sent_when_the_application_asks_for_it_and_not_before() {
    let node = Node::start().await;
    let (_binary, proxy) = Binary::with_upstream(node.port, &[]).await;
    let head = |path: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\nConnection: close\r\n\r\n"
        )
    };
    let mut stream = TcpStream::connect(proxy).await.unwrap();
    stream.write_all(head("/echo").as_bytes()).await.unwrap();
    assert_eq!(read_until(&mut stream, b"\r\n\r\n").await, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"hello").await.unwrap();
    let mut rest = vec![];
    stream.read_to_end(&mut rest).await.unwrap();
    assert_eq!(RawResponse::parse(&rest).body, b"hello");

    let mut stream = TcpStream::connect(proxy).await.unwrap();
    stream.write_all(head("/refuse").as_bytes()).await.unwrap();
    let mut rest = vec![];
    stream.read_to_end(&mut rest).await.unwrap();
    assert_eq!(RawResponse::parse(&rest).code(), 417, "refused without a word about the body");
}

#[tokio::test]
async fn an_upgraded_connection_carries_what_both_sides_say() {
    let node = Node::start().await;
    let (_binary, proxy) = Binary::with_upstream(node.port, &[]).await;
    let mut stream = TcpStream::connect(proxy).await.unwrap();
    stream.write_all(b"GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n").await.unwrap();
    let head = String::from_utf8(read_until(&mut stream, b"\r\n\r\n").await).unwrap().to_ascii_lowercase();
    assert!(
        head.starts_with("http/1.1 101") && head.contains("upgrade: echo") && head.contains("connection: upgrade"),
        "{head}"
    );
    for word in ["one\n", "\0\u{1}two\n"] {
        stream.write_all(word.as_bytes()).await.unwrap();
        assert_eq!(read_until(&mut stream, b"\n").await, word.as_bytes());
    }
    stream.shutdown().await.unwrap();
    assert_eq!(timeout(WITHIN, stream.read_u8()).await.expect("it ends").ok(), None);
}

#[tokio::test]
async fn events_come_one_by_one_and_end_with_their_listener() {
    let mut node = Node::start().await;
    let (_binary, proxy) = Binary::with_upstream(node.port, &[]).await;
    let mut stream = TcpStream::connect(proxy).await.unwrap();
    stream.write_all(b"GET /events HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    for number in 0..3 {
        read_until(&mut stream, format!("data: {number}\n\n").as_bytes()).await;
    }
    drop(stream);
    node.wait_for_log("events closed").await;
}

#[tokio::test]
async fn without_an_answer_clients_and_the_board_are_told_why() {
    let port = free_port();
    let (binary, proxy) = Binary::with_upstream(port, &["--upstream-timeout", "1"]).await;
    let refused = get(proxy, "/orders/7", "Accept: text/html\r\n").await;
    assert_eq!((refused.code(), refused.header("content-type")), (502, Some("text/html; charset=utf-8")));
    assert!(String::from_utf8_lossy(&refused.body).contains("The application is not running"));

    let node = Node::start_at(port).await;
    assert_eq!(get(proxy, "/several", "").await.code(), 200, "it has come up");
    assert_eq!(get(proxy, "/gone", "").await.code(), 502);
    assert_eq!(get(proxy, "/never", "").await.code(), 504);
    let broken = exchange(proxy, &request("GET /broken", "", "")).await;
    assert!(broken.ends_with(b"half"), "it breaks off where the application does");
    node.kill().await;
    assert_eq!(get(proxy, "/several", "").await.code(), 502);
    let _node = Node::start_at(port).await;
    assert_eq!(get(proxy, "/several", "").await.code(), 200, "and again");

    let has_all = |health: &Value| {
        let errors = health["application"]["recent_errors"].to_string();
        ["refused connections", "closed the connection before it answered", "did not begin to answer in time"]
            .iter()
            .all(|cause| errors.contains(cause))
    };
    let health = binary.client.wait_for_json("/health", WITHIN, has_all).await;
    // Only what the application itself has answered makes rows of paths.
    let endpoints = health["application"]["endpoints"].as_object().expect("rows");
    let names: Vec<&str> = endpoints.keys().map(String::as_str).collect();
    assert_eq!(names, ["(unmatched)", "GET /broken", "GET /several"]);
}

#[tokio::test]
async fn an_upload_that_is_refused_early_is_told_so() {
    let node = Node::start().await;
    let (_binary, proxy) = Binary::with_upstream(node.port, &[]).await;
    let mut stream = TcpStream::connect(proxy).await.unwrap();
    stream.write_all(b"POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\nsome").await.unwrap();
    let head = read_until(&mut stream, b"\r\n\r\n").await;
    assert!(head.starts_with(b"HTTP/1.1 413"), "{}", String::from_utf8_lossy(&head));
}

#[tokio::test]
async fn a_request_that_comes_round_is_stopped() {
    let port = free_port();
    let (_first, proxy) = Binary::with_upstream(port, &[]).await;
    let (upstream, listen) = (format!("http://{proxy}"), format!("127.0.0.1:{port}"));
    let _second = Binary::start(&["--upstream", &upstream, "--proxy-listen", &listen]).await;
    assert_eq!(get(proxy, "/", "").await.code(), 508);
}

#[tokio::test]
async fn rows_are_named_by_what_was_given_documented_or_inferred() {
    let node = Node::start().await;
    let document = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(document.path(), r#"{"openapi": "3.1.0", "paths": {"/echo/{kind}": {"get": {}}}}"#).unwrap();
    let openapi = document.path().to_str().unwrap();
    let more = ["--route", "/several/{given}", "--openapi", openapi];
    let (binary, proxy) = Binary::with_upstream(node.port, &more).await;
    // The document is read beside the first requests.
    let named = async {
        loop {
            get(proxy, "/echo/this", "").await;
            let health = binary.client.json("/health").await;
            if health["application"]["endpoints"].get("GET /echo/{kind}").is_some() {
                return;
            }
        }
    };
    timeout(WITHIN, named).await.expect("it is read");
    for path in ["/several/a", "/several/b", "/bytes?count=1", "/chunks", "/wp-login.php", "/.env"] {
        get(proxy, path, "").await;
    }
    let rows = |health: &Value| -> Vec<String> {
        health["application"]["endpoints"].as_object().expect("rows").keys().cloned().collect()
    };
    let expected = ["(unmatched)", "GET /bytes", "GET /chunks", "GET /echo/{kind}", "GET /several/{given}"];
    binary.client.wait_for_json("/health", WITHIN, |health| rows(health) == expected).await;
    let page = |name: &'static str| {
        let client = binary.client.clone();
        async move {
            String::from_utf8(client.send("GET", &format!("/?view=requests&endpoint={name}")).await.1.to_vec()).unwrap()
        }
    };
    assert!(page("GET%20/several/%7Bgiven%7D").await.contains("a given template"));
    assert!(page("GET%20/echo/%7Bkind%7D").await.contains("the OpenAPI document"));
    let inferred = page("GET%20/chunks").await;
    assert!(inferred.contains("the looks of its paths") && inferred.contains("Upstream connections"));
}
