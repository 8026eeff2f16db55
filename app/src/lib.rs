//! What Watchboard shows: compiled into the server, which renders it (`ssr`), and into the browser, which takes it over (`hydrate`).
//!
//! [`wire`] is every type that crosses the network, [`api`] the server functions, [`port`] what they ask of the server.
//! [`shell`] is the HTML document, [`sign_in`] the page before it, [`app`] the frame, `pages` the views and `components` what they are made of;
//! `live` keeps them fresh. Nothing here measures anything: this crate knows no tokio, mongodb or sysinfo.

pub mod api;
pub mod app;
mod components;
mod figures;
mod frame;
mod live;
mod order;
#[cfg(feature = "ssr")]
pub mod page_request;
mod pages;
mod place;
#[cfg(feature = "ssr")]
pub mod port;
mod preferences;
#[cfg(feature = "ssr")]
pub mod shell;
#[cfg(feature = "ssr")]
pub mod sign_in;

/// Takes over the page that the server rendered. The document's base path, written by [`shell`], is where the server functions are.
#[cfg(feature = "hydrate")]
pub fn hydrate() {
    let base = leptos::prelude::document()
        .document_element()
        .and_then(|html| html.get_attribute("data-base"))
        .unwrap_or_default();
    // Leaked once: the server functions want it for the life of the page.
    leptos::server_fn::client::set_server_url(Box::leak(base.into_boxed_str()));
    leptos::mount::hydrate_body(app::App);
}
