//! The frame of the page: head, status, the view that the URL asks for, foot.

use leptos::{
    either::{Either, EitherOf6},
    prelude::*,
};
use watchboard_wire::{Part, RefreshResponse};

use crate::{
    components::{Controls, Crosshair, Nav, StatusLine, Windows},
    live::{Live, text, use_live},
    pages::{DatabasePage, EndpointPage, MemoryPage, Overview, RequestsPage},
    place::{self, View},
    preferences,
    viewer::OpenNote,
};

/// The body of the page. The first paint's figures travel in the HTML, so that the browser begins with what the server drew.
#[component]
pub fn App() -> impl IntoView {
    match first_figures() {
        Ok(first) => Either::Left(view! { <Frame first /> }),
        Err(reason) => Either::Right(view! { <main><p class="unknown">{reason}</p></main> }),
    }
}

/// What the first paint shows, handed on to the browser in the page; or why there is nothing.
#[cfg(feature = "ssr")]
fn first_figures() -> Result<RefreshResponse, String> {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let page = use_context::<crate::shell::PageRequest>().unwrap_or_default();
    let first = page.first.map_err(|unknown| unknown.reason)?;
    let bytes = postcard::to_allocvec(&first).map_err(|error| error.to_string())?;
    SharedValue::new_str(|| BASE64_STANDARD.encode(bytes));
    Ok(first)
}

/// What the first paint showed: a postcard in base64, which the browser reads itself.
#[cfg(not(feature = "ssr"))]
fn first_figures() -> Result<RefreshResponse, String> {
    let text = SharedValue::new_str(String::new).into_inner();
    let bytes: Vec<u8> = window().atob(&text).unwrap_or_default().chars().map(|char| char as u8).collect();
    postcard::from_bytes(&bytes).map_err(|_| "the page came without its figures: load it again".to_owned())
}

#[component]
fn Frame(first: RefreshResponse) -> impl IntoView {
    let preferences = preferences::provide();
    let place = place::provide();
    Live::provide(first, place, preferences);
    // A view of which there are no figures yet is not shown as one of nothing.
    let figures = use_live().figures;
    let view = Memo::new(move |_| {
        let part = place.with(|place| place.ask().part);
        let is_there = part == Part::Charts || figures.with(|figures| figures.ask.part == part);
        is_there.then(|| place.with(|place| (place.view, place.endpoint.is_some())))
    });
    Crosshair::provide();
    let service = text(|snapshot| snapshot.service.clone());
    let version = text(|snapshot| snapshot.version.clone());
    view! {
        <header class="top">
            <h1>"Watchboard "<span class="service">{service}</span></h1>
            <Nav />
            <Windows />
            <Controls />
        </header>
        <BundleMissing />
        <StatusLine />
        <main>
            {move || match view.get() {
                None => EitherOf6::F(view! { <p class="unknown">"Loading."</p> }),
                Some((View::Overview, _)) => EitherOf6::A(view! { <Overview /> }),
                Some((View::Requests, false)) => EitherOf6::B(view! { <RequestsPage /> }),
                Some((View::Requests, true)) => EitherOf6::C(view! { <EndpointPage /> }),
                Some((View::Memory, _)) => EitherOf6::D(view! { <MemoryPage /> }),
                Some((View::Database, _)) => EitherOf6::E(view! { <DatabasePage /> }),
            }}
        </main>
        <footer>"Watchboard " {version} ". All times are UTC."<OpenNote /></footer>
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
            "The bundle in the source tree is missing, or was built from other sources. Renew it with " <code>"cargo xtask bundle"</code>", then build again."
        </p>
    })
}
