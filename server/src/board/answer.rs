//! The figures that a program asks for, or the reason why there are none.

use axum::{http::StatusCode, response::Response};
use watchboard_app::port::Telemetry;
use watchboard_wire::{RefreshQuery, RefreshResponse};

use super::error_json::error_json;

/// The whole answer. 503 if nobody answers or the history cannot be read, 404 if it has nothing of a span.
pub(super) async fn answer(telemetry: &dyn Telemetry, query: RefreshQuery) -> Result<RefreshResponse, Response> {
    let span = query.span;
    let answer = match telemetry.refresh_with_earlier(query, None).await {
        Ok(RefreshResponse { unread: Some(unknown), .. }) | Err(unknown) => {
            return Err(error_json(StatusCode::SERVICE_UNAVAILABLE, &unknown.reason));
        }
        Ok(answer) => answer,
    };
    match span {
        Some((from, to)) if answer.span.is_none() || answer.totals.seconds == 0 => {
            let since = answer.snapshot.wall_clock(answer.snapshot.oldest_tick * 1000) / 1000;
            let error = format!("the history has nothing from {from} to {to}: it begins at {since}");
            Err(error_json(StatusCode::NOT_FOUND, &error))
        }
        _ => Ok(answer),
    }
}
