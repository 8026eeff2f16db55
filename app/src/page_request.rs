//! The request for the page. The server's handler describes it to the pages.

use leptos::prelude::use_context;
use watchboard_wire::Unknown;

use crate::port::RefreshResult;

/// The request for the page. The handler puts it into the context.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// The figures of the first paint, or the reason why there are none.
    pub first: RefreshResult,
    /// The address of the board, to be followed by a path below it: `./board`, or `/ops/board` where a proxy's prefix is known.
    pub base: String,
    /// The query of the URL.
    pub query: String,
    /// The `Cookie` header.
    pub cookies: String,
    /// The names of the embedded assets.
    pub assets: PageAssets,
    /// Whether the board needs no credentials.
    pub is_open: bool,
    /// The path to which a POST ends the viewer's session; `None` without sessions.
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

/// The hashed names of the assets of the page.
#[derive(Clone, Copy, Debug, Default)]
pub struct PageAssets {
    /// The style sheet.
    pub style: Option<&'static str>,
    /// The icon.
    pub icon: Option<&'static str>,
    /// The module script that loads the WASM and hydrates the page; `None` if the server was built without the browser
    /// bundle.
    pub script: Option<&'static str>,
    /// The WASM. The document names it, so that the browser fetches it while it reads the script.
    pub wasm: Option<&'static str>,
}

/// Whether `bundle` is the script of this server's pages. Its name has the hash of its content.
pub(crate) fn is_current_script(bundle: &str) -> bool {
    use_context::<PageAssets>().is_some_and(|assets| assets.script == Some(bundle))
}
