//! The sign-in page, as a response.

use axum::{extract::Request, http::StatusCode, response::Response};
use watchboard::{SignInPage, mount_path};

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
    let action = [mount_path(request), SIGN_IN].concat();
    let mut page = SignInPage::new(&action).next(next);
    if let Some(refused) = refused {
        page = page.refusal(refused);
    }
    if login.password.is_none() {
        page = page.without_password();
    }
    page.response(status, request.headers())
}
