//! The assets of the page, embedded at build time with their compressed forms, served by exact name and cached for good.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
};
use watchboard_app::shell::PageAssets;

/// One file of the browser bundle.
struct Asset {
    name: &'static str,
    plain: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
    /// Whether its name has the hash of its content, so that it never changes.
    hashed: bool,
}

// `ASSETS`, made by build.rs of `server/site`, or of `style` alone where the bundle has not been built.
include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The page's own assets, by kind.
pub(crate) fn of_page() -> PageAssets {
    let named = |ending: &str| ASSETS.iter().map(|asset| asset.name).find(|name| name.ends_with(ending));
    PageAssets { style: named(".css"), icon: named(".svg"), script: named(".js"), wasm: named(".wasm") }
}

/// The asset of exactly this name, in the smallest form that the client accepts.
pub(crate) fn response(name: &str, request: &HeaderMap) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    };
    let encodings = request.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let takes = |encoding: &str| {
        encodings.split(',').any(|offer| {
            let mut parts = offer.split(';').map(str::trim);
            parts.next() == Some(encoding) && !matches!(parts.next(), Some("q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
        })
    };
    let forms = [("br", asset.brotli), ("gzip", asset.gzip)];
    let smallest =
        forms.into_iter().find_map(|(encoding, form)| form.filter(|_| takes(encoding)).map(|form| (encoding, form)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(name)));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    let caching = if asset.hashed { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    let (encoding, bytes) = smallest.map_or((None, asset.plain), |(encoding, form)| (Some(encoding), form));
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    *response.body_mut() = Body::from(bytes);
    response
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}
