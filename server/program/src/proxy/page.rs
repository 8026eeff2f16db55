//! What clients see when the application does not answer. It tells them what happened and what to do, and nothing of the inside.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;

/// A page for browsers, a sentence for all others.
pub(super) fn page(status: StatusCode, sentence: &str, accept: Option<&HeaderValue>) -> Response<Full<Bytes>> {
    let accept = accept.and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let (kind, text) = if accept.contains("text/html") {
        ("text/html; charset=utf-8", html(status, sentence))
    } else {
        ("text/plain; charset=utf-8", format!("{status}: {sentence}\n"))
    };
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// Both are our own words, without anything of the request.
fn html(status: StatusCode, sentence: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\"><title>{status}</title></head>\
         <body><h1>{status}</h1><p>{sentence}</p></body></html>\n"
    )
}
