//! The outcome of a gRPC call. Its HTTP status is 200 whatever happens: `grpc-status` has the outcome, behind the body or, without a body, in
//! the head.

use http::HeaderMap;

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
    (501, "UNIMPLEMENTED (gRPC 12)"),
    (500, "INTERNAL (gRPC 13)"),
    (503, "UNAVAILABLE (gRPC 14)"),
    (500, "DATA_LOSS (gRPC 15)"),
    (401, "UNAUTHENTICATED (gRPC 16)"),
];

impl GrpcStatus {
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
