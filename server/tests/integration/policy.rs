//! What the host decides of requests: ignored, grouped, capped, held to an objective; as `/health` then shows it.

use std::time::Duration;

use axum::{Router, http::StatusCode, routing::get};
use serde_json::{Value, json};
use watchboard::{Builder, LocalOnly, Monitor};
use watchboard_test_support::{TestClient, reasons};

const HEALTH: &str = "/ops/board/health";

async fn test_app(policy: impl FnOnce(Builder) -> Builder) -> TestClient {
    let fast = || async { "fast" };
    let slow = || async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        "slow"
    };
    let app = Router::new()
        .route("/fast", get(fast))
        .route("/slow", get(slow))
        .route("/livez", get(fast))
        .route("/assets/{name}", get(fast))
        .route("/assets/fonts/{name}", get(fast));
    let app = policy(Monitor::builder().access(LocalOnly::default())).build().watch(app, "/ops/board");
    TestClient::serve(app).await
}

/// The endpoints with their counts, once so many requests have been counted.
async fn endpoints(app: &TestClient, total: u64) -> Value {
    let counted = |health: &Value| health["application"]["total_requests"] == total;
    app.wait_for_json(HEALTH, Duration::from_secs(10), counted).await["application"]["endpoints"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_are_ignored_and_grouped_by_their_names() {
    let app = test_app(|builder| builder.ignore("/livez").group("/assets/*", "assets")).await;
    for path in ["/livez", "/livez", "/assets/a.css", "/assets/fonts/b.woff", "/fast", "/nowhere"] {
        app.send("GET", path).await;
    }
    assert_eq!(endpoints(&app, 4).await, json!({ "GET assets": 2, "GET /fast": 1, "(unmatched)": 1 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_ignored_and_grouped_by_what_they_are() {
    let policy = |builder: Builder| {
        builder
            .ignore_if(|request| request.uri().query() == Some("synthetic"))
            .group_by(|request| request.route().is_none().then(|| "strangers".into()))
    };
    let app = test_app(policy).await;
    for path in ["/fast?synthetic", "/fast", "/wp-admin", "/.env"] {
        app.send("GET", path).await;
    }
    assert_eq!(endpoints(&app, 3).await, json!({ "GET /fast": 1, "GET strangers": 2 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn past_the_cap_endpoints_share_a_row_of_their_method() {
    let app = test_app(|builder| builder.max_endpoints(1)).await;
    for path in ["/fast", "/slow", "/livez", "/fast"] {
        app.send("GET", path).await;
    }
    assert_eq!(endpoints(&app, 4).await, json!({ "GET /fast": 2, "GET (other)": 2 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_beyond_its_objective_is_named_and_only_it() {
    let app = test_app(|builder| builder.objective_of("/slow", Duration::from_millis(10))).await;
    // A burst is no slow endpoint: the requests go on.
    let requests = async {
        loop {
            app.send("GET", "/slow").await;
            app.send("GET", "/fast").await;
        }
    };
    let is_judged = |health: &Value| health["status"] == "degraded" && !reasons(health).is_empty();
    let health = tokio::select! {
        health = app.wait_for_json(HEALTH, Duration::from_secs(20), is_judged) => health,
        () = requests => unreachable!("they go on"),
    };
    let reasons = reasons(&health);
    let [reason] = &reasons[..] else { panic!("one reason: {reasons:?}") };
    // The handler takes 20 ms; a busy machine adds to that.
    let p99 = reason.strip_prefix("GET /slow p99 ").and_then(|rest| rest.strip_suffix(" ms, objective 10 ms"));
    assert!(p99.is_some_and(|p99| p99.parse::<f64>().is_ok_and(|p99| p99 >= 19.0)), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_are_told_the_time_where_the_host_wants_it() {
    for wanted in [true, false] {
        let app = test_app(|builder| builder.server_timing(wanted)).await;
        let response = app.begin("GET", "/slow").await;
        assert_eq!(response.status(), StatusCode::OK);
        let timing = response.headers().get("server-timing").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(timing.is_some_and(|timing| timing.starts_with("app;dur=2")), wanted);
    }
}
