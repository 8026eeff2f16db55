//! Saves a 502 for one in ten requests that meet a closing connection: such a request is retried once.

use http::Request;
use hyper::body::Body;

use super::upload::Upload;

/// A copy of an idempotent request (RFC 9110, 9.2.2) without a body. No other request may be sent twice. The names of its headers are in
/// lower case.
pub(super) fn copy(request: &Request<Upload>) -> Option<Request<Upload>> {
    if !request.method().is_idempotent() || !request.body().is_end_stream() {
        return None;
    }
    let mut copy = Request::new(Upload::NONE);
    copy.method_mut().clone_from(request.method());
    copy.uri_mut().clone_from(request.uri());
    copy.headers_mut().clone_from(request.headers());
    Some(copy)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_an_idempotent_request_without_a_body_is_copied() {
        let target = "/a%20b?c=d:e%0A";
        for (method, target, is_copied) in [
            ("GET", target, true),
            ("HEAD", target, true),
            ("PUT", target, true),
            ("OPTIONS", "*", true),
            ("POST", target, false),
        ] {
            let request = Request::builder().method(method).uri(target).header("host", "a:1").header("x-empty", "");
            let value = HeaderValue::from_bytes(b"caf\xe9: \"1\"").unwrap();
            let request = request.header("x-two", value).header("x-two", "2").body(Upload::NONE).unwrap();
            let copy = copy(&request);
            assert_eq!(copy.is_some(), is_copied, "{method}: an order might be placed twice");
            if let Some(copy) = copy {
                assert_eq!((copy.method(), copy.uri()), (request.method(), request.uri()));
                assert_eq!(copy.headers(), request.headers());
            }
        }
    }
}
