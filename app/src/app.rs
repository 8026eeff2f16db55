//! The body of the page: the layout, with the figures that the first paint shows.

use leptos::{either::Either, prelude::*};
use watchboard_wire::{Reading, RefreshResponse, Unknown};

use crate::layout::PageFrame;

/// The body of the page. The HTML holds the figures of the first paint, so that the browser starts with them.
#[component]
pub fn App() -> impl IntoView {
    match first_figures() {
        Ok(first) => Either::Left(view! { <PageFrame first /> }),
        Err(unknown) => Either::Right(view! { <main><p class="unknown">{unknown.reason}</p></main> }),
    }
}

/// The figures of the first paint, or the reason why there are none. The server writes them into the page for the
/// browser.
#[cfg(feature = "ssr")]
fn first_figures() -> Reading<RefreshResponse> {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let page = use_context::<crate::page_request::PageRequest>().unwrap_or_default();
    let first = page.first?;
    let bytes = postcard::to_allocvec(&first).map_err(Unknown::because)?;
    SharedValue::new_str(|| BASE64_STANDARD.encode(bytes));
    Ok(first)
}

/// The figures of the first paint, from postcard in base64.
#[cfg(feature = "hydrate")]
fn first_figures() -> Reading<RefreshResponse> {
    let text = SharedValue::new_str(String::new).into_inner();
    let bytes: Vec<u8> = window().atob(&text).unwrap_or_default().chars().map(|char| char as u8).collect();
    crate::decode::from_bytes(&bytes)
        .ok_or_else(|| Unknown::because("the page came without its figures: load it again"))
}
