//! WebSockets and streams in the application's own process: what a host and a proxy can report, and what stays unknown.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{Request, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;
use watchboard::{ClosedBy, LocalOnly, Monitor, Tunnel};
use watchboard_test_support::TestClient;

fn switch_to(protocol: &'static str) -> Response {
    (StatusCode::SWITCHING_PROTOCOLS, [(header::UPGRADE, protocol)]).into_response()
}

/// The application, and the client of its board.
async fn serve(routes: Router) -> (Router, TestClient) {
    let monitor = Monitor::builder().access(LocalOnly::default()).build();
    let app = routes.layer(monitor.layer());
    let board = TestClient::serve(app.clone().nest_service("/board", monitor.dashboard())).await;
    (app, board)
}

async fn ask(app: &Router, path: &str) -> Response {
    app.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap()
}

/// The application's figures once its only row of long-lived exchanges is like this.
async fn wait_for_row(board: &TestClient, holds: impl Fn(&Value) -> bool) -> (Value, Value) {
    let row = |health: &Value| health["application"]["long_lived"][0].clone();
    let health = board.wait_for_json("/board/health", Duration::from_secs(10), |health| holds(&row(health))).await;
    (health["application"].clone(), row(&health))
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_websocket_that_the_host_handles_only_the_opening_is_known() {
    let (app, board) = serve(Router::new().route("/chat", get(|| async { switch_to("websocket") }))).await;
    drop(ask(&app, "/chat").await);
    let (application, row) = wait_for_row(&board, |row| row["opened"] == 1).await;
    assert_eq!(
        row,
        json!({
            "endpoint": "GET /chat", "kind": "websockets", "open": null, "opened": 1, "unobserved": 1,
            "duration_mean_seconds": null, "duration_max_seconds": null, "received_bytes": null, "sent_bytes": null,
            "received_messages": null, "sent_messages": null, "unparsed": 0, "closed": [],
        })
    );
    assert_eq!(application["open"], json!({ "websockets": null }), "unknown is not zero");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_reports_its_tunnel_until_it_drops_it() {
    let tunnel = Tunnel::default();
    let carried = Arc::new(Mutex::new(Some(tunnel.clone())));
    let forward = move || async move {
        let mut response = switch_to("websocket");
        response.extensions_mut().insert(carried.lock().unwrap().take().expect("it is asked once"));
        response
    };
    let (app, board) = serve(Router::new().route("/chat", get(forward))).await;
    let response = ask(&app, "/chat").await;
    assert!(response.extensions().get::<Tunnel>().is_none(), "the layer has it");
    tunnel.count_received(12, 1);
    tunnel.count_sent(7, 2);
    let (_, row) = wait_for_row(&board, |row| row["sent_bytes"] == 7).await;
    assert_eq!((&row["open"], &row["received_bytes"], &row["sent_messages"]), (&json!(1), &json!(12), &json!(2)));
    // The server ends: the first note counts.
    tunnel.note_close(ClosedBy::Proxy, None);
    tunnel.note_close(ClosedBy::Client, Some(1000));
    drop(tunnel);
    let (_, row) = wait_for_row(&board, |row| row["open"] == 0).await;
    let closed = json!([{ "code": 1006, "name": "without a close frame", "by": "proxy", "count": 1 }]);
    assert_eq!(row["closed"], closed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_open_until_it_ends_or_its_client_leaves() {
    let events = || async {
        let parts = ["data: 1\n\n", "data: 2\n\n"].map(|part| Ok::<_, std::io::Error>(Bytes::from(part)));
        let body = Body::from_stream(futures_util::stream::iter(parts));
        ([(header::CONTENT_TYPE, "text/event-stream")], body)
    };
    let (app, board) = serve(Router::new().route("/events", get(events))).await;
    let mut leaves = ask(&app, "/events").await;
    leaves.frame().await.unwrap().unwrap();
    let (application, row) = wait_for_row(&board, |row| row["sent_bytes"] == 9).await;
    assert_eq!((&row["kind"], &row["open"], &application["in_flight"]), (&json!("streams"), &json!(1), &json!(0)));
    drop(leaves);
    ask(&app, "/events").await.into_body().collect().await.unwrap();
    let (application, row) = wait_for_row(&board, |row| row["open"] == 0 && row["opened"] == 2).await;
    let by = |side| json!({ "code": null, "name": null, "by": side, "count": 1 });
    assert_eq!((&row["closed"], &row["sent_bytes"]), (&json!([by("client"), by("application")]), &json!(27)));
    assert_eq!((&application["total_requests"], &application["dropped_count"]), (&json!(2), &json!(0)));
}
