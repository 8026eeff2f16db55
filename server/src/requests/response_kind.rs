//! What a response is, and what its end counts as.

use http::{HeaderMap, HeaderValue, header};
use watchboard_wire::ErrorKind;

use super::endpoint::Outcome;

/// gRPC's answer for a method that does not exist, as a status of HTTP.
const NOT_IMPLEMENTED: u16 = 501;

/// Kinds of responses that are recorded otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResponseKind {
    Plain,
    /// The latency of an event stream is the time until its head: the body lasts as long as the client wants.
    EventStream,
    /// The outcome is a field of gRPC.
    Grpc,
}

impl From<&HeaderMap> for ResponseKind {
    fn from(headers: &HeaderMap) -> Self {
        let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
        if kind.starts_with(b"text/event-stream") {
            Self::EventStream
        } else if kind.starts_with(b"application/grpc") {
            Self::Grpc
        } else {
            Self::Plain
        }
    }
}

impl ResponseKind {
    /// Whether a status is an error of the client, such as a path that does not exist.
    pub(super) fn is_client_error(self, status: u16) -> bool {
        (400..500).contains(&status) || (self == Self::Grpc && status == NOT_IMPLEMENTED)
    }
}

/// The kind of error that an ended request is.
pub(super) fn error_kind(outcome: Outcome, status: u16, panicked: bool, kind: ResponseKind) -> Option<ErrorKind> {
    match (outcome, status) {
        _ if panicked => Some(ErrorKind::Panic),
        // The client of an event stream always ends it.
        (Outcome::Dropped, _) if kind == ResponseKind::EventStream => None,
        (_, 500..) | (Outcome::Failed, _) => Some(ErrorKind::Server),
        (Outcome::Dropped, _) => Some(ErrorKind::Dropped),
        (Outcome::Complete, 400..) => Some(ErrorKind::Client),
        (Outcome::Complete, _) => None,
    }
}

/// Whether a response's body is readable text: plain text or JSON, not compressed.
pub(super) fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    (kind.starts_with("text/plain") || kind.contains("json")) && !headers.contains_key(header::CONTENT_ENCODING)
}
