//! The default policy: the board opens by a link with a token that serves once, and becomes a session. The log has the link.

use std::{
    fmt,
    io::Write,
    sync::{Arc, OnceLock},
    time::Instant,
};

use axum::{
    extract::Request,
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use watchboard_wire::format;

use super::{
    access::{Access, Pass},
    base_path::{board_address, mount_path},
    local_only::LocalOnly,
    route::BoardRoute,
    sessions::Sessions,
    sign_in::{SignInPage, read_form, redirect_to_view},
    tokens::{LIFE, Tokens},
};

/// A GET shows the form, a POST redeems the token.
const SIGN_IN: &str = "/sign-in";
/// A POST ends the session.
const SIGN_OUT: &str = "/sign-out";
/// The parameter of a link.
const TOKEN: &str = "token";

/// The links of one monitor, for all its boards. A request must be local too: a page of another site cannot reach the form then.
#[derive(Clone)]
pub(crate) struct SignInLinks(Arc<SignInState>);

struct SignInState {
    /// The board's URL, as printed links have it.
    url: OnceLock<String>,
    tokens: Tokens,
    sessions: Sessions,
    local: LocalOnly,
}

impl fmt::Debug for SignInLinks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SignInLinks")
    }
}

#[derive(Deserialize)]
struct TokenForm {
    /// The token, or the whole link that somebody pasted.
    token: String,
    /// The query of the view to open next. Any text is safe: the path is always the board's.
    #[serde(default)]
    next: String,
}

impl SignInLinks {
    /// Printed links begin with `url`; without it with the path of the board.
    pub(crate) fn new(url: Option<String>) -> Self {
        let url = url.map_or_else(OnceLock::new, OnceLock::from);
        let (tokens, sessions, local) = (Tokens::default(), Sessions::default(), LocalOnly::default());
        Self(Arc::new(SignInState { url, tokens, sessions, local }))
    }

    /// A new link to the board at `url`.
    pub(crate) fn link(&self, url: &str) -> Result<String, getrandom::Error> {
        Ok(link(url, &self.0.tokens.issue(Instant::now())?))
    }

    /// Prints a link, if the last one that was printed is used or has expired. So strangers cannot fill the log.
    pub(crate) fn print(&self, path: Option<&str>) {
        let url = match path {
            Some(path) => self.0.url.get_or_init(|| if path.is_empty() { "/".to_owned() } else { path.to_owned() }),
            None => self.0.url.get().map_or("", String::as_str),
        };
        match self.0.tokens.issue_printed(Instant::now()) {
            Ok(Some(token)) => print_link(&link(url, &token), url.is_empty()),
            Ok(None) => {}
            Err(error) => tracing::error!("nobody can sign in to the board: there are no random numbers: {error}"),
        }
    }

    /// The sign-in page in place of the view that the request is for. A link is not used by a look at it: programs that preview
    /// links look, and so do browsers before anybody has chosen one.
    fn page(&self, request: &Request) -> Response {
        let (token, next) = split_query(request.uri().query().unwrap_or_default());
        match token {
            Some(token) if self.0.tokens.is_good(&token, Instant::now()) => {
                let action = board_address(request, SIGN_IN);
                SignInPage::new(&action).next(&next).token(&token).response(StatusCode::OK, request.headers())
            }
            token => self.refusal_page(request, &next, token.map(|_| BAD_TOKEN)),
        }
    }

    fn refusal_page(&self, request: &Request, next: &str, refusal: Option<&str>) -> Response {
        self.print(Some(mount_path(request)));
        let action = board_address(request, SIGN_IN);
        let page = SignInPage::new(&action).next(next).token("");
        let page = refusal.map_or(page, |refusal| page.refusal(refusal));
        page.response(StatusCode::UNAUTHORIZED, request.headers())
    }

    async fn redeem(&self, request: Request) -> Response {
        let (request, fields) = match read_form::<TokenForm>(request).await {
            Ok(read) => read,
            Err(refusal) => return refusal,
        };
        let pasted = fields.token.trim();
        let token = pasted.rsplit_once("token=").map_or(pasted, |(_, token)| token);
        if !self.0.tokens.redeem(token, Instant::now()) {
            return self.refusal_page(&request, &fields.next, Some(BAD_TOKEN));
        }
        match self.0.sessions.begin(&request, is_https(&request)) {
            Ok(cookie) => {
                tracing::info!("somebody signed in to the board by its link");
                self.print(Some(mount_path(&request)));
                ([(header::SET_COOKIE, cookie)], redirect_to_view(&request, &fields.next)).into_response()
            }
            Err(error) => {
                tracing::error!("nobody can sign in to the board: {error}");
                (StatusCode::INTERNAL_SERVER_ERROR, "signing in failed: see the log\n").into_response()
            }
        }
    }
}

impl Access for SignInLinks {
    fn paths(&self) -> &'static [&'static str] {
        &[SIGN_IN, SIGN_OUT]
    }

    async fn admit(&self, mut request: Request) -> Result<Request, Response> {
        let (route, sessions) = (BoardRoute::from_path(request.uri().path()), &self.0.sessions);
        let is_get = matches!(*request.method(), Method::GET | Method::HEAD);
        // Balancers have no credentials, and come from anywhere.
        if matches!(route, Some(BoardRoute::Livez | BoardRoute::Readyz)) && is_get {
            if !sessions.admit(&request, is_https(&request)) {
                request.extensions_mut().insert(Pass::StatusOnly);
            }
            return Ok(request);
        }
        self.0.local.check(&request)?;
        match (request.uri().path(), request.method()) {
            (SIGN_IN, &Method::POST) => return Err(self.redeem(request).await),
            (SIGN_IN, _) if is_get => return Err(self.page(&request)),
            (SIGN_OUT, &Method::POST) => {
                let cookie = sessions.end(&request, is_https(&request));
                return Err(([(header::SET_COOKIE, cookie)], redirect_to_view(&request, "")).into_response());
            }
            _ => {}
        }
        let is_page = route == Some(BoardRoute::Page) && is_get;
        if sessions.admit(&request, is_https(&request)) {
            // The token goes out of the address bar, and stays good for another browser.
            if let (Some(_), next) = split_query(request.uri().query().unwrap_or_default())
                && is_page
            {
                return Err(redirect_to_view(&request, &next));
            }
            request.extensions_mut().insert(Pass::signed_in(SIGN_OUT));
            return Ok(request);
        }
        if is_page { Err(self.page(&request)) } else { Err((StatusCode::UNAUTHORIZED, NO_SESSION).into_response()) }
    }
}

const BAD_TOKEN: &str = "This link was used already, or it has expired. The log has a new one.";
const NO_SESSION: &str = "\
this needs a session of the board's page, which opens by the link in the log.
For curl, Prometheus and other programs: an application says who may see the board by Monitor::builder().access(…); the program
`watchboard` takes a token for programs (WATCHBOARD_TOKEN), or --open for all local requests.
";

fn link(url: &str, token: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}{TOKEN}={token}")
}

/// The token of a query, and the query without it.
fn split_query(query: &str) -> (Option<String>, String) {
    let is_token = |pair: &&str| pair.split('=').next() == Some(TOKEN);
    let token = query.split('&').find(is_token).map(|pair| pair.split_once('=').map_or("", |(_, token)| token));
    let others: Vec<&str> = query.split('&').filter(|pair| !is_token(pair)).collect();
    (token.map(ToOwned::to_owned), others.join("&"))
}

/// Whether the browser's page came by https, as its `Origin` or an HTTP/2 request says. An application does not say.
fn is_https(request: &Request) -> bool {
    let origin = request.headers().get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    request.uri().scheme_str() == Some("https") || origin.is_some_and(|origin| origin.starts_with("https://"))
}

/// Writes a link to the log; to standard error, if no subscriber takes it.
fn print_link(link: &str, is_parameter: bool) {
    let within = format::span(LIFE.as_secs()).replace('\u{a0}', " ");
    let text = if is_parameter {
        format!("the board opens once, within {within}, by this after its address: {link}")
    } else {
        format!("the board opens once, within {within}, by this link: {link}")
    };
    if tracing::enabled!(tracing::Level::INFO) {
        return tracing::info!("{text}");
    }
    // A full pipe blocks its writer: that is never the thread of a request. Without a thread or a reader there is nobody to tell.
    let write = move || drop(writeln!(std::io::stderr(), "watchboard: {text}"));
    drop(std::thread::Builder::new().name("watchboard-link".to_owned()).spawn(write));
}
