//! The server functions: each passes one question on to the [port](crate::port).
#![allow(
    missing_docs,
    clippy::unused_async,
    reason = "the macro makes a struct of the arguments, and wants async of all"
)]

use leptos::prelude::{ServerFnError, server};
use serde::{Deserialize, Serialize};
use server_fn::codec::Postcard;

use crate::wire::{Refreshed, Seen};

/// The answer to a refresh.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Answer {
    /// The page belongs to another build of the server, which may speak in other terms: it has to load itself anew.
    OtherBuild,
    /// What is new.
    Figures(Box<Refreshed>),
}

/// The newest snapshot, and what is new on the timeline since the page's own. `bundle` is the name of the page's script.
///
/// # Errors
/// When the request did not come through a board's own route.
#[server(prefix = "/api/watchboard", endpoint = "refresh", input = Postcard, output = Postcard)]
pub async fn refresh(bundle: String, seen: Option<Seen>) -> Result<Answer, ServerFnError> {
    let telemetry = crate::port::telemetry()?;
    if !crate::shell::is_current(&bundle) {
        return Ok(Answer::OtherBuild);
    }
    Ok(Answer::Figures(Box::new(crate::port::refresh(&*telemetry, seen))))
}
