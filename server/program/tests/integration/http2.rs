//! HTTP/2 to an application that speaks HTTP/1.1.

use axum::body::{Body, Bytes};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::{
    Request, Response, StatusCode,
    body::{Frame, Incoming},
    client::conn::http2::{SendRequest, handshake},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::net::TcpStream;
use watchboard_test_support::{Binary, Node};

/// A connection of HTTP/2 from its first byte on.
async fn connect(binary: &Binary) -> SendRequest<Body> {
    let stream = TcpStream::connect(binary.proxy.expect("it stands in front")).await.unwrap();
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

async fn body(response: Response<Incoming>) -> Bytes {
    response.into_body().collect().await.unwrap().to_bytes()
}

#[tokio::test]
async fn requests_go_on_as_http_1_and_many_at_once() {
    let node = Node::start().await;
    let (binary, _) = Binary::with_upstream(node.port, &[]).await;
    let mut sender = connect(&binary).await;
    let request = Request::get("http://shop.example/headers").header("cookie", "a=1").header("cookie", "b=2");
    let seen: Vec<String> =
        serde_json::from_slice(&body(sender.send_request(request.body(Body::empty()).unwrap()).await.unwrap()).await)
            .unwrap();
    let value = |name: &str| {
        let mut pairs = seen.chunks(2).filter(|pair| pair[0].eq_ignore_ascii_case(name));
        let value = pairs.next().map(|pair| pair[1].clone());
        assert!(pairs.next().is_none(), "{name} twice");
        value
    };
    assert_eq!(value("host").as_deref(), Some("shop.example"));
    assert_eq!(value("cookie").as_deref(), Some("a=1; b=2"));
    assert_eq!(value("transfer-encoding"), None, "it has no body");

    let many: Vec<_> = (0..50)
        .map(|number| {
            let mut sender = sender.clone();
            tokio::spawn(async move {
                let text = format!("body {number}");
                let request = Request::post("http://a/echo").body(Body::from(text.clone())).unwrap();
                assert_eq!(body(sender.send_request(request).await.unwrap()).await, text);
            })
        })
        .collect();
    for one in many {
        one.await.unwrap();
    }
    let rows = |health: &Value| health["application"]["endpoints"]["POST /echo"] == 50;
    binary.client.wait_for_json("/health", std::time::Duration::from_secs(20), rows).await;
}

#[tokio::test]
async fn trailers_go_both_ways() {
    let node = Node::start().await;
    let (binary, _) = Binary::with_upstream(node.port, &[]).await;
    let mut sender = connect(&binary).await;
    let request = Request::get("http://a/trailers").header("te", "trailers").body(Body::empty()).unwrap();
    let collected = sender.send_request(request).await.unwrap().into_body().collect().await.unwrap();
    assert_eq!(collected.trailers().and_then(|trailers| trailers.get("x-sum")).unwrap(), "42");

    let trailers = [(hyper::header::HeaderName::from_static("x-sum"), "7".parse().unwrap())].into_iter().collect();
    let frames = [Ok::<_, std::io::Error>(Frame::data(Bytes::from("ok"))), Ok(Frame::trailers(trailers))];
    let streamed = Body::new(StreamBody::new(futures_util::stream::iter(frames)));
    let request = Request::post("http://a/trailed").header("trailer", "x-sum").body(streamed).unwrap();
    assert_eq!(body(sender.send_request(request).await.unwrap()).await, r#"{"x-sum":"7"}"#);
}

#[tokio::test]
async fn what_belongs_to_http_1_alone_is_refused() {
    let node = Node::start().await;
    let (binary, _) = Binary::with_upstream(node.port, &[]).await;
    let mut sender = connect(&binary).await;
    let full = Body::new(Full::new(Bytes::new()));
    let request = Request::connect("a:443").body(full).unwrap();
    let answer = sender.send_request(request).await;
    assert!(answer.is_err() || answer.unwrap().status() == StatusCode::METHOD_NOT_ALLOWED);
    let request = Request::get("http://a/several").body(Body::empty()).unwrap();
    assert_eq!(sender.send_request(request).await.unwrap().status(), 200, "the connection lives on");
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_a_stream_is_not_waited_for() {
    let node = Node::start().await;
    let (binary, _) = Binary::with_upstream(node.port, &[]).await;
    let stream = TcpStream::connect(binary.proxy.expect("it stands in front")).await.unwrap();
    let mut http = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
    http.initial_stream_window_size(0);
    let (mut sender, connection) = http.handshake(TokioIo::new(stream)).await.unwrap();
    let began = std::time::Instant::now();
    let connection = tokio::spawn(connection);
    let request = Request::get("http://a/bytes?count=1000000").body(Body::empty()).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    let _ = connection.await.unwrap();
    println!("closed after {:?}", began.elapsed());
    assert!(answer.into_body().collect().await.is_err());
}
