//! Signs people in and out. The board refuses the forms of other sites before they reach this code.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Form,
    body::{Body, to_bytes},
    extract::{FromRequest, Request},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use tokio::time::timeout;
use watchboard::mount_path;

use super::{
    attempts::Attempts,
    cookie, page,
    password::{NoAnswer, Verifier},
    sessions::Sessions,
};
use crate::serve::client::Client;

/// The form has some hundred bytes.
const FORM_BYTES: usize = 4 * 1024;
/// How long it may take to arrive.
const FORM_WITHIN: Duration = Duration::from_secs(10);
/// Until the next attempt, if too many wait for a check.
const CROWDED: Duration = Duration::from_secs(2);

#[derive(Deserialize)]
struct Fields {
    password: String,
    /// The query of the view to open next. Any text is safe: the path is always the board's.
    #[serde(default)]
    next: String,
}

/// The password's verifier, with the sessions and the attempts of all addresses.
#[derive(Debug)]
pub(super) struct PasswordLogin {
    verifier: Option<Arc<Verifier>>,
    sessions: Sessions,
    attempts: Attempts,
}

impl PasswordLogin {
    pub(super) fn new(verifier: Option<Verifier>) -> Self {
        Self { verifier: verifier.map(Arc::new), sessions: Sessions::default(), attempts: Attempts::default() }
    }

    /// Without a password nobody can sign in.
    pub(super) fn has_password(&self) -> bool {
        self.verifier.is_some()
    }

    pub(super) fn has_session(&self, request: &Request) -> bool {
        let id = cookie::read(request.headers(), is_https(request));
        id.is_some_and(|id| self.sessions.is_live(id, Instant::now()))
    }

    /// The sign-in page, in place of the view that the request is for.
    pub(super) fn page(&self, status: StatusCode, request: &Request) -> Response {
        self.page_before(request.uri().query().unwrap_or_default(), status, request, None)
    }

    /// The sign-in page before the view with the query `next`.
    fn page_before(&self, next: &str, status: StatusCode, request: &Request, refusal: Option<&str>) -> Response {
        page::response(status, request, self.has_password(), next, refusal)
    }

    pub(super) async fn sign_in(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let form = match timeout(FORM_WITHIN, to_bytes(body, FORM_BYTES)).await {
            Err(_) => return (StatusCode::REQUEST_TIMEOUT, "the form did not arrive in time\n").into_response(),
            Ok(Err(_)) => return (StatusCode::PAYLOAD_TOO_LARGE, "the form is too large\n").into_response(),
            Ok(Ok(form)) => form,
        };
        let request = Request::from_parts(parts.clone(), Body::empty());
        let fields = match Form::<Fields>::from_request(Request::from_parts(parts, Body::from(form)), &()).await {
            Ok(Form(fields)) => fields,
            Err(rejection) => return rejection.into_response(),
        };
        let Some(verifier) = &self.verifier else {
            return self.page_before(&fields.next, StatusCode::UNAUTHORIZED, &request, None);
        };
        let client = request.extensions().get::<Client>();
        let address = client.map_or(Ipv4Addr::UNSPECIFIED.into(), |client| client.address);
        if let Err(wait) = self.attempts.take(address, Instant::now()) {
            tracing::debug!(%address, "a sign-in was refused: too many tries");
            return self.too_many_attempts_response(&request, &fields.next, "Too many tries", wait);
        }
        match Arc::clone(verifier).verify(fields.password).await {
            Ok(true) => self.begin_session(&request, address, &fields.next),
            Ok(false) => {
                tracing::warn!(%address, "a sign-in was refused: wrong password");
                let refusal = Some("The password is not right.");
                self.page_before(&fields.next, StatusCode::UNAUTHORIZED, &request, refusal)
            }
            Err(NoAnswer::Crowded) => {
                self.attempts.give_back(address);
                self.too_many_attempts_response(&request, &fields.next, "Many others are signing in", CROWDED)
            }
            Err(NoAnswer::Failed) => {
                self.attempts.give_back(address);
                internal_error_response("the password could not be checked")
            }
        }
    }

    /// Begins a new session and ends the browser's old one. A new id for each sign-in keeps an attacker from planting a known one.
    fn begin_session(&self, request: &Request, address: IpAddr, next: &str) -> Response {
        self.attempts.forgive(address);
        let https = is_https(request);
        if let Some(old) = cookie::read(request.headers(), https) {
            self.sessions.end(old);
        }
        let id = match self.sessions.begin(Instant::now()) {
            Ok(id) => id,
            Err(error) => return internal_error_response(&format!("there are no random numbers: {error}")),
        };
        tracing::info!(%address, "signed in");
        with_cookie(redirect_to_view(request, next), cookie::keep(&id, https))
    }

    pub(super) fn sign_out(&self, request: &Request) -> Response {
        let https = is_https(request);
        if let Some(id) = cookie::read(request.headers(), https) {
            self.sessions.end(id);
        }
        with_cookie(redirect_to_view(request, ""), cookie::forget(https))
    }

    fn too_many_attempts_response(&self, request: &Request, next: &str, reason: &str, wait: Duration) -> Response {
        let seconds = wait.as_secs().max(1);
        let time =
            if seconds < 90 { format!("{seconds} seconds") } else { format!("{} minutes", seconds.div_ceil(60)) };
        let refusal = format!("{reason}: try again in {time}.");
        let page = self.page_before(next, StatusCode::TOO_MANY_REQUESTS, request, Some(&refusal));
        ([(header::RETRY_AFTER, seconds)], page).into_response()
    }
}

/// Redirects to a view of the board. The path is always the board's own.
fn redirect_to_view(request: &Request, query: &str) -> Response {
    let mount = mount_path(request);
    let path = if mount.is_empty() { "/" } else { mount };
    let target = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    // A query that no header can hold is not a view's.
    let target = HeaderValue::try_from(target).or_else(|_| HeaderValue::try_from(path));
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(target) = target {
        response.headers_mut().insert(header::LOCATION, target);
    }
    response
}

fn with_cookie(mut response: Response, cookie: Option<HeaderValue>) -> Response {
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

fn internal_error_response(reason: &str) -> Response {
    tracing::error!("nobody can sign in: {reason}");
    (StatusCode::INTERNAL_SERVER_ERROR, "signing in failed: see the board's log\n").into_response()
}

fn is_https(request: &Request) -> bool {
    request.extensions().get::<Client>().is_some_and(|client| client.https)
}
