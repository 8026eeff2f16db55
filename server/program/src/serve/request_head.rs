//! Looks at the head of a request before hyper does: hyper drops a part of some targets, and refuses heads that nobody then counts.

use std::{mem::MaybeUninit, ops::Range};

use bytes::Bytes;
use http::{StatusCode, Uri};
use httparse::{Error, Header, Request, Status};
use thiserror::Error;

use super::body_framing::BodyFraming;

/// The largest head of a request: method, path and headers.
pub(super) const HEAD_BYTES: u32 = 64 << 10;
/// Fields of a head, at most. Each parse reserves room for as many.
pub(crate) const MAX_FIELDS: usize = 2000;
/// Fields for which there is room on the stack.
const USUAL_FIELDS: usize = 64;

/// A longer escaped target is cut.
const MAX_ESCAPED_BYTES: usize = 8 << 10;
/// In a larger head a target grows no longer.
const LARGE_HEAD_BYTES: usize = HEAD_BYTES as usize / 2;

/// Why a head is refused.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum HeadError {
    #[error("the request's first line is not one of HTTP/1")]
    Line,
    #[error("the request's target is not one of HTTP")]
    Target,
    #[error("a header of the request is malformed")]
    Field,
    #[error("the request has more than {MAX_FIELDS} headers")]
    TooManyFields,
    #[error("the request's head is too large")]
    TooLarge,
    #[error("the request's Content-Length is not a length")]
    Length,
    #[error("the request's Transfer-Encoding does not end in chunks, or is one of HTTP/1.0")]
    Coding,
}

impl HeadError {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::TooManyFields | Self::TooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl From<Error> for HeadError {
    fn from(error: Error) -> Self {
        match error {
            Error::TooManyHeaders => Self::TooManyFields,
            Error::HeaderName | Error::HeaderValue | Error::NewLine => Self::Field,
            _ => Self::Line,
        }
    }
}

/// A head that hyper takes.
#[derive(Debug)]
pub(super) struct RequestHead {
    pub(super) length: usize,
    pub(super) body: BodyFraming,
    pub(super) wants_upgrade: bool,
}

/// Bytes with an escaped target, and the target as it came.
#[derive(Debug)]
pub(super) struct EscapedTarget {
    pub(super) bytes: Vec<u8>,
    pub(super) original: Bytes,
}

/// Parses the head at the beginning of these bytes, as hyper does. `None`: it is not complete.
///
/// # Errors
/// The head is malformed, or its body has no certain end.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<RequestHead>, HeadError> {
    match parse_with(bytes, &mut [MaybeUninit::uninit(); USUAL_FIELDS]) {
        Err(HeadError::TooManyFields) => parse_with(bytes, &mut vec![MaybeUninit::uninit(); MAX_FIELDS]),
        parsed => parsed,
    }
}

fn parse_with<'a>(bytes: &'a [u8], fields: &mut [MaybeUninit<Header<'a>>]) -> Result<Option<RequestHead>, HeadError> {
    let mut request = Request::new(&mut []);
    let Status::Complete(length) = request.parse_with_uninit_headers(bytes, fields)? else { return Ok(None) };
    let (target, is_http_11) = (request.path.unwrap_or_default(), request.version == Some(1));
    if !target.starts_with('/') && target != "*" && target.parse::<Uri>().is_err() {
        return Err(HeadError::Target);
    }
    let (mut length_field, mut coding, mut wants_upgrade) = (None, None, request.method == Some("CONNECT"));
    for field in request.headers.iter() {
        match field.name.len() {
            14 if field.name.eq_ignore_ascii_case("content-length") && coding.is_none() => {
                let parsed = parse_length(field.value).ok_or(HeadError::Length)?;
                if length_field.is_some_and(|before| before != parsed) {
                    return Err(HeadError::Length);
                }
                length_field = Some(parsed);
            }
            17 if field.name.eq_ignore_ascii_case("transfer-encoding") => {
                let last = field.value.rsplit(|byte| *byte == b',').next().unwrap_or_default();
                coding = Some(last.trim_ascii().eq_ignore_ascii_case(b"chunked"));
            }
            // An upgrade to HTTP/2 is ignored (`headers::upgrade`).
            7 if field.name.eq_ignore_ascii_case("upgrade") => wants_upgrade |= is_http_11 && !lists_h2c(field.value),
            _ => {}
        }
    }
    let body = match coding {
        None => BodyFraming::Length(length_field.unwrap_or_default()),
        Some(true) if is_http_11 => BodyFraming::CHUNKED,
        Some(_) => return Err(HeadError::Coding),
    };
    Ok(Some(RequestHead { length, body, wants_upgrade }))
}

fn lists_h2c(value: &[u8]) -> bool {
    value.split(|byte| *byte == b',').any(|protocol| protocol.trim_ascii().eq_ignore_ascii_case(b"h2c"))
}

fn parse_length(value: &[u8]) -> Option<u64> {
    let is_number = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    // hyper has other uses for the two largest.
    std::str::from_utf8(value).ok().filter(|_| is_number)?.parse().ok().filter(|length| *length < u64::MAX - 1)
}

/// The same bytes with an escaped target, if the target in their first line has bytes that hyper drops or refuses.
pub(super) fn escape_target(bytes: &[u8]) -> Option<EscapedTarget> {
    let range = target(bytes).filter(|range| !is_plain(&bytes[range.clone()]))?;
    let (at, target, behind) = (range.start, &bytes[range.clone()], &bytes[range.end..]);
    let mut escaped = bytes[..at].to_vec();
    for byte in target {
        if PLAIN[usize::from(*byte)] {
            escaped.push(*byte);
        } else {
            escaped.extend(format!("%{byte:02X}").bytes());
        }
    }
    // Rows are named by its beginning. The head must not outgrow hyper's room for it.
    let most = if bytes.len() > LARGE_HEAD_BYTES { target.len() } else { MAX_ESCAPED_BYTES };
    escaped.truncate(at + most);
    escaped.extend_from_slice(behind);
    Some(EscapedTarget { bytes: escaped, original: Bytes::copy_from_slice(target) })
}

/// Whether the target in their first line has such bytes.
pub(super) fn has_odd_target(bytes: &[u8]) -> bool {
    target(bytes).is_some_and(|range| !is_plain(&bytes[range]))
}

/// Where the target is.
fn target(bytes: &[u8]) -> Option<Range<usize>> {
    let begin = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n'))?;
    let at = begin + bytes[begin..].iter().position(|byte| matches!(byte, b' ' | b'\n'))? + 1;
    let length = bytes[at..].iter().position(|byte| *byte <= b' ')?;
    (bytes[at + length] == b' ').then_some(at..at + length)
}

fn is_plain(target: &[u8]) -> bool {
    target.iter().all(|byte| PLAIN[usize::from(*byte)])
}

/// The bytes of a target that hyper keeps as they are (RFC 3986), and control characters, which it refuses.
static PLAIN: [bool; 256] = {
    let (mut plain, others) = ([false; 256], b"-._~:/?[]@!$&'()*+,;=%");
    let mut byte = 0;
    while byte < 256 {
        plain[byte] = byte < 0x20 || byte == 0x7f || (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < others.len() {
        plain[others[at] as usize] = true;
        at += 1;
    }
    plain
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_odd_target_is_escaped_and_kept() {
        for (target, escaped) in [
            ("/a#b", Some("/a%23b")),
            ("/<a>?b=`c`\"|\\^{}", Some("/%3Ca%3E?b=%60c%60%22%7C%5C%5E%7B%7D")),
            ("http://a/b#c", Some("http://a/b%23c")),
            ("/a%20b/?c=[d]&e='f'", None),
            ("*", None),
        ] {
            let line = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
            let found = escape_target(line(target).as_bytes());
            assert_eq!(
                found.as_ref().map(|found| found.bytes.clone()),
                escaped.map(|escaped| line(escaped).into_bytes())
            );
            assert_eq!(found.map(|found| found.original), escaped.map(|_| Bytes::copy_from_slice(target.as_bytes())));
        }
        let found = escape_target(b"\r\nGET /caf\xe9 HTTP/1.1\r\n").unwrap();
        assert_eq!(found.bytes, b"\r\nGET /caf%E9 HTTP/1.1\r\n");
    }

    #[test]
    fn a_head_is_found_with_the_end_of_its_body() {
        let parse = |text: &str| parse(text.as_bytes()).map(|head| head.map(|head| (head.length, head.body)));
        assert_eq!(parse("GET / HTTP/1.1\r\nHost: a\r\n"), Ok(None));
        assert_eq!(parse("GET / HTTP/1.1\r\n\r\nGET"), Ok(Some((18, BodyFraming::NONE))));
        assert_eq!(parse("GET / HTTP/1.1\nContent-Length: 7\n\n"), Ok(Some((34, BodyFraming::Length(7)))));
        let both = "POST / HTTP/1.1\r\nContent-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(parse(both), Ok(Some((both.len(), BodyFraming::CHUNKED))));
        for (text, error) in [
            ("GET /\r\n\r\n", HeadError::Line),
            ("GET a:b/c HTTP/1.1\r\n\r\n", HeadError::Target),
            ("GET / HTTP/1.1\r\nA : b\r\n\r\n", HeadError::Field),
            ("GET / HTTP/1.1\r\nContent-Length: +1\r\n\r\n", HeadError::Length),
            ("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", HeadError::Coding),
        ] {
            assert_eq!(parse(text), Err(error), "{text:?}");
        }
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(MAX_FIELDS));
        assert_eq!(parse(&many), Ok(Some((many.len(), BodyFraming::NONE))));
        assert_eq!(parse(&format!("GET / HTTP/1.1\r\nA: b\r\n{}", &many[16..])), Err(HeadError::TooManyFields));
    }
}
