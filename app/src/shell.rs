//! The HTML document around the page. Only the server writes it.

use leptos::prelude::*;
use watchboard_wire::RefreshQuery;

use crate::{MOUNT, app::App, layout::Tab, page_request::PageRequest, preferences::Preferences, selection::Selection};

/// The query for the figures of a page with this query string.
pub fn refresh_query(query: &str) -> RefreshQuery {
    Selection::from_query(query).refresh_query()
}

/// A page without scripts reloads after this many seconds.
const RELOAD_SECONDS: u32 = 10;

/// The document.
pub fn shell() -> impl IntoView {
    let page = use_context::<PageRequest>().unwrap_or_default();
    let theme = Preferences::from_cookies(&page.cookies).theme.word();
    // The page keeps title and icon in step with the state.
    let tab = page.first.as_ref().map_or_else(|_| Tab::default(), |first| Tab::of(&first.snapshot, true));
    let asset = |name: &str| format!("{}/assets/{name}", page.base);
    view! {
        <!DOCTYPE html>
        <html
            lang="en"
            translate="no"
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
                <meta name="google" content="notranslate" />
                <title>{tab.title}</title>
                <link rel="icon" href=page.assets.icon.map_or(tab.icon, asset) r#type="image/svg+xml" />
                {page.assets.style.map(|name| view! { <link rel="stylesheet" href=asset(name) /> })}
                {page.assets.wasm.map(|name| view! {
                    <link rel="preload" href=asset(name) r#as="fetch" r#type="application/wasm" crossorigin="anonymous" />
                })}
                {page.assets.script.map(|name| view! { <script type="module" src=asset(name)></script> })}
                <noscript>
                    <meta http-equiv="refresh" content=RELOAD_SECONDS.to_string() />
                </noscript>
            </head>
            // The page has an element of its own: extensions add theirs to the body.
            <body>
                <div id=MOUNT>
                    <App />
                </div>
                // The style shows nothing before: a page that is painted while half of it is there moves as the rest comes.
                <span id="end" hidden></span>
            </body>
        </html>
    }
}
