//! Requests that are sent again. An idempotent one without a body is, once, if a reused connection closes: that saves a 502 for one in ten
//! requests that meet a closing connection. Any is, if the application has certainly not processed it (RFC 9113, 8.7).

use std::error::Error;

use h2::Reason;
use http::Request;
use hyper::body::Body;
use tokio::task::yield_now;

use super::upload::Upload;

/// So many connections are tried for a request that none processes.
pub(super) const MOST_ATTEMPTS: usize = 4;

/// A copy of a request that is sent. The names of its headers are in lower case.
pub(super) struct RequestCopy {
    request: Request<Upload>,
    /// Whether the request may be processed twice (RFC 9110, 9.2.2).
    is_idempotent: bool,
}

impl RequestCopy {
    /// `None` if no failure allows that the request is sent again.
    pub(super) fn new(request: &Request<Upload>, is_http_2: bool) -> Option<Self> {
        let is_idempotent = request.method().is_idempotent() && request.body().is_end_stream();
        if !is_idempotent && !is_http_2 {
            return None;
        }
        let mut copy = Request::new(request.body().copy());
        copy.method_mut().clone_from(request.method());
        copy.uri_mut().clone_from(request.uri());
        copy.headers_mut().clone_from(request.headers());
        Some(Self { request: copy, is_idempotent })
    }

    /// The application has answered. hyper announces that it closes the client's connection because of an unread rest of the body, if it sees
    /// before the answer that nobody will read that.
    pub(super) async fn release(self) {
        let is_last = self.request.body().is_last_and_unread();
        drop(self);
        if is_last {
            yield_now().await;
        }
    }

    /// The request to send again, after the application refused it.
    pub(super) fn after_refusal(self) -> Option<Request<Upload>> {
        self.request.body().is_whole().then_some(self.request)
    }

    /// The request to send again, after an idle connection was closed.
    pub(super) fn after_close(self) -> Option<Request<Upload>> {
        self.is_idempotent.then_some(self.request)
    }
}

/// How the application said that it has not processed a request of HTTP/2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StreamRefusal {
    /// It ends the connection, and the request came too late.
    ConnectionEnds,
    /// It takes no further request now.
    Stream,
}

impl StreamRefusal {
    pub(super) fn from_error(error: &hyper::Error) -> Option<Self> {
        let error = error.source()?.downcast_ref::<h2::Error>().filter(|error| error.is_remote())?;
        match () {
            // h2 gives this error to streams above the last one that the application names.
            () if error.is_go_away() => Some(Self::ConnectionEnds),
            () if error.reason() == Some(Reason::REFUSED_STREAM) => Some(Self::Stream),
            () => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_an_idempotent_request_without_a_body_is_copied_for_http_1() {
        let target = "/a%20b?c=d:e%0A";
        for (method, target, is_idempotent) in [
            ("GET", target, true),
            ("HEAD", target, true),
            ("PUT", target, true),
            ("OPTIONS", "*", true),
            ("POST", target, false),
        ] {
            let request = Request::builder().method(method).uri(target).header("host", "a:1").header("x-empty", "");
            let value = HeaderValue::from_bytes(b"caf\xe9: \"1\"").unwrap();
            let request = request.header("x-two", value).header("x-two", "2").body(Upload::NONE).unwrap();
            let copied = |is_http_2| RequestCopy::new(&request, is_http_2);
            assert_eq!(copied(false).is_some(), is_idempotent, "{method}: an order might be placed twice");
            assert_eq!(copied(true).and_then(RequestCopy::after_close).is_some(), is_idempotent, "{method}");
            let copy = copied(true).and_then(RequestCopy::after_refusal).expect("nothing of it was processed");
            assert_eq!((copy.method(), copy.uri()), (request.method(), request.uri()));
            assert_eq!(copy.headers(), request.headers());
        }
    }
}
