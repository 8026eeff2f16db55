//! The body of a request to the board: short, and soon there.

use std::time::Duration;

use axum::{
    body::{Body, Bytes, to_bytes},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use tokio::time::timeout;

/// How long a body may take to arrive.
const ARRIVES_WITHIN: Duration = Duration::from_secs(10);

/// The whole body, or the response that says what is wrong with it. `what` names it: `a query of a page`.
pub(super) async fn read(body: Body, what: &str, most_bytes: usize) -> Result<Bytes, Response> {
    match timeout(ARRIVES_WITHIN, to_bytes(body, most_bytes)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err(refusal(StatusCode::PAYLOAD_TOO_LARGE, &format!("{what} has {most_bytes} bytes at most"))),
        Err(_) => Err(refusal(StatusCode::REQUEST_TIMEOUT, &format!("{what} arrives within {ARRIVES_WITHIN:?}"))),
    }
}

/// A response that says in a line why there is no other.
pub(super) fn refusal(status: StatusCode, why: &str) -> Response {
    (status, format!("{why}\n")).into_response()
}
