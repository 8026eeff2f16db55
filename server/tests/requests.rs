//! Requests over real connections, as `/health` then counts them.

use std::{net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{Request, StatusCode},
    routing::get,
};
use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use tokio::time::{Instant, sleep};

/// A watched application on a port of its own, and a client.
struct TestApp {
    address: SocketAddr,
    client: Client<HttpConnector, Body>,
}

impl TestApp {
    async fn start() -> Self {
        let endless = || async {
            let lines =
                futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 4096])));
            Body::from_stream(lines)
        };
        let app = Router::new()
            .route("/users/{id}", get(|| async { "a user" }).post(|| async { StatusCode::CREATED }))
            .route("/missing", get(|| async { (StatusCode::NOT_FOUND, r#"{"error":"no such thing"}"#) }))
            .route("/broken", get(|| async { (StatusCode::INTERNAL_SERVER_ERROR, "it broke\nin detail") }))
            .route("/panic", get(|| async { panic!("a bug of the host") as StatusCode }))
            .route("/endless", get(endless));
        let app = watchboard::watch(app, "/ops/board", ());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(axum::serve(listener, app).into_future());
        Self { address, client: Client::builder(TokioExecutor::new()).build_http() }
    }

    async fn send(&self, method: &str, path: &str) -> (StatusCode, Bytes) {
        let uri = format!("http://{}{path}", self.address);
        let request = Request::builder().method(method).uri(uri).body(Body::empty()).unwrap();
        let response = self.client.request(request).await.unwrap();
        let status = response.status();
        (status, response.into_body().collect().await.unwrap().to_bytes())
    }

    /// `/health`, once it holds what is waited for: the counters are frozen once a second.
    async fn health(&self, holds: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let (_, body) = self.send("GET", "/ops/board/api/v1/health").await;
            let health: Value = serde_json::from_slice(&body).unwrap();
            if holds(&health["application"]) {
                return health;
            }
            assert!(Instant::now() < deadline, "not within 10 s: {health:#}");
            sleep(Duration::from_millis(100)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_counts_once_and_the_board_is_not_in_its_own_figures() {
    let app = TestApp::start().await;
    for number in 0..300 {
        app.send("GET", &format!("/users/{number}")).await;
        app.send("POST", &format!("/users/{number}")).await;
        app.send("GET", &format!("/unknown/{number}")).await;
        app.send("GET", "/ops/board").await;
    }
    app.send("GET", "/missing").await;
    app.send("GET", "/broken").await;
    let health = app.health(|application| application["total_requests"] == 902).await;
    let application = &health["application"];
    assert_eq!(
        application["endpoints"],
        serde_json::json!({
            "GET /users/{id}": 300, "POST /users/{id}": 300, "(unmatched)": 300, "GET /missing": 1, "GET /broken": 1,
        })
    );
    assert_eq!(application["status_codes"], serde_json::json!({ "200": 300, "201": 300, "404": 301, "500": 1 }));
    assert_eq!((&application["error_count"], &application["client_error_count"]), (&1.into(), &301.into()));
    assert_eq!(application["recent_errors"][0]["error"], "500 server error: it broke");
    assert_eq!(application["recent_errors"][0]["endpoint"], "GET /broken");
    assert_eq!(application["in_flight"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_recorded_and_its_client_gets_a_500() {
    let app = TestApp::start().await;
    assert_eq!(app.send("GET", "/panic").await.0, StatusCode::INTERNAL_SERVER_ERROR);
    let health = app.health(|application| application["total_requests"] == 1).await;
    let error = &health["application"]["recent_errors"][0];
    assert_eq!((&error["kind"], &error["error"]), (&"panic".into(), &"500 panic: a bug of the host".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_in_the_middle_of_a_body_is_no_longer_in_flight() {
    let app = TestApp::start().await;
    let request = Request::get(format!("http://{}/endless", app.address)).body(Body::empty()).unwrap();
    let mut response = app.client.request(request).await.unwrap();
    response.body_mut().frame().await.unwrap().unwrap();
    app.health(|application| application["in_flight"] == 1).await;
    drop(response);
    let health = app.health(|application| application["in_flight"] == 0).await;
    assert_eq!(health["application"]["dropped_count"], 1);
    assert_eq!(health["application"]["recent_errors"][0]["kind"], "dropped");
    assert_eq!(health["application"]["error_count"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_whole_without_scripts() {
    let app = TestApp::start().await;
    app.send("GET", "/users/7").await;
    app.health(|application| application["total_requests"] == 1).await;
    let (status, page) = app.send("GET", "/ops/board/").await;
    let page = String::from_utf8(page.to_vec()).unwrap();
    assert_eq!(status, StatusCode::OK);
    for part in [
        "data-base=\"/ops/board\"",
        "System overview",
        "Resource usage",
        "Memory analysis",
        "Application metrics",
        "Recent errors",
        "Endpoint usage",
        "/users/{id}",
        "class=\"hue-memory\"",
        "http-equiv=\"refresh\"",
    ] {
        assert!(page.contains(part), "{part} is not in the page: {page}");
    }
}
