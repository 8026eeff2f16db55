//! Where the layer stands among others: around nested services and fallbacks, twice, and below a layer that catches panics.

use std::time::Duration;

use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use futures_util::FutureExt;
use serde_json::{Value, json};
use tower::{Layer, Service, ServiceExt};
use watchboard::{Builder, LocalOnly, Monitor, Routes};
use watchboard_test_support::TestClient;

fn monitor(policy: impl FnOnce(Builder) -> Builder) -> Monitor {
    policy(Monitor::builder().access(LocalOnly::default())).build()
}

/// The endpoints with their counts, once so many requests have been counted.
async fn endpoints(app: &TestClient, total: u64) -> Value {
    let counted = |health: &Value| health["application"]["total_requests"] == total;
    let health = app.wait_for_json("/board/health", Duration::from_secs(10), counted).await;
    health["application"]["endpoints"].clone()
}

async fn serve(app: Router, monitor: &Monitor) -> TestClient {
    TestClient::serve(app.nest_service("/board", monitor.dashboard())).await
}

fn users() -> Router {
    Router::new().route("/users/{id}", get(|Path(id): Path<String>| async move { id }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_passes_the_layer_twice_counts_once() {
    let monitor = monitor(|builder| builder);
    let app = users().layer(monitor.layer()).layer(monitor.layer());
    let app = serve(app, &monitor).await;
    for _ in 0..3 {
        app.send("GET", "/users/7").await;
    }
    assert_eq!(endpoints(&app, 3).await, json!({ "GET /users/{id}": 3 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inner_layer_names_what_is_nested_and_what_falls_back() {
    let monitor = monitor(|builder| builder);
    let old = Router::new().route("/old/{name}", get(|| async { "old" })).layer(monitor.layer());
    let app = Router::new()
        .route("/home", get(|| async { "home" }))
        .nest_service("/api", users().layer(monitor.layer()))
        .fallback_service(old)
        .layer(monitor.layer());
    let app = serve(app, &monitor).await;
    for path in ["/home", "/api/users/7", "/api/users/8", "/old/x", "/nowhere", "/api/nowhere"] {
        app.send("GET", path).await;
    }
    let rows = json!({ "GET /home": 1, "GET /api/users/{id}": 2, "GET /old/{name}": 1, "(unmatched)": 2 });
    assert_eq!(endpoints(&app, 6).await, rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn templates_and_looks_name_what_is_nested_without_an_inner_layer() {
    let routes = Routes::declared(["/api/users/{id}"]).unwrap().with_inference();
    let monitor = monitor(|builder| builder.routes(routes));
    let files = tower::service_fn(|_: Request| async { Ok::<_, std::convert::Infallible>("file".into_response()) });
    let app = Router::new()
        .nest_service("/api", users())
        .nest_service("/assets", files)
        .fallback_service(Router::new().route("/old/{name}", get(|| async { "old" })))
        .layer(monitor.layer());
    let app = serve(app, &monitor).await;
    for path in ["/api/users/7", "/assets/a.3f2a9c1b.js", "/assets/b.css", "/old/Xk29dLqP", "/nowhere"] {
        app.send("GET", path).await;
    }
    let rows = json!({ "GET /api/users/{id}": 1, "GET /assets/*": 2, "GET /old/{key}": 1, "(unmatched)": 1 });
    assert_eq!(endpoints(&app, 5).await, rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_a_handler_sends_to_its_own_application_counts_as_well() {
    let monitor = monitor(|builder| builder);
    let inner = users().layer(monitor.layer());
    let batch = |State(inner): State<Router>| async move {
        let request = Request::get("/users/7").body(Body::empty()).unwrap();
        inner.oneshot(request).await.into_response().status()
    };
    let app = Router::new().route("/batch", get(batch)).with_state(inner.clone()).layer(monitor.layer()).merge(inner);
    let app = serve(app, &monitor).await;
    app.send("GET", "/batch").await;
    assert_eq!(endpoints(&app, 2).await, json!({ "GET /batch": 1, "GET /users/{id}": 1 }));
}

/// Catches panics as tower-http's `CatchPanicLayer` does.
#[derive(Clone)]
struct CatchPanic<S>(S);

impl<S> Service<Request> for CatchPanic<S>
where
    S: Service<Request, Response = Response>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let response = std::panic::AssertUnwindSafe(self.0.call(request)).catch_unwind();
        let caught = || (StatusCode::INTERNAL_SERVER_ERROR, "the host's own page").into_response();
        Box::pin(async move { response.await.unwrap_or_else(|_| Ok(caught())) })
    }
}

#[derive(Clone)]
struct CatchPanicLayer;

impl<S> Layer<S> for CatchPanicLayer {
    type Service = CatchPanic<S>;

    fn layer(&self, inner: S) -> CatchPanic<S> {
        CatchPanic(inner)
    }
}

async fn broken() -> &'static str {
    panic!("a bug of the host")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_recorded_and_an_outer_layer_may_respond_to_it() {
    for (resumes, body) in [(true, "the host's own page"), (false, "")] {
        let monitor = monitor(|builder| builder.resume_panics(resumes));
        let app = Router::new().route("/broken", get(broken)).layer(monitor.layer()).layer(CatchPanicLayer);
        let app = serve(app, &monitor).await;
        let (status, received) = app.send("GET", "/broken").await;
        assert_eq!((status, &*received), (StatusCode::INTERNAL_SERVER_ERROR, body.as_bytes()));
        assert_eq!(endpoints(&app, 1).await, json!({ "GET /broken": 1 }));
        let error = app.json("/board/health").await["application"]["recent_errors"][0].clone();
        assert_eq!((&error["kind"], &error["status"]), (&json!("panic"), &json!(500)), "{error}");
    }
}
