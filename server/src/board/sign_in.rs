//! The sign-in page as a response: a client without access gets nothing else.

use std::time::Duration;

use axum::{
    Form,
    body::{Body, to_bytes},
    extract::FromRequest,
    http::{HeaderMap, HeaderValue, Request, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use leptos::nonce::Nonce;
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use watchboard_app::sign_in::{SignIn, SignInWith, sign_in_page};

use super::{assets, base_path::board_address};

/// The form has some hundred bytes.
const FORM_BYTES: usize = 4 * 1024;
/// How long it may take to arrive.
const FORM_WITHIN: Duration = Duration::from_secs(10);

/// The board's sign-in page, for an [`Access`](crate::Access) that asks for a password: a form that posts `password` and `next`.
///
/// ```
/// use axum::http::{HeaderMap, StatusCode};
///
/// let page = watchboard::SignInPage::new("/ops/board/sign-in").refusal("The password is wrong.");
/// let response = page.response(StatusCode::FORBIDDEN, &HeaderMap::new());
/// assert_eq!(response.status(), 403);
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "a page does nothing until it is a response"]
pub struct SignInPage<'a> {
    action: &'a str,
    next: &'a str,
    refusal: Option<&'a str>,
    with: SignInWith<'a>,
}

impl<'a> SignInPage<'a> {
    /// A page whose form posts to the path `action`.
    ///
    /// ```
    /// let page = watchboard::SignInPage::new("/ops/board/sign-in");
    /// ```
    pub fn new(action: &'a str) -> Self {
        Self { action, next: "", refusal: None, with: SignInWith::Password }
    }

    /// The query of the requested view, without `?`; the form sends it back as `next`.
    ///
    /// ```
    /// let page = watchboard::SignInPage::new("/sign-in").next("view=memory&window=5m");
    /// ```
    pub fn next(self, query: &'a str) -> Self {
        Self { next: query, ..self }
    }

    /// The reason why the last sign-in was refused, as a sentence.
    ///
    /// ```
    /// let page = watchboard::SignInPage::new("/sign-in").refusal("The password is wrong.");
    /// ```
    pub fn refusal(self, sentence: &'a str) -> Self {
        Self { refusal: Some(sentence), ..self }
    }

    /// The board has no password: the page says so and has no form.
    ///
    /// ```
    /// let page = watchboard::SignInPage::new("/sign-in").without_password();
    /// ```
    pub fn without_password(self) -> Self {
        Self { with: SignInWith::Nothing, ..self }
    }

    /// The page asks for the token of a link. It has the token already unless this is empty.
    pub(super) fn token(self, token: &'a str) -> Self {
        Self { with: SignInWith::Token(token), ..self }
    }

    /// The page, in the theme of the cookies among the request's `headers`. Its Content-Security-Policy allows only its own style.
    ///
    /// ```
    /// use axum::http::{HeaderMap, StatusCode};
    ///
    /// let page = watchboard::SignInPage::new("/sign-in").response(StatusCode::UNAUTHORIZED, &HeaderMap::new());
    /// assert!(page.headers().contains_key("content-security-policy"));
    /// ```
    pub fn response(&self, status: StatusCode, headers: &HeaderMap) -> Response {
        let nonce = Nonce::new();
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let html = sign_in_page(&SignIn {
            action: self.action,
            next: self.next,
            refused: self.refusal,
            with: self.with,
            cookies: &cookies.collect::<Vec<_>>().join("; "),
            style: assets::style_sheet(),
            icon: assets::icon(),
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
}

/// Reads a form that signs in, of at most 4 KiB within ten seconds. Returns its fields and the request without its body.
///
/// ```
/// use axum::{body::Body, http::Request};
///
/// #[derive(serde::Deserialize)]
/// struct Fields {
///     password: String,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let form = Request::post("/sign-in").header("content-type", "application/x-www-form-urlencoded");
/// let request = form.body(Body::from("password=hunter2")).unwrap();
/// let (_request, fields) = watchboard::read_form::<Fields>(request).await.unwrap();
/// assert_eq!(fields.password, "hunter2");
/// # }
/// ```
///
/// # Errors
/// The response to a form that is late, too large or lacks a field.
pub async fn read_form<F: DeserializeOwned>(request: Request<Body>) -> Result<(Request<Body>, F), Response> {
    let (parts, body) = request.into_parts();
    let form = match timeout(FORM_WITHIN, to_bytes(body, FORM_BYTES)).await {
        Err(_) => return Err((StatusCode::REQUEST_TIMEOUT, "the form did not arrive in time\n").into_response()),
        Ok(Err(_)) => return Err((StatusCode::PAYLOAD_TOO_LARGE, "the form is too large\n").into_response()),
        Ok(Ok(form)) => form,
    };
    let request = Request::from_parts(parts.clone(), Body::empty());
    match Form::from_request(Request::from_parts(parts, Body::from(form)), &()).await {
        Ok(Form(fields)) => Ok((request, fields)),
        Err(rejection) => Err(rejection.into_response()),
    }
}

/// Redirects to the view with this query, without `?`: after a sign-in to the one that the page had as `next`. The path is always
/// the board's, whatever the query has.
///
/// ```
/// use axum::{body::Body, http::Request};
///
/// let response = watchboard::redirect_to_view(&Request::new(Body::empty()), "view=memory");
/// assert_eq!(response.headers()["location"], "./?view=memory");
/// ```
pub fn redirect_to_view<B>(request: &Request<B>, query: &str) -> Response {
    let page = board_address(request, "/");
    let target = if query.is_empty() { page.clone() } else { format!("{page}?{query}") };
    let mut response = StatusCode::SEE_OTHER.into_response();
    // A query that no header can hold is not a view's.
    if let Ok(target) = HeaderValue::try_from(target).or_else(|_| HeaderValue::try_from(page)) {
        response.headers_mut().insert(header::LOCATION, target);
    }
    response
}
