//! The frame of the page: head, status, the view that the URL asks for, foot.

use leptos::{
    either::{Either, EitherOf4},
    prelude::*,
};

use crate::{
    components::{Controls, Crosshair, Nav, StatusLine},
    live::{Live, figure},
    pages::{DatabasePage, MemoryPage, Overview, RequestsPage},
    preferences,
    view::{self, View},
    wire::Refreshed,
};

/// The body of the page. The first paint's figures travel in the HTML, so that the browser begins with what the server drew.
#[component]
pub fn App() -> impl IntoView {
    match first_figures() {
        Ok(first) => Either::Left(view! { <Frame first /> }),
        Err(reason) => Either::Right(view! { <main><p class="unknown">{reason}</p></main> }),
    }
}

/// What the first paint shows, handed on in the page as the text that the server functions answer with; or why there is nothing.
#[cfg(feature = "ssr")]
fn first_figures() -> Result<Refreshed, String> {
    let telemetry = crate::port::telemetry().map_err(|error| error.to_string())?;
    let first = crate::port::refresh(&*telemetry, None);
    let text = serde_json::to_string(&first).map_err(|error| error.to_string())?;
    SharedValue::new_str(|| text);
    Ok(first)
}

/// What the first paint showed. Read by the same code as an answer of the server functions, which halves what reading weighs.
#[cfg(not(feature = "ssr"))]
fn first_figures() -> Result<Refreshed, String> {
    let text = SharedValue::new_str(String::new).into_inner();
    serde_json::from_slice(text.as_bytes())
        .map_err(|error| format!("the page came without its figures, load it again: {error}"))
}

#[component]
fn Frame(first: Refreshed) -> impl IntoView {
    let preferences = preferences::provide();
    let view = view::provide();
    Live::provide(first, preferences);
    Crosshair::provide();
    let service = figure(|snapshot| snapshot.service.clone());
    let version = figure(|snapshot| snapshot.version.clone());
    view! {
        <header class="top">
            <h1>"Watchboard "<span class="service">{move || service.get()}</span></h1>
            <Nav view />
            <Controls view />
        </header>
        <BundleMissing />
        <StatusLine />
        <main>
            {move || match view.get() {
                View::Overview => EitherOf4::A(view! { <Overview /> }),
                View::Requests => EitherOf4::B(view! { <RequestsPage /> }),
                View::Memory => EitherOf4::C(view! { <MemoryPage /> }),
                View::Database => EitherOf4::D(view! { <DatabasePage /> }),
            }}
        </main>
        <footer>"Watchboard " {move || version.get()} ". All times are UTC."</footer>
    }
}

/// Says that the board was built without its browser half, and how to build it; only the server can know.
#[component]
fn BundleMissing() -> impl IntoView {
    #[cfg(feature = "ssr")]
    let missing = use_context::<crate::shell::PageRequest>().is_some_and(|page| page.assets.script.is_none());
    #[cfg(not(feature = "ssr"))]
    let missing = false;
    missing.then(|| view! {
        <p class="notice" id="bundle-missing">
            "This build has no browser bundle: the page shows the figures of its loading and does not refresh itself. "
            "Build it with " <code>"cargo xtask build"</code> "."
        </p>
    })
}
