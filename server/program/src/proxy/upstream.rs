//! The address of the application.

use http::uri::Authority;

/// Its host, without the brackets of IPv6, and its port.
pub(crate) fn host_and_port(upstream: &Authority) -> (&str, u16) {
    let host = upstream.host().trim_start_matches('[').trim_end_matches(']');
    (host, upstream.port_u16().unwrap_or(80))
}
