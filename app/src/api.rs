//! The server function. It passes the question of a page on to the [port](crate::port).
#![allow(missing_docs, reason = "the macro makes a struct of the arguments")]

use leptos::prelude::{ServerFnError, server};
use serde::{Deserialize, Serialize};
use server_fn::codec::Postcard;
use watchboard_wire::{RefreshCursor, RefreshQuery, RefreshResponse};

/// The answer to a refresh.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum RefreshReply {
    /// The page is of another build of the server, whose types can differ. It must reload.
    OtherBuild,
    /// The new figures.
    Figures(Box<RefreshResponse>),
}

/// The figures for `query` that are newer than `cursor`. `bundle` is the name of the page's script.
///
/// # Errors
/// The request did not come through a route of the board, or the monitor does not answer.
#[server(prefix = "/api/watchboard", endpoint = "refresh", input = Postcard, output = Postcard)]
pub async fn refresh(
    bundle: String,
    query: RefreshQuery,
    cursor: Option<RefreshCursor>,
) -> Result<RefreshReply, ServerFnError> {
    let telemetry = crate::port::telemetry()?;
    if !crate::page_request::is_current_script(&bundle) {
        return Ok(RefreshReply::OtherBuild);
    }
    let response = telemetry.refresh(query, cursor).await.map_err(ServerFnError::new)?;
    Ok(RefreshReply::Figures(Box::new(response)))
}
