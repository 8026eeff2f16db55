//! The status of a refresh that fails: Leptos has one for all errors. The body stays, since the page reads it.

use axum::{
    body::{Body, to_bytes},
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use leptos::{prelude::ServerFnError, server_fn::error::FromServerFnError};

/// The texts of errors are sentences.
const ERROR_BYTES: usize = 64 * 1024;
/// The pause before the next question, in seconds: the monitor is busy, or starts anew.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// 400 for a question that cannot be read, and 503 if the monitor has no answer now.
pub(super) async fn with_status(response: Response) -> Response {
    if response.status() != StatusCode::INTERNAL_SERVER_ERROR {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(error) = to_bytes(body, ERROR_BYTES).await else {
        return Response::from_parts(parts, Body::empty());
    };
    match <ServerFnError>::de(error.clone()) {
        ServerFnError::Args(_) | ServerFnError::MissingArg(_) | ServerFnError::Deserialization(_) => {
            parts.status = StatusCode::BAD_REQUEST;
        }
        ServerFnError::ServerError(_) => {
            parts.status = StatusCode::SERVICE_UNAVAILABLE;
            parts.headers.insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        _ => {}
    }
    Response::from_parts(parts, Body::from(error))
}
