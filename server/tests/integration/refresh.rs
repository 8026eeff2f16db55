//! Refreshes that fail: their status tells whose fault it is.

use std::time::{Duration, Instant};

use axum::{
    Router,
    body::Body,
    http::{Method, Request, StatusCode, header, request::Parts},
    routing::get,
};
use futures_util::future::join_all;
use tokio::time::sleep;
use tower::ServiceExt;
use watchboard::Monitor;
use watchboard_wire::{Part, RefreshCursor, RefreshQuery, Window};

/// Rows of the table that each page asks for: enough to keep the monitor busy.
const ENDPOINTS: usize = 400;
/// Pages that ask at once; fewer fit into the monitor's queue.
const PAGES: usize = 400;

/// A page's query.
fn question(body: Vec<u8>) -> Request<Body> {
    let binary = "application/octet-stream";
    let request = Request::post("/api/watchboard/refresh").header(header::HOST, "localhost");
    let request = request.header(header::CONTENT_TYPE, binary).header(header::ACCEPT, binary);
    request.body(Body::from(body)).expect("a request")
}

async fn get_text(board: &Router, path: &str) -> String {
    let request = Request::get(path).header(header::HOST, "localhost").body(Body::empty()).expect("a request");
    let body = board.clone().oneshot(request).await.expect("an answer").into_body();
    let body = axum::body::to_bytes(body, usize::MAX).await.expect("a whole body");
    String::from_utf8_lossy(&body).into_owned()
}

/// The name of the page's script.
async fn bundle(board: &Router) -> String {
    let page = get_text(board, "/").await;
    page.split_once("data-bundle=\"")
        .map_or_else(String::new, |(_, rest)| rest.split('"').next().unwrap_or("").to_owned())
}

#[tokio::test]
async fn a_question_that_cannot_be_read_is_the_clients_error() {
    let board = Monitor::builder().access(|_: &Parts| true).build().dashboard();
    for body in [vec![], vec![0xff; 40], b"{}".to_vec(), b"bundle=x&ask=y".to_vec()] {
        let response = board.clone().oneshot(question(body)).await.expect("an answer");
        assert_eq!(
            response.status(),
            StatusCode::BAD_REQUEST,
            "{:?}",
            axum::body::to_bytes(response.into_body(), 999).await
        );
        assert_eq!(response.headers().get(header::RETRY_AFTER), None);
    }
}

#[tokio::test]
async fn too_many_pages_are_told_to_come_back() {
    let monitor = Monitor::builder().access(|_: &Parts| true).build();
    let app = (0..ENDPOINTS).fold(Router::new(), |app, number| app.route(&format!("/rows/{number}"), get(|| async {})));
    let app = app.layer(monitor.layer());
    for number in 0..ENDPOINTS {
        let request = Request::builder().method(Method::GET).uri(format!("/rows/{number}")).body(Body::empty());
        app.clone().oneshot(request.expect("a request")).await.expect("an answer");
    }
    let board = monitor.dashboard();
    let deadline = Instant::now() + Duration::from_secs(20);
    while !get_text(&board, "/health").await.contains(&format!("\"total_requests\":{ENDPOINTS}")) {
        assert!(Instant::now() < deadline, "the requests are not counted");
        sleep(Duration::from_millis(50)).await;
    }
    let bundle = bundle(&board).await;
    if bundle.is_empty() {
        return eprintln!("skipped: the browser bundle is not built, so every page is told to reload");
    }
    let ask = RefreshQuery { window: Window::Hour, part: Part::Requests, ..RefreshQuery::default() };
    let body = postcard::to_allocvec(&(bundle, ask, None::<RefreshCursor>)).expect("it can be written");
    let pages = (0..PAGES).map(|_| board.clone().oneshot(question(body.clone())));
    let responses: Vec<_> = join_all(pages).await.into_iter().map(|response| response.expect("an answer")).collect();
    let refused: Vec<_> = responses.iter().filter(|response| response.status() != StatusCode::OK).collect();
    println!("{} of {PAGES} pages were refused", refused.len());
    assert!(!refused.is_empty() && refused.len() < PAGES, "{} of {PAGES}", refused.len());
    for response in refused {
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
    }
}
