//! Signing in and out. Another site's forms do not come here: the board refuses them before.

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

use super::{Login, cookie, is_https, page, password::NoAnswer};
use crate::serve::client::Client;

/// The form has some hundred bytes.
const FORM_BYTES: usize = 4 * 1024;
/// How long it may take to arrive.
const FORM_WITHIN: Duration = Duration::from_secs(10);
/// When to come back where too many wait.
const CROWDED: Duration = Duration::from_secs(2);

#[derive(Deserialize)]
struct Fields {
    password: String,
    /// The query of the view to go on to: whatever it is, it leads to a view of this board.
    #[serde(default)]
    next: String,
}

pub(super) async fn sign_in(login: &Login, request: Request) -> Response {
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
    let Some(verifier) = &login.password else {
        return page::of_view(StatusCode::UNAUTHORIZED, login, &request, &fields.next, None);
    };
    let client = request.extensions().get::<Client>();
    let address = client.map_or(Ipv4Addr::UNSPECIFIED.into(), |client| client.address);
    if let Err(wait) = login.attempts.take(address, Instant::now()) {
        tracing::debug!(%address, "a sign-in was refused: too many tries");
        return later(login, &request, &fields.next, "Too many tries", wait);
    }
    match Arc::clone(verifier).verify(fields.password).await {
        Ok(true) => begin(login, &request, address, &fields.next),
        Ok(false) => {
            tracing::warn!(%address, "a sign-in was refused: wrong password");
            page::of_view(StatusCode::UNAUTHORIZED, login, &request, &fields.next, Some("The password is not right."))
        }
        Err(NoAnswer::Crowded) => {
            login.attempts.give_back(address);
            later(login, &request, &fields.next, "Many others are signing in", CROWDED)
        }
        Err(NoAnswer::Failed) => failed("the password could not be checked"),
    }
}

/// A session of its own for each sign-in, so that nobody can bring one that another knows; what the browser had before ends.
fn begin(login: &Login, request: &Request, address: IpAddr, next: &str) -> Response {
    login.attempts.forgive(address);
    let https = is_https(request);
    if let Some(before) = cookie::read(request.headers(), https) {
        login.sessions.end(before);
    }
    let id = match login.sessions.begin(Instant::now()) {
        Ok(id) => id,
        Err(error) => return failed(&format!("there are no random numbers: {error}")),
    };
    tracing::info!(%address, "signed in");
    with_cookie(to_view(request, next), cookie::keep(&id, https))
}

pub(super) fn sign_out(login: &Login, request: &Request) -> Response {
    let https = is_https(request);
    if let Some(id) = cookie::read(request.headers(), https) {
        login.sessions.end(id);
    }
    with_cookie(to_view(request, ""), cookie::forget(https))
}

/// On to a view of the board: its path is the board's own, whatever the query.
fn to_view(request: &Request, query: &str) -> Response {
    let mount = mount_path(request);
    let path = if mount.is_empty() { "/" } else { mount };
    let to = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    // A query that no header can hold was no view's.
    let to = HeaderValue::try_from(to).or_else(|_| HeaderValue::try_from(path));
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(to) = to {
        response.headers_mut().insert(header::LOCATION, to);
    }
    response
}

fn with_cookie(mut response: Response, cookie: Option<HeaderValue>) -> Response {
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

fn later(login: &Login, request: &Request, next: &str, why: &str, wait: Duration) -> Response {
    let seconds = wait.as_secs().max(1);
    let when = if seconds < 90 { format!("{seconds} seconds") } else { format!("{} minutes", seconds.div_ceil(60)) };
    let refused = format!("{why}: try again in {when}.");
    let page = page::of_view(StatusCode::TOO_MANY_REQUESTS, login, request, next, Some(&refused));
    ([(header::RETRY_AFTER, seconds)], page).into_response()
}

fn failed(why: &str) -> Response {
    tracing::error!("nobody can sign in: {why}");
    (StatusCode::INTERNAL_SERVER_ERROR, "signing in failed: see the board's log\n").into_response()
}
