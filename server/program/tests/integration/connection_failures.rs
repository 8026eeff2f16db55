//! Why a connection to the application failed is logged once for each reason, and is in the finding.

use std::time::Duration;

use serde_json::Value;
use watchboard_test_support::{
    Binary, Node, free_port,
    raw::{RawResponse, exchange},
};

const WITHIN: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_failure_of_the_application_is_logged_once_and_found() {
    let port = free_port();
    let (binary, proxy) = Binary::with_upstream(port, &[]).await;
    let ask = async |code| {
        let answer = exchange(proxy, b"GET /several HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
        assert_eq!(RawResponse::parse(&answer).code(), code);
    };
    for _ in 0..30 {
        ask(502).await;
    }
    let is_found = |health: &Value| health["reasons"].to_string().contains("server error: the application refused");
    binary.client.wait_for_json("/health", WITHIN, is_found).await;
    let lines = binary.log_lines("refused connections");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("Connection refused (os error 111)"), "{lines:?}");

    let _node = Node::start_at(port).await;
    ask(200).await;
    binary.wait_for_log("takes connections again").await;
    assert_eq!(binary.log_lines("os error").len(), 1);
}

#[tokio::test]
async fn a_name_that_cannot_be_resolved_is_logged_as_that() {
    let arguments = ["--upstream", "http://nowhere.invalid:80", "--proxy-listen", "127.0.0.1:0"];
    let binary = Binary::start(&arguments).await;
    let proxy = binary.proxy.expect("it stands in front");
    exchange(proxy, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    let line = "the name of the application's host cannot be resolved";
    binary.wait_for_log(line).await;
    assert!(binary.log_lines(line).len() == 1, "{:?}", binary.log_lines("WARN"));
}
