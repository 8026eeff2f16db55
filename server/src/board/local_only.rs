//! Local requests: what comes from this machine, and is for this machine, without a proxy between.

use std::{
    net::{IpAddr, SocketAddr},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use axum::{
    extract::{ConnectInfo, Request},
    http::{HeaderMap, HeaderName, StatusCode, Version, header, uri::Authority},
    response::{IntoResponse, Response},
};

use super::access::{Access, Pass};

/// An [`Access`] that admits local requests without a login: a loopback peer, a local `Host`, no headers of a proxy, and no HTTP/1.0.
/// Serve the application by `into_make_service_with_connect_info::<SocketAddr>()` for that.
///
/// Every user of the machine sees the board then. **So does everybody else behind a proxy on this machine that adds no header and
/// speaks HTTP/1.1**, as nginx can. It is for development.
///
/// ```
/// use watchboard::{LocalOnly, Monitor};
///
/// let builder = Monitor::builder().access(LocalOnly::default());
/// ```
#[derive(Debug, Default)]
pub struct LocalOnly {
    /// Only the first refusal is logged, for the developer who mounts the board: strangers cannot fill the log.
    refused: AtomicBool,
}

impl LocalOnly {
    /// Refuses a request that is not local.
    #[expect(clippy::result_large_err, reason = "a response, for `?`")]
    pub(super) fn check(&self, request: &Request) -> Result<(), Response> {
        let Err((status, reason)) = from_this_machine(request) else { return Ok(()) };
        if !self.refused.swap(true, Relaxed) {
            tracing::warn!("the board refused a request, and will refuse others like it: {reason}");
        }
        let text = format!("This board is open to its own machine alone: {reason}.\n\n{ADVICE}");
        Err((status, text).into_response())
    }
}

impl Access for LocalOnly {
    async fn admit(&self, mut request: Request) -> Result<Request, Response> {
        self.check(&request)?;
        request.extensions_mut().insert(Pass::Open);
        Ok(request)
    }
}

const ADVICE: &str = "\
To open it to others, say who they are: in an application by Monitor::builder().access(…), where its own login can be asked; with the
program `watchboard` by a password, see `watchboard --help`.
Or come from the machine itself: ssh -L 8080:127.0.0.1:8080 THE-MACHINE, then http://127.0.0.1:8080/… in the browser.
";

/// Why a request is not local, if it is not. A page of another site can have its name resolved to this machine (DNS rebinding). It
/// cannot change the name that its requests are for.
fn from_this_machine(request: &Request) -> Result<(), (StatusCode, String)> {
    let forbidden = |reason: &str| Err((StatusCode::FORBIDDEN, reason.to_owned()));
    let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>() else {
        return forbidden(
            "it is not told who asks. Serve the application by \
             axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())",
        );
    };
    if !peer.ip().to_canonical().is_loopback() {
        return forbidden("the request comes from another one");
    }
    if let Some(name) = passed_on(request.headers()) {
        return forbidden(&format!("a proxy passed the request on, as its header {name} says"));
    }
    // nginx speaks it to an upstream by default.
    if request.version() < Version::HTTP_11 {
        return forbidden("it speaks HTTP/1.0, as proxies do that do not say who they are");
    }
    if names_this_machine(request) {
        return Ok(());
    }
    Err((StatusCode::MISDIRECTED_REQUEST, "the request is for another name than localhost or 127.0.0.1".to_owned()))
}

/// The header of a proxy that forwarded the request.
fn passed_on(headers: &HeaderMap) -> Option<&HeaderName> {
    let tells = |name: &&HeaderName| {
        **name == header::FORWARDED
            || **name == header::VIA
            || name.as_str() == "x-real-ip"
            || name.as_str().starts_with("x-forwarded-")
    };
    headers.keys().find(tells)
}

/// Whether the request names a host, and every host that it names is this machine.
fn names_this_machine(request: &Request) -> bool {
    let own = |authority: &Authority| {
        let host = authority.host();
        let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        host.eq_ignore_ascii_case("localhost") || address.is_some_and(|address| address.to_canonical().is_loopback())
    };
    let named = request.headers().get_all(header::HOST).iter();
    let named = named.map(|host| host.to_str().ok().and_then(|host| host.parse::<Authority>().ok()));
    // HTTP/2 has the host in the request's target.
    let mut all = request.uri().authority().cloned().map(Some).into_iter().chain(named).peekable();
    all.peek().is_some() && all.all(|authority| authority.as_ref().is_some_and(own))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn status(peer: Option<&str>, headers: &[(&str, &str)]) -> StatusCode {
        let mut request = Request::new(Body::empty());
        for (name, value) in headers {
            request.headers_mut().append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        if let Some(peer) = peer {
            request.extensions_mut().insert(ConnectInfo::<SocketAddr>(peer.parse().unwrap()));
        }
        from_this_machine(&request).map_or_else(|(status, _)| status, |()| StatusCode::OK)
    }

    #[test]
    fn this_machine_is_its_peer_and_its_name_without_a_proxy_between() {
        for host in ["localhost", "LocalHost:3000", "127.0.0.1:3000", "127.8.8.8", "[::1]:3000"] {
            assert_eq!(status(Some("127.0.0.1:5000"), &[("host", host)]), StatusCode::OK, "{host}");
            assert_eq!(status(Some("[::ffff:127.0.0.1]:5000"), &[("host", host)]), StatusCode::OK, "{host}");
            assert_eq!(status(Some("192.0.2.1:5000"), &[("host", host)]), StatusCode::FORBIDDEN, "{host}");
            assert_eq!(status(None, &[("host", host)]), StatusCode::FORBIDDEN, "{host}");
            for header in ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"] {
                let headers = [("host", host), (header, "anything")];
                assert_eq!(status(Some("127.0.0.1:5000"), &headers), StatusCode::FORBIDDEN, "{header}");
            }
        }
    }

    #[test]
    fn a_proxy_that_says_nothing_is_told_by_its_old_http() {
        let mut request = Request::new(Body::empty());
        request.headers_mut().insert(header::HOST, "127.0.0.1:3000".parse().unwrap());
        request.extensions_mut().insert(ConnectInfo::<SocketAddr>(([127, 0, 0, 1], 5000).into()));
        assert!(from_this_machine(&request).is_ok());
        *request.version_mut() = Version::HTTP_10;
        assert_eq!(from_this_machine(&request).unwrap_err().0, StatusCode::FORBIDDEN);
    }

    #[test]
    fn a_name_that_somebody_else_made_lead_here_is_refused() {
        let rebound =
            ["evil.example", "evil.example:3000", "localhost.evil.example", "192.0.2.1", "127.0.0.1.nip.io", "", "@"];
        for host in rebound {
            let misdirected = StatusCode::MISDIRECTED_REQUEST;
            assert_eq!(status(Some("127.0.0.1:5000"), &[("host", host)]), misdirected, "{host}");
            assert_eq!(status(Some("127.0.0.1:5000"), &[("host", "localhost"), ("host", host)]), misdirected, "{host}");
        }
        assert_eq!(status(Some("127.0.0.1:5000"), &[]), StatusCode::MISDIRECTED_REQUEST);
    }
}
