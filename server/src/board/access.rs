//! Who may see the board: the host's policy, by default local requests only.

use std::{
    borrow::Cow,
    fmt,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use axum::{
    extract::{ConnectInfo, OriginalUri, Request, State},
    http::{HeaderMap, HeaderName, StatusCode, Version, header, request::Parts, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// The host's policy on who may see the board. The board calls it for every request below its mount: pages, figures, assets,
/// `/health`, `/metrics`, `/livez` and `/readyz`, and paths without a route. Paths are those below the mount, as
/// [`Route`](crate::Route) has them.
///
/// A function of the request's head is a policy. A request that it refuses gets a 403:
///
/// ```
/// use axum::http::request::Parts;
/// use watchboard::Monitor;
///
/// #[derive(Clone)]
/// struct Admin; // the application's own middleware inserts it
///
/// let monitor = Monitor::builder().access(|request: &Parts| request.extensions.get::<Admin>().is_some()).build();
/// ```
///
/// A type of your own can also wait, answer in its own way, and leave a [`Pass`] for the page:
///
/// ```
/// use axum::{extract::Request, response::{IntoResponse, Redirect, Response}};
/// use watchboard::Access;
///
/// struct Members;
///
/// impl Access for Members {
///     async fn admit(&self, request: Request) -> Result<Request, Response> {
///         let known = request.headers().contains_key("x-member"); // here a session would be looked up
///         if known { Ok(request) } else { Err(Redirect::to("/login").into_response()) }
///     }
/// }
/// ```
pub trait Access: Send + Sync + 'static {
    /// Returns the request if it may see the board, or the response that it gets instead.
    fn admit(&self, request: Request) -> impl Future<Output = Result<Request, Response>> + Send;

    /// Paths below the mount that [`admit`](Self::admit) answers itself, such as `/sign-in`: the board has no route there.
    fn paths(&self) -> &'static [&'static str] {
        &[]
    }
}

impl<F: Fn(&Parts) -> bool + Send + Sync + 'static> Access for F {
    async fn admit(&self, request: Request) -> Result<Request, Response> {
        let (parts, body) = request.into_parts();
        if self(&parts) {
            return Ok(Request::from_parts(parts, body));
        }
        Err(refusal(StatusCode::FORBIDDEN, "this board is not for you: its application says who may see it\n"))
    }
}

/// How a request was admitted. An [`Access`] may leave it in the extensions of the request.
///
/// ```
/// use axum::extract::Request;
/// use watchboard::Pass;
///
/// fn admit_session(mut request: Request) -> Request {
///     request.extensions_mut().insert(Pass::signed_in("/sign-out"));
///     request
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pass {
    /// Without credentials. The page says so.
    Open,
    /// By a session: see [`Pass::signed_in`].
    #[non_exhaustive]
    SignedIn {
        /// The path below the mount that ends the session.
        sign_out: Cow<'static, str>,
    },
    /// The client gets only the status of the response: for probes without credentials.
    StatusOnly,
}

impl Pass {
    /// By a session, which a POST to the path `sign_out` below the mount ends. The page has a button for it.
    ///
    /// ```
    /// use watchboard::Pass;
    ///
    /// assert!(matches!(Pass::signed_in("/sign-out"), Pass::SignedIn { sign_out, .. } if sign_out == "/sign-out"));
    /// ```
    pub fn signed_in(sign_out: impl Into<Cow<'static, str>>) -> Self {
        Self::SignedIn { sign_out: sign_out.into() }
    }
}

/// The path of the board's mount, from a request below it: `/ops/board`, or nothing at the root. It is the original path without
/// the path below the mount. It is no route template, so a mount with parameters works too.
///
/// ```
/// use axum::{body::Body, extract::Request};
///
/// let request = Request::new(Body::empty()); // not nested, as at the root
/// assert_eq!(watchboard::mount_path(&request), "");
/// ```
pub fn mount_path<B>(request: &http::Request<B>) -> &str {
    let own = request.uri().path();
    let original = request.extensions().get::<OriginalUri>().map_or(own, |original| original.path());
    original.strip_suffix(own).unwrap_or(original).trim_end_matches('/')
}

/// A policy of any type.
#[derive(Clone)]
pub(crate) struct AccessPolicy {
    admit: Arc<dyn Fn(Request) -> AdmitFuture + Send + Sync>,
    /// Paths that the policy answers itself.
    pub(crate) paths: &'static [&'static str],
}

type AdmitFuture = Pin<Box<dyn Future<Output = Result<Request, Response>> + Send>>;

impl AccessPolicy {
    pub(crate) fn new(access: impl Access) -> Self {
        let (paths, access) = (access.paths(), Arc::new(access));
        let admit = Arc::new(move |request| -> AdmitFuture {
            let access = Arc::clone(&access);
            Box::pin(async move { access.admit(request).await })
        });
        Self { admit, paths }
    }
}

impl Default for AccessPolicy {
    fn default() -> Self {
        Self::new(ThisMachine::default())
    }
}

impl fmt::Debug for AccessPolicy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AccessPolicy")
    }
}

/// The middleware around the whole board.
pub(crate) async fn check(State(policy): State<AccessPolicy>, request: Request, next: Next) -> Response {
    match (policy.admit)(request).await {
        Err(response) => response,
        Ok(request) => {
            let status_only = request.extensions().get() == Some(&Pass::StatusOnly);
            let response = next.run(request).await;
            if status_only { response.status().into_response() } else { response }
        }
    }
}

/// The default policy: local requests only.
#[derive(Default)]
struct ThisMachine {
    /// Only the first refusal is logged, for the developer who mounts the board: strangers cannot fill the log.
    refused: AtomicBool,
}

impl Access for ThisMachine {
    async fn admit(&self, mut request: Request) -> Result<Request, Response> {
        if let Err((status, reason)) = from_this_machine(&request) {
            if !self.refused.swap(true, Relaxed) {
                tracing::warn!("the board refused a request, and will refuse others like it: {reason}");
            }
            return Err(refusal(
                status,
                &format!("This board is open to its own machine alone: {reason}.\n\n{ADVICE}"),
            ));
        }
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

fn refusal(status: StatusCode, text: &str) -> Response {
    (status, text.to_owned()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{body::Body, http::Uri};

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

    #[test]
    fn the_mount_is_what_the_path_has_before_its_own() {
        for (original, own, expected) in [
            ("/", "/", ""),
            ("/health", "/health", ""),
            ("/ops/board", "/", "/ops/board"),
            ("/ops/board/", "/", "/ops/board"),
            ("/tenants/7/board/health", "/health", "/tenants/7/board"),
        ] {
            let mut request = Request::new(Body::empty());
            *request.uri_mut() = Uri::from_static(own);
            request.extensions_mut().insert(OriginalUri(Uri::from_static(original)));
            assert_eq!(mount_path(&request), expected, "{original}");
        }
    }
}
