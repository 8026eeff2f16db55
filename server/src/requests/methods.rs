//! Methods by their names in IANA's registry, which has extensions such as `PROPFIND` as well. Clients can invent methods, so all others
//! share one name.

use http::Method;

/// OpenTelemetry's name for a method that is not registered.
const OTHER_METHOD: &str = "_OTHER";

/// The most frequent first. The last stands for all methods that are not listed.
pub(super) const METHODS: [&str; 41] = [
    "GET",
    "POST",
    "PUT",
    "DELETE",
    "PATCH",
    "HEAD",
    "OPTIONS",
    "CONNECT",
    "TRACE",
    "ACL",
    "BASELINE-CONTROL",
    "BIND",
    "CHECKIN",
    "CHECKOUT",
    "COPY",
    "LABEL",
    "LINK",
    "LOCK",
    "MERGE",
    "MKACTIVITY",
    "MKCALENDAR",
    "MKCOL",
    "MKREDIRECTREF",
    "MKWORKSPACE",
    "MOVE",
    "ORDERPATCH",
    "PRI",
    "PROPFIND",
    "PROPPATCH",
    "QUERY",
    "REBIND",
    "REPORT",
    "SEARCH",
    "UNBIND",
    "UNCHECKOUT",
    "UNLINK",
    "UNLOCK",
    "UPDATE",
    "UPDATEREDIRECTREF",
    "VERSION-CONTROL",
    OTHER_METHOD,
];
/// Methods that `http` has constants for.
const OF_HTTP: usize = 9;

/// The index of a method in [`METHODS`].
pub(super) fn method_index(method: &Method) -> usize {
    match *method {
        Method::GET => 0,
        Method::POST => 1,
        Method::PUT => 2,
        Method::DELETE => 3,
        Method::PATCH => 4,
        Method::HEAD => 5,
        Method::OPTIONS => 6,
        Method::CONNECT => 7,
        Method::TRACE => 8,
        _ => {
            let name = method.as_str();
            let registered = METHODS[OF_HTTP..].binary_search(&name);
            registered.map_or(METHODS.len() - 1, |index| OF_HTTP + index)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_has_its_own_name() {
        assert!(METHODS[OF_HTTP..].is_sorted());
        for name in METHODS {
            assert_eq!(METHODS[method_index(&Method::from_bytes(name.as_bytes()).unwrap())], name);
        }
        for invented in ["BREW", "propfind", "ZZZ", "A"] {
            assert_eq!(METHODS[method_index(&Method::from_bytes(invented.as_bytes()).unwrap())], OTHER_METHOD);
        }
    }
}
