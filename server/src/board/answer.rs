//! The figures that a program asks for, or the reason why there are none.

use axum::{http::StatusCode, response::Response};
use watchboard_app::port::Telemetry;
use watchboard_wire::{InstanceScope, RefreshQuery, RefreshResponse};

use super::error_json::error_json;

/// The whole answer. 503 if nobody answers or the history cannot be read, 404 if it has nothing of a span or the fleet has no such instance.
pub(super) async fn answer(telemetry: &dyn Telemetry, query: RefreshQuery) -> Result<RefreshResponse, Response> {
    let (span, scope) = (query.span, query.scope.clone());
    let answer = match telemetry.refresh_with_earlier(query, None).await {
        Ok(RefreshResponse { unread: Some(unknown), .. }) | Err(unknown) => {
            let is_absent = match scope {
                InstanceScope::One(name) => telemetry.instance_health(name).await == Ok(None),
                InstanceScope::Own | InstanceScope::All => false,
            };
            let code = if is_absent { StatusCode::NOT_FOUND } else { StatusCode::SERVICE_UNAVAILABLE };
            return Err(error_json(code, &unknown.reason));
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
