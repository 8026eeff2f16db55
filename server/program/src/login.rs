//! The binary's login: a password for people, who get a session; a token for the programs that read figures.

mod attempts;
mod cookie;
mod hosts;
mod options;
mod page;
mod password;
mod sessions;
mod sign_in;
mod token;

use std::{sync::Arc, time::Instant};

use axum::{
    extract::Request,
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use watchboard::{Access, Pass, Route};

use self::{attempts::Attempts, hosts::Hosts, password::Verifier, sessions::Sessions, token::Token};
use crate::serve::client::Client;

pub(crate) use self::{cookie::NAMES as SESSION_COOKIES, options::LoginOptions, password::hash_password};

/// The form's target, and the page that has nothing but the form.
const SIGN_IN: &str = "/sign-in";
/// A POST to it ends the session.
const SIGN_OUT: &str = "/sign-out";

/// Who may see the board.
#[derive(Debug)]
pub(crate) struct Login {
    hosts: Hosts,
    password: Option<Arc<Verifier>>,
    token: Option<Token>,
    sessions: Sessions,
    attempts: Attempts,
}

impl Login {
    fn new(hosts: Hosts, password: Option<Verifier>, token: Option<Token>) -> Self {
        let (sessions, attempts) = (Sessions::default(), Attempts::default());
        Self { hosts, password: password.map(Arc::new), token, sessions, attempts }
    }

    /// What those who see the board do or have.
    pub(crate) fn asks_for(&self) -> &'static str {
        match (&self.password, &self.token) {
            (Some(_), Some(_)) => "sign in or have the token",
            (Some(_), None) => "sign in",
            (None, _) => "have the token: /health and /metrics alone, since without a password nobody can sign in",
        }
    }

    fn has_session(&self, request: &Request) -> bool {
        let id = cookie::read(request.headers(), is_https(request));
        id.is_some_and(|id| self.sessions.is_live(id, Instant::now()))
    }

    fn has_token(&self, request: &Request) -> bool {
        self.token.as_ref().is_some_and(|token| token.is_sent_with(request.headers()))
    }
}

impl Access for Login {
    fn paths(&self) -> &'static [&'static str] {
        &[SIGN_IN, SIGN_OUT]
    }

    async fn admit(&self, mut request: Request) -> Result<Request, Response> {
        self.hosts.check(&request)?;
        match (request.uri().path(), request.method()) {
            (SIGN_IN, &(Method::GET | Method::HEAD)) => {
                return Err(page::response(StatusCode::OK, self, &request, None));
            }
            (SIGN_IN, &Method::POST) => return Err(sign_in::sign_in(self, request).await),
            (SIGN_OUT, &Method::POST) => return Err(sign_in::sign_out(self, &request)),
            _ => {}
        }
        if self.has_session(&request) {
            request.extensions_mut().insert(Pass::signed_in(SIGN_OUT));
            return Ok(request);
        }
        match Route::from_path(request.uri().path()) {
            Some(Route::Livez) => Ok(request),
            Some(Route::Health | Route::HealthV1 | Route::Metrics) if self.has_token(&request) => Ok(request),
            Some(Route::Health | Route::HealthV1 | Route::Metrics) => {
                Err(([(header::WWW_AUTHENTICATE, "Bearer")], unauthorized(NO_TOKEN)).into_response())
            }
            Some(Route::Readyz) => {
                if !self.has_token(&request) {
                    request.extensions_mut().insert(Pass::StatusOnly);
                }
                Ok(request)
            }
            Some(Route::Page) if matches!(*request.method(), Method::GET | Method::HEAD) => {
                Err(page::response(StatusCode::UNAUTHORIZED, self, &request, None))
            }
            _ => Err(unauthorized("sign in first, at the board's page\n")),
        }
    }
}

const NO_TOKEN: &str =
    "this needs the board's token, by the header `Authorization: Bearer TOKEN`, or a session of its page\n";

fn unauthorized(text: &'static str) -> Response {
    (StatusCode::UNAUTHORIZED, text).into_response()
}

fn is_https(request: &Request) -> bool {
    request.extensions().get::<Client>().is_some_and(|client| client.https)
}
