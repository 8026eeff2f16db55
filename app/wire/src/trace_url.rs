//! Where the viewer's own tool shows the trace of a request.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

const TRACE_ID: &str = "{trace_id}";
const REQUEST_ID: &str = "{request_id}";
/// The length of a trace id in hexadecimal digits.
const TRACE_ID_LENGTH: usize = 32;
/// It goes with every answer to a page.
const MAX_BYTES: usize = 1_000;
/// Beside letters and digits these mean themselves in every part of a URL (RFC 3986, 2.3).
const UNRESERVED: &[u8] = b"-_.~";

/// A template of URLs, with `{trace_id}` or `{request_id}` in the place of the id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceUrl(String);

/// Why a text is no such template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TraceUrlError {
    /// It has another scheme, or no host.
    #[error("it is not a URL of http or https, as in https://jaeger.local/trace/{TRACE_ID}")]
    NoUrl,
    /// No id has a place in it.
    #[error("it has neither {TRACE_ID} nor {REQUEST_ID} behind its host, for which the page puts the id of a request")]
    NoId,
    /// A client chooses its request's id, so it must not choose the host of a link.
    #[error("its host is fixed: {TRACE_ID} and {REQUEST_ID} stand behind it")]
    IdInHost,
    /// It has too many bytes.
    #[error("it has more than {MAX_BYTES} bytes")]
    TooLong,
}

impl FromStr for TraceUrl {
    type Err = TraceUrlError;

    /// # Errors
    /// The text is no URL of http or https, or no id has a place in it.
    fn from_str(text: &str) -> Result<Self, TraceUrlError> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
        let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let has_id = |part: &str| part.contains(TRACE_ID) || part.contains(REQUEST_ID);
        let is_blank = |character: char| character.is_whitespace() || character.is_control();
        match text.len() {
            length if length > MAX_BYTES => Err(TraceUrlError::TooLong),
            _ if host.is_empty() || text.contains(is_blank) => Err(TraceUrlError::NoUrl),
            _ if has_id(host) => Err(TraceUrlError::IdInHost),
            _ if !has_id(path) => Err(TraceUrlError::NoId),
            _ => Ok(Self(text.to_owned())),
        }
    }
}

impl fmt::Display for TraceUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TraceUrl {
    /// The address for an id; `None` if the template wants a trace id and this is another one.
    pub fn address(&self, id: &str) -> Option<String> {
        let is_trace_id = id.len() == TRACE_ID_LENGTH && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        if self.0.contains(TRACE_ID) && !is_trace_id {
            return None;
        }
        let encode = |byte: u8| match byte {
            byte if byte.is_ascii_alphanumeric() || UNRESERVED.contains(&byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        };
        let id: String = id.bytes().map(encode).collect();
        Some(self.0.replace(TRACE_ID, &id).replace(REQUEST_ID, &id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn address(template: &str, id: &str) -> Option<String> {
        template.parse::<TraceUrl>().unwrap().address(id)
    }

    #[test]
    fn an_id_stands_in_its_place_and_means_nothing_else() {
        assert_eq!(address("https://j/trace/{trace_id}?a=b", TRACE).unwrap(), format!("https://j/trace/{TRACE}?a=b"));
        assert_eq!(
            address("http://logs/?q={request_id}", "a/b+c=d:e.f").unwrap(),
            "http://logs/?q=a%2Fb%2Bc%3Dd%3Ae.f"
        );
        assert_eq!(address("http://logs/{request_id}#{request_id}", "../x").unwrap(), "http://logs/..%2Fx#..%2Fx");
    }

    #[test]
    fn a_request_id_is_no_trace_id() {
        for id in ["", "req-7", "4bf92f3577b34da6a3ce929d0e0e473", "zzf92f3577b34da6a3ce929d0e0e4736"] {
            assert_eq!(address("https://j/{trace_id}", id), None, "{id}");
        }
    }

    #[test]
    fn what_is_no_template_says_why() {
        let error = |text: &str| text.parse::<TraceUrl>().unwrap_err();
        for text in
            ["", "jaeger/{trace_id}", "javascript:alert('{trace_id}')", "https:///{trace_id}", "http://a/ {trace_id}"]
        {
            assert_eq!(error(text), TraceUrlError::NoUrl, "{text}");
        }
        assert_eq!(error("https://jaeger.local/trace/"), TraceUrlError::NoId);
        assert_eq!(error("https://{request_id}.local/"), TraceUrlError::IdInHost);
        assert_eq!(error(&format!("https://j/{{trace_id}}{}", "x".repeat(1_000))), TraceUrlError::TooLong);
    }
}
