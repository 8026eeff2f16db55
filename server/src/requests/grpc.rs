//! A gRPC call: its name, and its outcome. Its HTTP status is 200 whatever happens: `grpc-status` has the outcome, behind the body or, without a body, in
//! the head.

use std::time::Duration;

use http::{HeaderMap, Method, header};

/// A longer path names no call.
const MAX_NAME_BYTES: usize = 200;

/// Whether a request is a call of gRPC: its path is `/package.Service/Method`. Both names stand in the application's source, and a path that it
/// does not know is answered by UNIMPLEMENTED.
pub(super) fn is_call(method: &Method, path: &str, headers: &HeaderMap) -> bool {
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let names_call = || {
        let names = path.strip_prefix('/').and_then(|path| path.split_once('/'));
        let are_names = |(service, method): (&str, &str)| service.split('.').all(is_name) && is_name(method);
        path.len() <= MAX_NAME_BYTES && names.is_some_and(are_names)
    };
    let is_grpc = || headers.get(header::CONTENT_TYPE).is_some_and(|kind| is_grpc_type(kind.as_bytes()));
    *method == Method::POST && is_grpc() && names_call()
}

pub(super) fn is_grpc_type(content_type: &[u8]) -> bool {
    content_type.starts_with(b"application/grpc")
}

/// The bytes of the message that begins here, with the five of its own head; zero if they are not all here.
pub(super) fn message_bytes(bytes: &[u8]) -> u64 {
    match *bytes {
        [_, a, b, c, d, ..] => u64::from(u32::from_be_bytes([a, b, c, d])) + 5,
        _ => 0,
    }
}

/// How long the client of a call waits (`grpc-timeout`).
pub(super) fn deadline(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let is_number = !number.is_empty() && number.len() <= 8 && number.bytes().all(|byte| byte.is_ascii_digit());
    let count: u64 = number.parse().ok().filter(|_| is_number)?;
    Some(match unit {
        "H" => Duration::from_secs(count * 3600),
        "M" => Duration::from_secs(count * 60),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return None,
    })
}

/// A status of gRPC other than `OK`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GrpcStatus {
    /// The status of HTTP that means the same, by Google's table.
    pub(super) http: u16,
    /// Its name and number.
    pub(super) text: &'static str,
}

/// By number, from 1 on.
const STATUSES: [(u16, &str); 16] = [
    (499, "CANCELLED (gRPC 1)"),
    (500, "UNKNOWN (gRPC 2)"),
    (400, "INVALID_ARGUMENT (gRPC 3)"),
    (504, "DEADLINE_EXCEEDED (gRPC 4)"),
    (404, "NOT_FOUND (gRPC 5)"),
    (409, "ALREADY_EXISTS (gRPC 6)"),
    (403, "PERMISSION_DENIED (gRPC 7)"),
    (429, "RESOURCE_EXHAUSTED (gRPC 8)"),
    (400, "FAILED_PRECONDITION (gRPC 9)"),
    (409, "ABORTED (gRPC 10)"),
    (400, "OUT_OF_RANGE (gRPC 11)"),
    (404, "UNIMPLEMENTED (gRPC 12)"),
    (500, "INTERNAL (gRPC 13)"),
    (503, "UNAVAILABLE (gRPC 14)"),
    (500, "DATA_LOSS (gRPC 15)"),
    (401, "UNAUTHENTICATED (gRPC 16)"),
];

impl GrpcStatus {
    /// Whether the deadline of the call was over before its end.
    pub(super) fn is_deadline(self) -> bool {
        self.http == 504
    }

    /// `None`: the call succeeded, or these are no fields of gRPC.
    pub(super) fn from_fields(fields: &HeaderMap) -> Option<Self> {
        let number: usize = fields.get("grpc-status")?.to_str().ok()?.parse().ok()?;
        if number == 0 {
            return None;
        }
        let (http, text) = STATUSES.get(number - 1).copied().unwrap_or((500, "a status that gRPC does not know"));
        Some(Self { http, text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_known_by_its_type_and_its_name() {
        let call = |path: &str, kind: &'static str| {
            let headers = [(header::CONTENT_TYPE, kind.parse().unwrap())].into_iter().collect();
            is_call(&Method::POST, path, &headers)
        };
        for path in ["/helloworld.Greeter/SayHello", "/etcdserverpb.KV/Range", "/Echo/ping_2"] {
            assert!(call(path, "application/grpc") && call(path, "application/grpc+proto"), "{path}");
            assert!(!call(path, "application/json"));
        }
        for path in ["/", "/a", "/a.b/c/d", "/a..b/C", "/a.b/", "/users/42", "/a%20b/C", "/jane@example.com/C"] {
            assert!(!call(path, "application/grpc"), "{path}");
        }
    }

    #[test]
    fn a_message_has_its_length_in_its_head() {
        assert_eq!(message_bytes(&[0, 0, 0, 1, 2, 9, 9]), 263);
        assert_eq!(message_bytes(&[0, 0, 0, 1]), 0);
    }

    #[test]
    fn a_deadline_has_its_unit() {
        let deadline_of = |value: &'static str| {
            let fields = [(http::HeaderName::from_static("grpc-timeout"), value.parse().unwrap())];
            deadline(&fields.into_iter().collect())
        };
        assert_eq!(deadline_of("1500m"), Some(Duration::from_millis(1500)));
        assert_eq!(deadline_of("99999999H"), Some(Duration::from_hours(99_999_999)));
        assert_eq!(["", "m", "5", "+5S", "5s", "123456789S"].map(deadline_of), [None; 6]);
    }

    #[test]
    fn a_status_has_its_name_and_its_meaning() {
        let status = |number: &'static str| {
            let fields =
                [(http::HeaderName::from_static("grpc-status"), number.parse().unwrap())].into_iter().collect();
            GrpcStatus::from_fields(&fields).map(|status| (status.http, status.text))
        };
        assert_eq!(status("0"), None);
        assert_eq!(status("5"), Some((404, "NOT_FOUND (gRPC 5)")));
        assert_eq!(status("16"), Some((401, "UNAUTHENTICATED (gRPC 16)")));
        assert_eq!(status("17").map(|(http, _)| http), Some(500));
        assert_eq!(status("x"), None);
        assert_eq!(GrpcStatus::from_fields(&HeaderMap::new()), None);
    }
}
