//! `POST /marks`: what somebody notes, such as a deployment, becomes a mark on the charts.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;
use watchboard_app::port::Telemetry;

use super::short_body::{self, refusal};

/// A text has a few words.
const NOTE_BYTES: usize = 1_000;

/// Marks the moment with the text of the body.
pub(super) async fn note(State(telemetry): State<Arc<dyn Telemetry>>, request: Request) -> Response {
    let body = match short_body::read(request.into_body(), "a mark", NOTE_BYTES).await {
        Ok(body) => body,
        Err(response) => return response,
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
