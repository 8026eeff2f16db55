//! The board's rules for browsers: run only its own script, show it in no other site's frame, and send nothing for another site.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};
use leptos_axum::ResponseOptions;

/// The headers of every response that has not set them itself.
const HEADERS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (header::REFERRER_POLICY, "same-origin"),
    // Figures change each second, and are not for everybody: no cache keeps them.
    (header::CACHE_CONTROL, "no-store"),
];

pub(super) async fn headers(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// The page runs only its own script and WASM, and loads nothing from elsewhere. It draws its icon itself.
pub(super) fn page_policy() {
    let (Some(nonce), Some(response)) = (leptos::nonce::use_nonce(), leptos::prelude::use_context::<ResponseOptions>())
    else {
        return;
    };
    let policy = format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
         connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
}

/// Refuses requests that change something, if another site made the browser send them: they carry the viewer's cookies.
pub(super) async fn same_site(request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) || is_own(&request) {
        return next.run(request).await;
    }
    let reason = "another site had the browser send this, by its Sec-Fetch-Site or Origin header. Use the board's own page; a proxy \
                  before it has to pass the Host header on\n";
    (StatusCode::FORBIDDEN, reason).into_response()
}

/// Whether a request comes from the board's own page, or from no browser. All current browsers send one of the two headers, and no
/// page can change them.
fn is_own(request: &Request) -> bool {
    let text = |name: HeaderName| request.headers().get(name).map(|value| value.to_str().unwrap_or_default());
    match (text(HeaderName::from_static("sec-fetch-site")), text(header::ORIGIN)) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => {
            origin.split_once("://").is_some_and(|(scheme, authority)| is_host(scheme, authority, request))
        }
        (None, None) => true,
    }
}

fn is_host(scheme: &str, authority: &str, request: &Request) -> bool {
    let port = if scheme == "https" { 443 } else { 80 };
    let parts = |authority: &Authority| (authority.host().to_ascii_lowercase(), authority.port_u16().unwrap_or(port));
    let parsed = |text: &str| text.parse::<Authority>().ok().map(|authority| parts(&authority));
    let host = host(request.headers()).map_or_else(|| request.uri().authority().map(parts), parsed);
    host.is_some() && host == parsed(authority)
}

fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn own(headers: &[(&str, &str)]) -> bool {
        let mut request = Request::new(Body::empty());
        for (name, value) in headers {
            request.headers_mut().insert(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        is_own(&request)
    }

    #[test]
    fn only_the_boards_own_pages_and_what_is_no_browser_may_post() {
        assert!(own(&[("host", "board.example")]), "curl");
        assert!(own(&[("sec-fetch-site", "same-origin"), ("origin", "https://board.example"), ("host", "inner:3000")]));
        assert!(own(&[("origin", "http://board.example:3000"), ("host", "board.example:3000")]));
        assert!(own(&[("origin", "https://Board.example"), ("host", "board.example:443")]));
        for site in ["cross-site", "same-site", "", "SAME-ORIGIN, none"] {
            assert!(!own(&[("sec-fetch-site", site), ("origin", "http://a"), ("host", "a")]), "{site}");
        }
        for origin in
            ["null", "", "http://evil.example", "http://board.example:3001", "http://board.example.evil.example"]
        {
            assert!(!own(&[("origin", origin), ("host", "board.example")]), "{origin}");
        }
        assert!(!own(&[("origin", "http://board.example")]), "without a Host");
    }
}
