//! Requests over real connections, as `/health` then counts them.

use std::time::Duration;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Path,
    http::StatusCode,
    routing::get,
};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use watchboard::{LocalOnly, Monitor};
use watchboard_test_support::TestClient;

const HEALTH: &str = "/ops/board/api/v1/health";

/// A watched application on a port of its own, with the board at /ops/board.
async fn test_app() -> TestClient {
    let endless = || async {
        let lines = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 4096])));
        Body::from_stream(lines)
    };
    let app = Router::new()
        .route("/users/{id}", get(|| async { "a user" }).post(|| async { StatusCode::CREATED }))
        .route("/missing", get(|| async { (StatusCode::NOT_FOUND, r#"{"error":"no such thing"}"#) }))
        .route("/broken", get(|| async { (StatusCode::INTERNAL_SERVER_ERROR, "it broke\nin detail") }))
        .route("/panic", get(|| async { panic!("a bug of the host") as StatusCode }))
        .route("/flaky/{status}", get(flaky))
        .route("/endless", get(endless));
    let app = Monitor::builder().access(LocalOnly::default()).build().watch(app, "/ops/board");
    TestClient::serve(app).await
}

/// Fails at once, or succeeds after a while.
async fn flaky(Path(status): Path<u16>) -> StatusCode {
    if status == 200 {
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    StatusCode::from_u16(status).unwrap()
}

/// `/health`, once its application part holds what is waited for: the counters are frozen once a second.
async fn health(app: &TestClient, holds: impl Fn(&Value) -> bool) -> Value {
    app.wait_for_json(HEALTH, Duration::from_secs(10), |health| holds(&health["application"])).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_counts_once_and_the_board_is_not_in_its_own_figures() {
    let app = test_app().await;
    for number in 0..300 {
        app.send("GET", &format!("/users/{number}")).await;
        app.send("POST", &format!("/users/{number}")).await;
        app.send("GET", &format!("/unknown/{number}")).await;
        app.send("GET", "/ops/board").await;
    }
    app.send("GET", "/missing").await;
    app.send("GET", "/broken").await;
    let health = health(&app, |application| application["total_requests"] == 902).await;
    let application = &health["application"];
    assert_eq!(
        application["endpoints"],
        json!({
            "GET /users/{id}": 300, "POST /users/{id}": 300, "(unmatched)": 300, "GET /missing": 1, "GET /broken": 1,
        })
    );
    assert_eq!(application["status_codes"], json!({ "200": 300, "201": 300, "404": 301, "500": 1 }));
    assert_eq!((&application["error_count"], &application["client_error_count"]), (&1.into(), &301.into()));
    assert_eq!(application["recent_errors"][0]["error"], "500 server error: it broke");
    assert_eq!(application["recent_errors"][0]["endpoint"], "GET /broken");
    assert_eq!(application["in_flight"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_link_has_a_text_while_few_endpoints_were_asked() {
    let app = test_app().await;
    app.send("GET", "/users/1").await;
    health(&app, |application| application["total_requests"] == 1).await;
    for view in ["overview", "requests", "memory", "database", "requests&endpoint=GET%20/users/{id}"] {
        let (_, page) = app.send("GET", &format!("/ops/board?view={view}")).await;
        let page = String::from_utf8(page.to_vec()).unwrap();
        let links: Vec<&str> =
            page.split("<a ").skip(1).map(|link| link.split("</a>").next().unwrap_or_default()).collect();
        assert!(links.len() > 10, "{view}: {page}");
        let is_shown = |link: &&str| link.split('>').next().is_some_and(|tag| !tag.ends_with(" hidden"));
        for link in links.into_iter().filter(is_shown) {
            let mut texts = link.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text.trim());
            assert!(texts.any(|text| !text.is_empty()), "{view}: <a {link}</a>");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_recorded_and_its_client_gets_a_500() {
    let app = test_app().await;
    assert_eq!(app.send("GET", "/panic").await.0, StatusCode::INTERNAL_SERVER_ERROR);
    let health = health(&app, |application| application["total_requests"] == 1).await;
    let error = &health["application"]["recent_errors"][0];
    assert_eq!((&error["kind"], &error["error"]), (&"panic".into(), &"500 panic: a bug of the host".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_in_the_middle_of_a_body_is_no_longer_in_flight() {
    let app = test_app().await;
    let mut response = app.begin("GET", "/endless").await;
    response.body_mut().frame().await.unwrap().unwrap();
    health(&app, |application| application["in_flight"] == 1).await;
    drop(response);
    let health = health(&app, |application| application["in_flight"] == 0).await;
    assert_eq!(health["application"]["dropped_count"], 1);
    assert_eq!(health["application"]["recent_errors"][0]["kind"], "dropped");
    assert_eq!(health["application"]["error_count"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn fast_failures_make_an_endpoint_neither_faster_nor_in_time() {
    let app = test_app().await;
    for _ in 0..10 {
        app.send("GET", "/flaky/200").await;
        app.send("GET", "/flaky/503").await;
        app.send("GET", "/flaky/500").await;
        app.send("GET", "/broken").await;
    }
    let health = health(&app, |application| {
        application["total_requests"] == 40 && application["latency"]["GET /broken"]["failed"].is_object()
    });
    let latency = &health.await["application"]["latency"];
    let flaky = &latency["GET /flaky/{status}"];
    assert!(flaky["p50_ms"].as_f64().unwrap() >= 29.0, "{latency:#}");
    assert!(flaky["failed"]["p50_ms"].as_f64().unwrap() < flaky["p50_ms"].as_f64().unwrap(), "{latency:#}");
    let broken = &latency["GET /broken"];
    assert!(broken["p50_ms"].is_null() && broken["failed"]["max_ms"].is_f64(), "{latency:#}");
    let page = app.send("GET", "/ops/board/?view=requests&endpoint=GET%20/flaky/%7Bstatus%7D").await.1;
    let page = String::from_utf8(page.to_vec()).unwrap().replace('\u{a0}', " ");
    assert!(page.contains("33.3 % within 500 ms") && page.contains(" (failed: "), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_whole_without_scripts() {
    let app = test_app().await;
    app.send("GET", "/users/7").await;
    health(&app, |application| application["total_requests"] == 1).await;
    let (status, page) = app.send("GET", "/ops/board/").await;
    let page = String::from_utf8(page.to_vec()).unwrap();
    assert_eq!(status, StatusCode::OK);
    for part in [
        "data-base=\".\"",
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

/// Sends requests of `paths` from several connections at once.
async fn load(
    app: &TestClient,
    connections: usize,
    each: usize,
    request: impl Fn(usize) -> (&'static str, String) + Clone + Send + 'static,
) {
    let connection = |first: usize| {
        let (app, request) = (app.clone(), request.clone());
        tokio::spawn(async move {
            for number in first..first + each {
                let (method, path) = request(number);
                app.send(method, &path).await;
            }
        })
    };
    let running: Vec<_> = (0..connections).map(|index| connection(index * each)).collect();
    for connection in running {
        connection.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_requests_at_once_are_counted_exactly() {
    let app = test_app().await;
    let request = |number: usize| match number % 5 {
        0 => ("POST", format!("/users/{number}")),
        1 => ("GET", "/missing".to_owned()),
        2 => ("GET", "/broken".to_owned()),
        3 => ("DELETE", format!("/users/{number}")),
        _ => ("GET", format!("/users/{number}")),
    };
    load(&app, 20, 500, request).await;
    let health =
        health(&app, |application| application["total_requests"] == 10_000 && application["in_flight"] == 0).await;
    let application = &health["application"];
    assert_eq!(
        application["endpoints"],
        json!({
            "POST /users/{id}": 2000, "GET /missing": 2000, "GET /broken": 2000, "DELETE /users/{id}": 2000, "GET /users/{id}": 2000,
        })
    );
    assert_eq!(application["status_codes"], json!({ "201": 2000, "404": 2000, "500": 2000, "405": 2000, "200": 2000 }));
    assert_eq!(application["error_rate"], 20.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_unknown_paths_are_one_row() {
    let app = test_app().await;
    load(&app, 20, 5000, |number| ("GET", format!("/wp-admin/{number}.php"))).await;
    let health = health(&app, |application| application["total_requests"] == 100_000).await;
    assert_eq!(health["application"]["endpoints"], json!({ "(unmatched)": 100_000 }));
    assert_eq!(health["application"]["status_codes"], json!({ "404": 100_000 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_board_at_the_root_leaves_unknown_paths_to_the_host() {
    let watch = |app: Router| Monitor::builder().access(LocalOnly::default()).build().watch(app, "/");
    let with_page = Router::new().fallback(|| async { (StatusCode::NOT_FOUND, "the host's page") });
    let app = TestClient::serve(watch(with_page)).await;
    assert_eq!(app.send("GET", "/nowhere").await, (StatusCode::NOT_FOUND, "the host's page".into()));
    assert_eq!(app.send("GET", "/").await.0, StatusCode::OK, "the board is there");
    let app = TestClient::serve(watch(Router::new())).await;
    let (status, page) = app.send("GET", "/nowhere").await;
    assert_eq!((status, page.is_empty()), (StatusCode::NOT_FOUND, true), "axum's own answer");
    let counted = |health: &Value| health["application"]["endpoints"]["(unmatched)"] == 1;
    app.wait_for_json("/health", Duration::from_secs(10), counted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_of_the_board_that_it_does_not_have_leads_to_the_board() {
    let app = test_app().await;
    let (status, page) = app.send("GET", "/ops/board/memory/heap").await;
    let page = String::from_utf8(page.to_vec()).unwrap();
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(page.contains("<a href=\"../\">"), "from /ops/board/memory/heap this is the board: {page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_response_that_its_client_left_is_in_no_percentile() {
    let endless_failure = || async {
        let lines = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 4096])));
        (StatusCode::SERVICE_UNAVAILABLE, Body::from_stream(lines))
    };
    let app = Router::new().route("/failing", get(endless_failure));
    let app = Monitor::builder().access(LocalOnly::default()).build().watch(app, "/ops/board");
    let app = TestClient::serve(app).await;
    let mut response = app.begin("GET", "/failing").await;
    response.body_mut().frame().await.unwrap().unwrap();
    drop(response);
    let health = health(&app, |application| application["total_requests"] == 1).await;
    assert_eq!(health["application"]["latency"], json!({}), "{health:#}");
}
