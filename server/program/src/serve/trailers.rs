//! Trailers as bytes. hyper sends only those that `Trailer` names, and to clients only those that `TE` asks for.

use http::{HeaderMap, HeaderName, header};

/// The lines of these trailers. Fields that frame, route or authorise a message may not be trailers (RFC 9110, 6.5.1).
pub(crate) fn encode(trailers: &HeaderMap, may_pass: impl Fn(&HeaderName) -> bool) -> Vec<u8> {
    let mut lines = vec![];
    for (name, value) in trailers {
        if !is_forbidden(name) && may_pass(name) {
            lines.extend_from_slice(name.as_str().as_bytes());
            lines.extend_from_slice(b": ");
            lines.extend_from_slice(value.as_bytes());
            lines.extend_from_slice(b"\r\n");
        }
    }
    lines
}

fn is_forbidden(name: &HeaderName) -> bool {
    matches!(
        *name,
        header::AUTHORIZATION
            | header::CACHE_CONTROL
            | header::CONNECTION
            | header::CONTENT_ENCODING
            | header::CONTENT_LENGTH
            | header::CONTENT_RANGE
            | header::CONTENT_TYPE
            | header::COOKIE
            | header::EXPECT
            | header::FORWARDED
            | header::HOST
            | header::MAX_FORWARDS
            | header::SET_COOKIE
            | header::TE
            | header::TRAILER
            | header::TRANSFER_ENCODING
            | header::UPGRADE
    )
}
