//! The entry of the browser bundle, which hydrates the page that the server rendered.
#![cfg(target_arch = "wasm32")]

use wasm_bindgen::prelude::wasm_bindgen;

/// Hydrates the page. The module script calls it once, after the document is parsed.
#[wasm_bindgen]
pub fn hydrate() {
    std::panic::set_hook(Box::new(|panic| leptos::web_sys::console::error_1(&panic.to_string().into())));
    watchboard_app::hydrate();
}
