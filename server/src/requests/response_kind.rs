//! What a response is, and what its end counts as.

use http::{HeaderMap, HeaderValue, header};
use watchboard_wire::ErrorKind;

use super::{
    ending::{CLIENT_CLOSED_REQUEST, Outcome},
    grpc::is_grpc_type,
    waiting::is_stream_type,
};

/// Kinds of responses that are recorded otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResponseKind {
    Plain,
    /// The body goes on while there is something to tell. Its client always ends it, so its time is no latency.
    Stream,
    /// The outcome is a field of gRPC.
    Grpc,
}

impl From<&HeaderMap> for ResponseKind {
    fn from(headers: &HeaderMap) -> Self {
        let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
        if is_stream_type(kind) {
            Self::Stream
        } else if is_grpc_type(kind) {
            Self::Grpc
        } else {
            Self::Plain
        }
    }
}

/// Whether a response with these headers is a stream, such as server-sent events: its body goes on while there is something to tell.
/// Only the type is looked at: a response whose length is known is no stream, whatever its type.
///
/// ```
/// use http::{HeaderMap, HeaderValue, header};
///
/// let events = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"))]);
/// assert!(watchboard::is_stream(&events));
/// ```
#[must_use]
pub fn is_stream(headers: &HeaderMap) -> bool {
    ResponseKind::from(headers) == ResponseKind::Stream
}

impl ResponseKind {
    /// The kind of a response whose length is known: no stream.
    pub(super) fn with_length(self) -> Self {
        if self == Self::Stream { Self::Plain } else { self }
    }
}

/// The kind of error that an ended request is.
pub(super) fn error_kind(outcome: Outcome, status: u16, panicked: bool, kind: ResponseKind) -> Option<ErrorKind> {
    match (outcome, status) {
        _ if panicked => Some(ErrorKind::Panic),
        // The client of a stream always ends it. A call of gRPC whose answer has begun is one too, or its client wants no more of it.
        (Outcome::Dropped, _) if kind != ResponseKind::Plain => None,
        (Outcome::Complete, CLIENT_CLOSED_REQUEST) if kind == ResponseKind::Grpc => None,
        (_, 500..) | (Outcome::Failed, _) => Some(ErrorKind::Server),
        (Outcome::Dropped, _) => Some(ErrorKind::Dropped),
        (Outcome::Complete, 400..) => Some(ErrorKind::Client),
        (Outcome::Complete, _) => None,
    }
}
