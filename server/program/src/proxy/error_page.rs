//! The responses that the proxy makes itself. They tell clients the error and the next step, and nothing of the inside.

use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use watchboard::UpstreamTiming;

use super::{failure::Failure, response_body::ResponseBody};

/// The response to a wrong request. It closes the client's connection: the rest of the bytes has no known meaning.
pub(super) fn refusal_response(
    status: StatusCode,
    sentence: &str,
    accept: Option<&HeaderValue>,
) -> Response<ResponseBody> {
    let mut response = page(status, sentence, accept).map(ResponseBody::from_page);
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The response in place of the application's.
pub(super) fn failure_response(
    failure: Failure,
    timing: UpstreamTiming,
    accept: Option<&HeaderValue>,
) -> Response<ResponseBody> {
    let mut response = page(failure.status(), failure.sentence(), accept).map(ResponseBody::from_page);
    response.extensions_mut().insert(timing);
    response
}

/// A page for browsers, a sentence for other clients.
fn page(status: StatusCode, sentence: &str, accept: Option<&HeaderValue>) -> Response<Full<Bytes>> {
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
    // Responses of the application bring their own.
    if let Ok(date) = HeaderValue::try_from(httpdate::HttpDate::from(SystemTime::now()).to_string()) {
        headers.insert(header::DATE, date);
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// Status and sentence are our own words. Nothing of the request is in them.
fn html(status: StatusCode, sentence: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\"><title>{status}</title></head>\
         <body><h1>{status}</h1><p>{sentence}</p></body></html>\n"
    )
}
