//! The server function. It passes the question of a page on to the [port](crate::port).
#![allow(missing_docs, reason = "the macro makes a struct of the arguments")]

use leptos::prelude::{ServerFnError, server};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use server_fn::{
    Bytes, ContentType, Decodes, Encodes, Format, FormatType,
    codec::{Post, PostcardEncoding},
};
use watchboard_wire::{RefreshCursor, RefreshQuery, RefreshResponse};

/// The answer to a refresh.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum RefreshReply {
    /// The page is of another build of the server, whose types can differ. It must reload.
    OtherBuild,
    /// The new figures.
    Figures(Box<RefreshResponse>),
}

/// Postcard, which the browser reads with code of its own.
#[derive(Debug)]
pub struct LeanPostcard;

impl ContentType for LeanPostcard {
    const CONTENT_TYPE: &'static str = PostcardEncoding::CONTENT_TYPE;
}

impl FormatType for LeanPostcard {
    const FORMAT_TYPE: Format = PostcardEncoding::FORMAT_TYPE;
}

impl<T: Serialize> Encodes<T> for LeanPostcard {
    type Error = postcard::Error;

    fn encode(value: &T) -> Result<Bytes, Self::Error> {
        PostcardEncoding::encode(value)
    }
}

impl<T: DeserializeOwned> Decodes<T> for LeanPostcard {
    type Error = postcard::Error;

    fn decode(bytes: Bytes) -> Result<T, Self::Error> {
        #[cfg(feature = "hydrate")]
        return crate::decode::from_bytes(&bytes).ok_or(postcard::Error::DeserializeUnexpectedEnd);
        #[cfg(not(feature = "hydrate"))]
        PostcardEncoding::decode(bytes)
    }
}

/// The figures for `query` that are newer than `cursor`. `bundle` is the name of the page's script.
///
/// # Errors
/// The request did not come through a route of the board, or the monitor does not answer.
#[server(prefix = "/api/watchboard", endpoint = "refresh", input = Post<LeanPostcard>, output = Post<LeanPostcard>)]
pub async fn refresh(
    bundle: String,
    query: RefreshQuery,
    cursor: Option<RefreshCursor>,
) -> Result<RefreshReply, ServerFnError> {
    let telemetry = crate::port::telemetry()?;
    if !crate::page_request::is_current_script(&bundle) {
        return Ok(RefreshReply::OtherBuild);
    }
    let response = telemetry.refresh_with_earlier(query, cursor).await.map_err(ServerFnError::new)?;
    Ok(RefreshReply::Figures(Box::new(response)))
}
