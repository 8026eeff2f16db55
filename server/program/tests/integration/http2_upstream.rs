//! An application of HTTP/2 that ends its connections, or refuses requests: what it has certainly not processed is sent again.

use std::time::Duration;

use bytes::Bytes;
use h2::{Reason, server};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinSet, time::timeout};
use watchboard_test_support::{
    Binary, Nginx,
    raw::{RawResponse, exchange},
};

const WITHIN: Duration = Duration::from_secs(20);

fn post(body: &str) -> String {
    format!("POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

async fn in_front_of(port: u16) -> Binary {
    Binary::start(&["--upstream", &format!("h2c://127.0.0.1:{port}"), "--proxy-listen", "127.0.0.1:0"]).await
}

/// Takes connections. Each refuses its first request, as `refuse` does it, and answers the second with its body.
async fn refuse_each_first(listener: TcpListener, refusals: usize) {
    let mut left = refusals;
    loop {
        let stream = listener.accept().await.expect("a connection").0;
        let mut connection = server::handshake(stream).await.expect("HTTP/2");
        while let Some(Ok((mut request, mut respond))) = connection.accept().await {
            if left > 0 {
                left -= 1;
                // It has read a part of the body, or none.
                respond.send_reset(Reason::REFUSED_STREAM);
                continue;
            }
            tokio::spawn(async move {
                let mut body = vec![];
                while let Some(Ok(part)) = request.body_mut().data().await {
                    let _ = request.body_mut().flow_control().release_capacity(part.len());
                    body.extend_from_slice(&part);
                }
                let mut sent = respond.send_response(http::Response::new(()), false).expect("it is taken");
                sent.send_data(Bytes::from(body), true).expect("it is taken");
            });
        }
    }
}

#[tokio::test]
async fn a_request_that_the_application_refuses_is_sent_again_with_its_body() {
    for (refusals, length, code) in [(1, 0, 200), (2, 5_000, 200), (1, 60_000, 200), (9, 5, 502)] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let binary = in_front_of(listener.local_addr().unwrap().port()).await;
        let application = tokio::spawn(refuse_each_first(listener, refusals));
        let body = "x".repeat(length);
        let answer = exchange(binary.proxy.expect("it stands in front"), post(&body).as_bytes()).await;
        let response = RawResponse::parse(&answer);
        assert_eq!(response.code(), code, "{refusals} refusals of {length} bytes");
        if code == 200 {
            assert_eq!(response.body, body.as_bytes());
        }
        application.abort();
    }
}

#[tokio::test]
async fn orders_meet_connections_that_nginx_ends() {
    let nginx = Nginx::start_http_2("keepalive_requests 10; location / { return 200 $request_method; }").await;
    let binary = in_front_of(nginx.address.port()).await;
    let proxy = binary.proxy.expect("it stands in front");
    let mut clients = JoinSet::new();
    for _ in 0..10 {
        clients.spawn(async move {
            for _ in 0..20 {
                let answer = RawResponse::parse(&exchange(proxy, post("book").as_bytes()).await);
                assert_eq!((answer.code(), answer.body.as_slice()), (200, &b"POST"[..]));
            }
        });
    }
    while let Some(client) = timeout(WITHIN, clients.join_next()).await.expect("in time") {
        client.expect("all are answered");
    }
    let all = |health: &Value| health["application"]["status_codes"]["200"] == 200;
    binary.client.wait_for_json("/health", WITHIN, all).await;
}
