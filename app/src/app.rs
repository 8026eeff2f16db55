//! The frame of the page: head, status, the view that the URL asks for, foot.

use leptos::prelude::*;

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
    let first = SharedValue::new(first_figures).into_inner();
    match first {
        Ok(first) => view! { <Frame first /> }.into_any(),
        Err(reason) => view! { <main><p class="unknown">{reason}</p></main> }.into_any(),
    }
}

/// What the first paint shows, or why it can show nothing.
fn first_figures() -> Result<Refreshed, String> {
    #[cfg(feature = "ssr")]
    return match crate::port::telemetry() {
        Ok(telemetry) => Ok(crate::port::refresh(&*telemetry, None)),
        Err(error) => Err(error.to_string()),
    };
    #[cfg(not(feature = "ssr"))]
    Err("the page came without its figures: load it again".to_owned())
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
                View::Overview => view! { <Overview /> }.into_any(),
                View::Requests => view! { <RequestsPage /> }.into_any(),
                View::Memory => view! { <MemoryPage /> }.into_any(),
                View::Database => view! { <DatabasePage /> }.into_any(),
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
