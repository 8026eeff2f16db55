//! The sign-in page, as a response.

use axum::{
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use leptos::nonce::Nonce;
use watchboard::mount_path;
use watchboard_app::sign_in::{SignIn, sign_in_page};

use super::{Login, SIGN_IN};

/// What a stranger gets instead of the page that `request` asks for.
pub(super) fn response(status: StatusCode, login: &Login, request: &Request, refused: Option<&str>) -> Response {
    of_view(status, login, request, request.uri().query().unwrap_or_default(), refused)
}

/// The same for a view that was asked for before.
pub(super) fn of_view(
    status: StatusCode,
    login: &Login,
    request: &Request,
    next: &str,
    refused: Option<&str>,
) -> Response {
    let nonce = Nonce::new();
    let cookies = request.headers().get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let html = sign_in_page(&SignIn {
        action: &[mount_path(request), SIGN_IN].concat(),
        next,
        refused,
        has_password: login.password.is_some(),
        cookies: &cookies.collect::<Vec<_>>().join("; "),
        style: watchboard::style_sheet(),
        icon: watchboard::icon(),
        nonce: &nonce,
    });
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    let mut response = (status, Html(html)).into_response();
    if let Ok(policy) = HeaderValue::try_from(policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}
