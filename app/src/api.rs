//! The server functions: each passes one question on to the [port](crate::port).
#![allow(
    missing_docs,
    clippy::unused_async,
    reason = "the macro makes a struct of the arguments, and wants async of all"
)]

use leptos::prelude::{ServerFnError, server};
use server_fn::codec::Json;

use crate::wire::{Refreshed, Seen};

/// The newest snapshot, and what is new on the timeline since the page's own.
///
/// # Errors
/// When the request did not come through a board's own route.
#[server(prefix = "/api/watchboard", endpoint = "refresh", input = Json, output = Json)]
pub async fn refresh(seen: Option<Seen>) -> Result<Refreshed, ServerFnError> {
    let telemetry = crate::port::telemetry()?;
    Ok(crate::port::refresh(&*telemetry, seen))
}
