//! Who may see the board: the host's policy.

use std::{borrow::Cow, fmt, pin::Pin, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{StatusCode, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// The host's policy on who may see the board. The board calls it for every request below its mount: pages, figures, assets,
/// `/health`, `/metrics`, `/livez` and `/readyz`, and paths without a route. Paths are those below the mount, as
/// [`BoardRoute`](crate::BoardRoute) has them.
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
        Err((StatusCode::FORBIDDEN, "this board is not for you: its application says who may see it\n").into_response())
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
