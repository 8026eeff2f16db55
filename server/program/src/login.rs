//! The program's login: people sign in with a password and get a session; programs that read figures send a token.

mod attempts;
mod hash_password;
mod hosts;
mod options;
mod page;
mod password;
mod secret;
mod sign_in;
mod token;

use axum::{
    extract::Request,
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use watchboard::{Access, BoardRoute, Pass};

use self::{
    hosts::Hosts,
    page::{SIGN_IN, SIGN_OUT},
    password::Verifier,
    sign_in::PasswordLogin,
    token::Token,
};

pub(crate) use self::{
    hash_password::{HashPasswordError, hash_password},
    options::{AccessMode, LoginError, LoginOptions},
};

/// Admits people with a session and programs with the token.
#[derive(Debug)]
pub(crate) struct Login {
    hosts: Hosts,
    token: Option<Token>,
    sign_in: PasswordLogin,
}

impl Login {
    fn new(hosts: Hosts, password: Option<Verifier>, token: Option<Token>) -> Self {
        Self { hosts, token, sign_in: PasswordLogin::new(password) }
    }

    /// The conditions for access, to follow "for those who".
    pub(crate) fn requirement(&self) -> &'static str {
        match (self.sign_in.has_password(), &self.token) {
            (true, Some(_)) => "sign in or have the token",
            (true, None) => "sign in",
            (false, _) => {
                "have the token: /health, /metrics and /marks alone, since without a password nobody can sign in"
            }
        }
    }

    fn has_valid_token(&self, request: &Request) -> bool {
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
            (SIGN_IN, &(Method::GET | Method::HEAD)) => return Err(self.sign_in.page(StatusCode::OK, &request)),
            (SIGN_IN, &Method::POST) => return Err(self.sign_in.sign_in(request).await),
            (SIGN_OUT, &Method::POST) => return Err(self.sign_in.sign_out(&request)),
            _ => {}
        }
        if self.sign_in.has_session(&request) {
            request.extensions_mut().insert(Pass::signed_in(SIGN_OUT));
            return Ok(request);
        }
        match BoardRoute::from_path(request.uri().path()) {
            Some(BoardRoute::Livez) => Ok(request),
            Some(
                BoardRoute::Health
                | BoardRoute::HealthV1
                | BoardRoute::Metrics
                | BoardRoute::Export
                | BoardRoute::Marks,
            ) => {
                let refused =
                    || ([(header::WWW_AUTHENTICATE, "Bearer")], unauthorized_response(NO_TOKEN)).into_response();
                if self.has_valid_token(&request) { Ok(request) } else { Err(refused()) }
            }
            Some(BoardRoute::Readyz) => {
                if !self.has_valid_token(&request) {
                    request.extensions_mut().insert(Pass::StatusOnly);
                }
                Ok(request)
            }
            Some(BoardRoute::Page) if matches!(*request.method(), Method::GET | Method::HEAD) => {
                Err(self.sign_in.page(StatusCode::UNAUTHORIZED, &request))
            }
            _ => Err(unauthorized_response("sign in first, at the board's page\n")),
        }
    }
}

const NO_TOKEN: &str =
    "this needs the board's token, by the header `Authorization: Bearer TOKEN`, or a session of its page\n";

fn unauthorized_response(text: &'static str) -> Response {
    (StatusCode::UNAUTHORIZED, text).into_response()
}
