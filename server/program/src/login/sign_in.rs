//! Signs people in and out. The board refuses the forms of other sites before they reach this code.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::Request,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use watchboard::{Sessions, read_form, redirect_to_view};

use super::{
    attempts::Attempts,
    page,
    password::{NoAnswer, Verifier},
};
use crate::serve::client::Client;

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
        self.sessions.admit(request, is_https(request))
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
        let (request, fields) = match read_form::<Fields>(request).await {
            Ok(read) => read,
            Err(refusal) => return refusal,
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
        match self.sessions.begin(request, is_https(request)) {
            Ok(cookie) => {
                tracing::info!(%address, "signed in");
                ([(header::SET_COOKIE, cookie)], redirect_to_view(request, next)).into_response()
            }
            Err(error) => internal_error_response(&error.to_string()),
        }
    }

    pub(super) fn sign_out(&self, request: &Request) -> Response {
        let cookie = self.sessions.end(request, is_https(request));
        ([(header::SET_COOKIE, cookie)], redirect_to_view(request, "")).into_response()
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

fn internal_error_response(reason: &str) -> Response {
    tracing::error!("nobody can sign in: {reason}");
    (StatusCode::INTERNAL_SERVER_ERROR, "signing in failed: see the board's log\n").into_response()
}

fn is_https(request: &Request) -> bool {
    request.extensions().get::<Client>().is_some_and(|client| client.https)
}
