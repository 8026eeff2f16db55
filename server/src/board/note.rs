//! `POST /marks`: what somebody notes, such as a deployment, becomes a mark on the charts.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    body::to_bytes,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;
use tokio::time::timeout;

use watchboard_app::port::Telemetry;

/// A text has a few words.
const NOTE_BYTES: usize = 1_000;
const NOTE_WITHIN: Duration = Duration::from_secs(10);

/// Marks the moment with the text of the body.
pub(super) async fn note(State(telemetry): State<Arc<dyn Telemetry>>, request: Request) -> Response {
    let body = match timeout(NOTE_WITHIN, to_bytes(request.into_body(), NOTE_BYTES)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return refusal(StatusCode::PAYLOAD_TOO_LARGE, &format!("a mark has {NOTE_BYTES} bytes at most")),
        Err(_) => return refusal(StatusCode::REQUEST_TIMEOUT, &format!("a mark arrives within {NOTE_WITHIN:?}")),
    };
    let Ok(text) = std::str::from_utf8(&body) else {
        return refusal(StatusCode::BAD_REQUEST, "a mark is text in UTF-8");
    };
    // A text is one line of a list.
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        return refusal(StatusCode::BAD_REQUEST, "a mark needs a text: send it as the body, such as `deploy 1.4.2`");
    }
    match telemetry.note(text).await {
        Ok(mark) => {
            let mark = json!({ "at_unix_ms": mark.at_unix_ms, "kind": mark.kind.word(), "text": mark.text });
            (StatusCode::CREATED, Json(mark)).into_response()
        }
        Err(why) => refusal(StatusCode::SERVICE_UNAVAILABLE, &why.reason),
    }
}

fn refusal(status: StatusCode, why: &str) -> Response {
    (status, format!("{why}\n")).into_response()
}
