//! The id that a request brings along, by which its trace or its log lines can be found: the trace id of `traceparent`, else
//! `x-request-id`. No other header is read.

use http::HeaderMap;

/// The length of an id; a longer one is cut. A UUID has 36 characters, a trace id 32.
const MAX_BYTES: usize = 39;

/// An id of a request, held in place so that it needs no allocation.
#[derive(Clone, Copy)]
pub(crate) struct RequestId {
    length: u8,
    bytes: [u8; MAX_BYTES],
}

impl RequestId {
    pub(crate) const EMPTY: Self = Self { length: 0, bytes: [0; MAX_BYTES] };

    /// The id in the headers; empty if there is none.
    pub(super) fn from_headers(headers: &HeaderMap) -> Self {
        // One pass over all names: there are few, and two lookups take longer.
        let mut id = Self::EMPTY;
        for (name, value) in headers {
            match name.as_str() {
                // version-traceid-parentid-flags, each of a fixed length in the only version so far.
                "traceparent" if value.len() >= 35 && value.as_bytes()[3..35] != [b'0'; 32] => {
                    return Self::from_bytes(&value.as_bytes()[3..35]);
                }
                "x-request-id" if id.length == 0 => id = Self::from_bytes(value.as_bytes()),
                _ => {}
            }
        }
        id
    }

    fn from_bytes(text: &[u8]) -> Self {
        let length = text.len().min(MAX_BYTES);
        let mut id = Self { length: length as u8, ..Self::EMPTY };
        id.bytes[..length].copy_from_slice(&text[..length]);
        id
    }

    /// The id as text; `None` if there is none, or if it has characters that no id has.
    pub(crate) fn text(&self) -> Option<&str> {
        let text = std::str::from_utf8(&self.bytes[..usize::from(self.length)]).ok()?;
        let is_of_id = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/=+".contains(&byte);
        (!text.is_empty() && text.bytes().all(is_of_id)).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderName;

    type Header = (&'static str, &'static str);

    fn id_of<const N: usize>(headers: [Header; N]) -> Option<String> {
        let headers = headers.map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        RequestId::from_headers(&HeaderMap::from_iter(headers)).text().map(ToOwned::to_owned)
    }

    fn id(name: &'static str, value: &'static str) -> Option<String> {
        id_of([(name, value)])
    }

    #[test]
    fn the_trace_id_goes_first_wherever_it_stands() {
        let trace = ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        let request = ("x-request-id", "7f9c");
        for headers in [[trace, request], [request, trace]] {
            assert_eq!(id_of(headers).as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
        }
        assert_eq!(id_of([("traceparent", "00-short"), request]).as_deref(), Some("7f9c"));
    }

    #[test]
    fn the_trace_id_or_the_request_id_is_kept() {
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(id("traceparent", parent).as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
        assert_eq!(id("x-request-id", "7f9c").as_deref(), Some("7f9c"));
        assert_eq!(id("x-request-id", &"x".repeat(99).leak()[..]).unwrap().len(), MAX_BYTES);
        for (name, value) in [
            ("traceparent", "00-short"),
            ("x-request-id", "two words"),
            ("x-request-id", "jane@example.com"),
            ("authorization", "secret"),
        ] {
            assert_eq!(id(name, value), None, "{name}: {value}");
        }
    }
}
