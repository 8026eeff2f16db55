//! The HTML document around the frame: what the server alone writes.

use leptos::prelude::*;
use watchboard_wire::{Ask, Unknown};

use crate::{app::App, place::Place, port, preferences::Preferences};

/// What the server knows of the request for the page; provided as context by its handler.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// The figures that the page begins with, or why there are none.
    pub first: port::Answer,
    /// The path that the board is mounted at, without a slash at its end: `/ops/board`, or nothing at the root.
    pub base: String,
    /// The query of the URL.
    pub query: String,
    /// The `Cookie` header.
    pub cookies: String,
    /// The names of the embedded assets.
    pub assets: PageAssets,
    /// Whether nobody was asked for credentials.
    pub is_open: bool,
    /// The path that a POST to ends the viewer's session, where there is one.
    pub sign_out: Option<String>,
}

impl Default for PageRequest {
    fn default() -> Self {
        let first = Err(Unknown::because("this page is not the board's"));
        Self {
            first,
            base: String::new(),
            query: String::new(),
            cookies: String::new(),
            assets: PageAssets::default(),
            is_open: false,
            sign_out: None,
        }
    }
}

/// What a page of this query asks of the server.
pub fn asked_by(query: &str) -> Ask {
    Place::from_query(query).ask()
}

/// The assets of the page, by their hashed names.
#[derive(Clone, Copy, Debug, Default)]
pub struct PageAssets {
    /// The style sheet.
    pub style: Option<&'static str>,
    /// The icon.
    pub icon: Option<&'static str>,
    /// The module script that loads the WASM and hydrates; none where the browser bundle has not been built.
    pub script: Option<&'static str>,
    /// The WASM, named so that the browser fetches it while it reads the script.
    pub wasm: Option<&'static str>,
}

/// Whether `bundle` is the script that this server's pages load; its name holds the hash of its content.
pub(crate) fn is_current(bundle: &str) -> bool {
    use_context::<PageAssets>().is_some_and(|assets| assets.script == Some(bundle))
}

/// The seconds after which a page without scripts loads itself again.
const RELOAD_SECONDS: u32 = 10;

/// The document.
pub fn shell() -> impl IntoView {
    let page = use_context::<PageRequest>().unwrap_or_default();
    let theme = Preferences::from_cookies(&page.cookies).theme.word();
    let asset = |name: &str| format!("{}/assets/{name}", page.base);
    view! {
        <!DOCTYPE html>
        <html
            lang="en"
            data-theme=theme
            data-base=page.base.clone()
            data-bundle=page.assets.script
            data-open=page.is_open.then_some("")
            data-sign-out=page.sign_out.clone()
        >
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <meta name="robots" content="noindex" />
                <title>"Watchboard"</title>
                {page.assets.icon.map(|name| view! { <link rel="icon" href=asset(name) r#type="image/svg+xml" /> })}
                {page.assets.style.map(|name| view! { <link rel="stylesheet" href=asset(name) /> })}
                {page.assets.wasm.map(|name| view! {
                    <link rel="preload" href=asset(name) r#as="fetch" r#type="application/wasm" crossorigin="anonymous" />
                })}
                {page.assets.script.map(|name| view! { <script type="module" src=asset(name)></script> })}
                <noscript>
                    <meta http-equiv="refresh" content=RELOAD_SECONDS.to_string() />
                </noscript>
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}
