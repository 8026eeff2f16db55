//! The request for the page, as the server's handler describes it to the pages.

use leptos::prelude::use_context;
use watchboard_wire::Unknown;

use crate::port::RefreshResult;

/// What the server knows of the request for the page; provided as context by its handler.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// The figures that the page begins with, or why there are none.
    pub first: RefreshResult,
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
pub(crate) fn is_current_script(bundle: &str) -> bool {
    use_context::<PageAssets>().is_some_and(|assets| assets.script == Some(bundle))
}
