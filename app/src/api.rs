//! The server functions: each passes one question on to the [port](crate::port).
#![allow(missing_docs, reason = "the macro makes a struct of the arguments")]

use leptos::prelude::{ServerFnError, server};
use serde::{Deserialize, Serialize};
use server_fn::codec::Postcard;
use watchboard_wire::{Ask, RefreshCursor, RefreshResponse};

/// The answer to a refresh.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum RefreshReply {
    /// The page belongs to another build of the server, which may speak in other terms: it has to load itself anew.
    OtherBuild,
    /// What is new.
    Figures(Box<RefreshResponse>),
}

/// The newest figures of what the page shows, and of the rest what is new since it last asked the same. `bundle` is the name of
/// the page's script.
///
/// # Errors
/// When the request did not come through a board's own route, or the monitor does not answer.
#[server(prefix = "/api/watchboard", endpoint = "refresh", input = Postcard, output = Postcard)]
pub async fn refresh(bundle: String, ask: Ask, cursor: Option<RefreshCursor>) -> Result<RefreshReply, ServerFnError> {
    let telemetry = crate::port::telemetry()?;
    if !crate::page_request::is_current_script(&bundle) {
        return Ok(RefreshReply::OtherBuild);
    }
    let response = telemetry.refresh(ask, cursor).await.map_err(ServerFnError::new)?;
    Ok(RefreshReply::Figures(Box::new(response)))
}
