//! The sign-in page, as a response.

use axum::{extract::Request, http::StatusCode, response::Response};
use watchboard::{SignInPage, board_address};

/// A GET answers with the form alone; the form posts to the same path.
pub(super) const SIGN_IN: &str = "/sign-in";
/// A POST ends the session.
pub(super) const SIGN_OUT: &str = "/sign-out";

/// The sign-in page. `next` is the query of the view to open after it; `refusal` is the reason why the last attempt failed.
pub(super) fn response(
    status: StatusCode,
    request: &Request,
    has_password: bool,
    next: &str,
    refusal: Option<&str>,
) -> Response {
    let action = board_address(request, SIGN_IN);
    let mut page = SignInPage::new(&action).next(next);
    if let Some(refusal) = refusal {
        page = page.refusal(refusal);
    }
    if !has_password {
        page = page.without_password();
    }
    page.response(status, request.headers())
}
