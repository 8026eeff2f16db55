//! What a client of the host does wrong is never the host's error.

use std::time::Duration;

use axum::{
    Router,
    body::{Body, Bytes},
    http::StatusCode,
    routing::post,
};
use http_body_util::BodyExt;
use tokio::{io::AsyncWriteExt, net::TcpStream};
use watchboard::{LocalOnly, Monitor};
use watchboard_test_support::{
    TestClient,
    raw::{RawResponse, exchange},
};

const WITHIN: Duration = Duration::from_secs(10);
/// So many failed requests would decide the status.
const ENOUGH: usize = 25;

/// A host whose handlers answer an incomplete body as many do.
async fn start() -> TestClient {
    let whole = |body: Body| async {
        match body.collect().await {
            Ok(whole) => (StatusCode::OK, whole.to_bytes().len().to_string()),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        }
    };
    let echo = |body: Body| async { body };
    let app = Router::new()
        .route("/extracted", post(|body: Bytes| async move { body.len().to_string() }))
        .route("/whole", post(whole))
        .route("/echo", post(echo));
    TestClient::serve(Monitor::builder().access(LocalOnly::default()).build().watch(app, "/ops/board")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_its_client_aborts_is_dropped_whatever_the_handler_makes_of_it() {
    let app = start().await;
    let mut total = 0;
    for path in ["/extracted", "/whole", "/echo"] {
        for framing in ["Content-Length: 100\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n40\r\nhalf"] {
            for _ in 0..ENOUGH {
                let mut client = TcpStream::connect(app.address).await.unwrap();
                client.write_all(format!("POST {path} HTTP/1.1\r\nHost: a\r\n{framing}").as_bytes()).await.unwrap();
            }
            total += ENOUGH;
            let all = |health: &serde_json::Value| health["application"]["total_requests"] == total;
            let health = app.wait_for_json("/ops/board/health", WITHIN, all).await;
            let application = &health["application"];
            let counts = ["dropped_count", "client_error_count", "error_count"].map(|name| application[name].as_u64());
            assert_eq!(counts, [Some(total as u64), Some(0), Some(0)], "{path}, {framing:?}");
            assert_eq!(watchboard_test_support::reasons(&health), [""; 0], "{path}, {framing:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_upload_and_a_malformed_one_get_the_handlers_answer() {
    let app = start().await;
    for (body, code) in [("5\r\nhello\r\n0\r\n\r\n", 200), ("zz\r\nhello\r\n0\r\n\r\n", 400)] {
        let head = "POST /extracted HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
        let answer = exchange(app.address, format!("{head}{body}").as_bytes()).await;
        assert_eq!(RawResponse::parse(&answer).code(), code);
    }
    let all = |health: &serde_json::Value| health["application"]["total_requests"] == 2;
    let health = app.wait_for_json("/ops/board/health", WITHIN, all).await;
    assert_eq!(health["application"]["status_codes"], serde_json::json!({ "200": 1, "400": 1 }));
}
