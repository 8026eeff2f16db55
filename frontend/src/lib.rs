//! The entry of the browser bundle, which hydrates the page that the server rendered.
#![cfg(target_arch = "wasm32")]

use wasm_bindgen::prelude::wasm_bindgen;

/// Hydrates the page. The module script calls it once, after the document is parsed.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    watchboard_app::hydrate();
}
