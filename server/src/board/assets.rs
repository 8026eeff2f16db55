//! The assets of the page, embedded in their brotli form, served by exact name and cached for good. The plain and the gzip form
//! are made when a client first needs them.

use std::{io::Write, sync::OnceLock};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
};
use flate2::{Compression, write::GzEncoder};
use watchboard_app::page_request::PageAssets;

/// One file of the browser bundle. Its name holds the hash of its content, so that it never changes.
struct Asset {
    name: &'static str,
    brotli: &'static [u8],
    plain: OnceLock<Bytes>,
    gzip: OnceLock<Bytes>,
}

// `ASSETS`, made by build/main.rs of `server/site`.
include!(concat!(env!("OUT_DIR"), "/assets.rs"));

impl Asset {
    const fn new(name: &'static str, brotli: &'static [u8]) -> Self {
        Self { name, brotli, plain: OnceLock::new(), gzip: OnceLock::new() }
    }

    fn find(ending: &str) -> Option<&'static Self> {
        ASSETS.iter().find(|asset| asset.name.ends_with(ending))
    }

    fn plain(&self) -> &Bytes {
        self.plain.get_or_init(|| {
            let mut plain = Vec::new();
            brotli::BrotliDecompress(&mut &self.brotli[..], &mut plain).expect("`cargo xtask bundle` wrote brotli");
            plain.into()
        })
    }

    fn gzip(&self) -> &Bytes {
        self.gzip.get_or_init(|| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(self.plain()).and_then(|()| encoder.finish()).expect("memory can be written").into()
        })
    }

    fn text(&self) -> &str {
        std::str::from_utf8(self.plain()).expect("style and icon are text")
    }
}

/// The page's own assets, by kind.
pub(crate) fn of_page() -> PageAssets {
    let named = |ending: &str| Asset::find(ending).map(|asset| asset.name);
    let first = |asset: &&Asset| asset.name.starts_with("app-") && content_type(asset.name) == "application/wasm";
    let wasm = ASSETS.iter().find(first).map(|asset| asset.name);
    PageAssets { style: named(".css"), icon: named(".svg"), script: named(".js"), wasm }
}

/// The style sheet, for pages that have it inside; empty if the server was built without the browser bundle.
pub(super) fn style_sheet() -> &'static str {
    Asset::find(".css").map_or("", Asset::text)
}

/// The icon, an SVG.
pub(super) fn icon() -> &'static str {
    Asset::find(".svg").map_or("", Asset::text)
}

/// The asset of exactly this name, in the smallest form that the client accepts.
pub(crate) async fn response(name: &str, request: &HeaderMap) -> Response<Body> {
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
    let (encoding, bytes) = if takes("br") {
        (Some("br"), Ok(Bytes::from_static(asset.brotli)))
    } else if takes("gzip") {
        (Some("gzip"), form(asset, Asset::gzip).await)
    } else {
        (None, form(asset, Asset::plain).await)
    };
    let Ok(bytes) = bytes else {
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        return response;
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(name)));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    *response.body_mut() = Body::from(bytes);
    response
}

/// Making a form takes up to a tenth of a second, so it is not done on a thread that serves the host's requests.
async fn form(asset: &'static Asset, make: fn(&Asset) -> &Bytes) -> Result<Bytes, tokio::task::JoinError> {
    tokio::task::spawn_blocking(move || make(asset).clone()).await
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

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    /// Bytes in brotli form that the figures of the overview wait for until they are live. What draws its charts follows.
    const FIRST_VIEW: usize = 180_000;

    #[test]
    fn the_first_view_stays_within_its_budget() {
        let PageAssets { style, icon, script, wasm } = of_page();
        let named = [style, icon, script, wasm].map(|name| name.expect("`cargo xtask bundle` made it"));
        let sizes = named.map(|name| Asset::find(name).map_or(0, |asset| asset.brotli.len()));
        assert!(sizes.iter().all(|size| *size > 0) && sizes.iter().sum::<usize>() <= FIRST_VIEW, "{sizes:?}");
    }

    #[test]
    fn both_other_forms_have_the_same_content() {
        for asset in &ASSETS {
            let mut plain = Vec::new();
            flate2::read::GzDecoder::new(&asset.gzip()[..]).read_to_end(&mut plain).unwrap();
            assert!(!plain.is_empty() && plain[..] == asset.plain()[..], "{}", asset.name);
        }
        assert!(style_sheet().contains("--") && icon().starts_with("<svg"));
    }
}
