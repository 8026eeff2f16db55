//! The page of Watchboard. It is compiled twice: into the server, which renders it (`ssr`), and for the browser, which
//! hydrates it (`hydrate`).
//!
//! [`api`] has the server function, and [`port`] the trait that it asks. [`shell`] is the HTML document, [`sign_in`]
//! the page before it, [`report`] a file of all views, [`app`] the document's body, `layout` what surrounds each view, `pages` the views, and `components` their parts.
//! `live` keeps the figures fresh, and `selection` is the URL's query. This crate measures nothing: it knows no tokio,
//! mongodb or sysinfo.

// The types of views nest as deep as the page.
#![recursion_limit = "512"]

pub mod api;
pub mod app;
mod components;
mod context;
#[cfg(any(feature = "hydrate", test))]
mod decode;
mod figures;
mod layout;
mod live;
mod order;
#[cfg(feature = "ssr")]
pub mod page_request;
mod pages;
#[cfg(feature = "ssr")]
pub mod port;
mod preferences;
#[cfg(feature = "ssr")]
pub mod report;
mod selection;
#[cfg(feature = "ssr")]
pub mod shell;
#[cfg(feature = "ssr")]
pub mod sign_in;

/// The id of the element that holds the page. The browser hydrates this element alone.
#[cfg(any(feature = "ssr", feature = "hydrate"))]
const MOUNT: &str = "board";

/// Hydrates the page that the server rendered. The server writes the base path of the server functions into the
/// document.
#[cfg(feature = "hydrate")]
pub fn hydrate() {
    use wasm_bindgen::JsCast;

    let base = leptos::prelude::document()
        .document_element()
        .and_then(|html| html.get_attribute("data-base"))
        .unwrap_or_default();
    // It leaks once: the server functions need it for the life of the page.
    leptos::server_fn::client::set_server_url(Box::leak(base.into_boxed_str()));
    let mount = leptos::prelude::document().get_element_by_id(MOUNT).and_then(|element| element.dyn_into().ok());
    // Without the element this document is not the board's.
    let Some(mount) = mount else { return };
    let query = leptos::prelude::window().location().search().unwrap_or_default();
    wasm_bindgen_futures::spawn_local(async move {
        pages::chunks::load_first(&selection::Selection::from_query(&query)).await;
        leptos::mount::hydrate_from(mount, app::App).forget();
    });
}
