//! The sessions of people who signed in, and the cookie that holds a session's id. Only hashes of ids are kept.
//!
//! Not by the crate `cookie`: it reads values as UTF-8 alone, and a browser sends whatever an application set.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use http::{HeaderMap, HeaderValue, Request, header, uri::Authority};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::base_path::{BasePath, mount_path};

/// An unused session ends after this.
const IDLE: Duration = Duration::from_hours(12);
/// Every session ends after this.
const LONGEST: Duration = Duration::from_hours(7 * 24);
/// Sessions at once. A further one ends the oldest.
const MOST: usize = 256;
/// Session cookies of a request that are looked at: of other boards on the host, and of other paths.
const MAX_COOKIES: usize = 64;
/// What the names of all session cookies begin with. Browsers take the second only with `Secure`, from https.
const NAMES: [&str; 2] = ["watchboard_session", "__Secure-watchboard_session"];

/// The sessions of a login of your own: begin one for a viewer who has signed in, and ask it for each request. They are kept in
/// memory, at most 256. One ends after 12 hours without use, and after a week.
///
/// The name of the cookie has the port and the mount, so that boards on one host name do not take each other's.
///
/// ```
/// use axum::{body::Body, extract::Request, http::header};
/// use watchboard::Sessions;
///
/// let sessions = Sessions::default();
/// let mut request = Request::new(Body::empty());
/// let cookie = sessions.begin(&request, false)?;
/// request.headers_mut().insert(header::COOKIE, cookie.to_str()?.split(';').next().unwrap_or_default().parse()?);
/// assert!(sessions.admit(&request, false));
/// sessions.end(&request, false);
/// assert!(!sessions.admit(&request, false));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Sessions(Mutex<HashMap<[u8; 32], Session>>);

#[derive(Debug)]
struct Session {
    began: Instant,
    used: Instant,
}

/// A session cannot begin: the system gives no random numbers.
#[derive(Debug, Error)]
#[error("there are no random numbers: {0}")]
pub struct SessionError(#[from] getrandom::Error);

impl Session {
    fn is_live(&self, now: Instant) -> bool {
        now.duration_since(self.began) < LONGEST && now.duration_since(self.used) < IDLE
    }
}

impl Sessions {
    /// Begins a session, ends the browser's earlier one, and returns the cookie to set. Without a [`BasePath`] the cookie has no path:
    /// the browser then takes the folder of the request's path, so let the request be for a path directly below the mount.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn begin<B>(&self, request: &Request<B>, https: bool) -> Result<HeaderValue, SessionError> {
        self.end_ids(request, https);
        let id = self.insert(Instant::now())?;
        Ok(set_cookie(request, https, &id, LONGEST.as_secs()))
    }

    /// Whether a request has a live session. This counts as its use. With `https`, only a cookie that came by https counts.
    pub fn admit<B>(&self, request: &Request<B>, https: bool) -> bool {
        let now = Instant::now();
        session_ids(request, https).any(|id| self.is_live(id, now))
    }

    /// Ends the request's session, and returns the cookie that makes the browser forget it.
    pub fn end<B>(&self, request: &Request<B>, https: bool) -> HeaderValue {
        self.end_ids(request, https);
        set_cookie(request, https, "", 0)
    }

    /// Whether a pair of a `Cookie` header is a session of any board: a proxy keeps it from the application.
    ///
    /// ```
    /// use watchboard::Sessions;
    ///
    /// assert!(Sessions::is_cookie(b"watchboard_session.3000=0a1b") && !Sessions::is_cookie(b"theme=dark"));
    /// ```
    pub fn is_cookie(pair: &[u8]) -> bool {
        let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii();
        NAMES.iter().any(|own| is_named(name, own))
    }

    /// Adds a session, and returns its id: 256 random bits, in hexadecimal.
    fn insert(&self, now: Instant) -> Result<String, getrandom::Error> {
        let id = random_id()?;
        let mut sessions = self.lock();
        sessions.retain(|_, session| session.is_live(now));
        while sessions.len() >= MOST {
            let first = sessions.iter().min_by_key(|(_, session)| session.began).map(|(hash, _)| *hash);
            first.map(|first| sessions.remove(&first));
        }
        sessions.insert(hash(&id), Session { began: now, used: now });
        Ok(id)
    }

    fn is_live(&self, id: &str, now: Instant) -> bool {
        let mut sessions = self.lock();
        let session = sessions.get_mut(&hash(id)).filter(|session| session.is_live(now));
        session.map(|session| session.used = now).is_some()
    }

    fn end_ids<B>(&self, request: &Request<B>, https: bool) {
        for id in session_ids(request, https) {
            self.lock().remove(&hash(id));
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// 256 random bits, in hexadecimal.
pub(super) fn random_id() -> Result<String, getrandom::Error> {
    let mut id = [0; 32];
    getrandom::fill(&mut id)?;
    Ok(hex::encode(id))
}

pub(super) fn hash(id: &str) -> [u8; 32] {
    Sha256::digest(id).into()
}

/// Whether a cookie has this name, alone or with a port and a mount behind it.
fn is_named(cookie: &[u8], name: &str) -> bool {
    cookie.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.is_empty() || rest[0] == b'.')
}

/// The ids of all boards in a request's cookies. An id is of one board alone, so its name need not be looked at.
fn session_ids<B>(request: &Request<B>, https: bool) -> impl Iterator<Item = &str> {
    let names = if https { &NAMES[1..] } else { &NAMES[..] };
    let values = request.headers().get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let sessions = pairs.filter(|(cookie, _)| names.iter().any(|name| is_named(cookie.as_bytes(), name)));
    sessions.map(|(_, id)| id).take(MAX_COOKIES)
}

/// `watchboard_session.3000.ops.board`: cookies know paths, but no ports.
fn cookie_name<B>(request: &Request<B>, https: bool) -> String {
    let host = |headers: &HeaderMap| headers.get(header::HOST)?.to_str().ok()?.parse::<Authority>().ok();
    let port = request.uri().authority().and_then(Authority::port_u16);
    let port = port.or_else(|| host(request.headers())?.port_u16()).map(|port| format!(".{port}"));
    let mount = mount_path(request).replace(|char: char| !char.is_ascii_alphanumeric(), ".");
    [NAMES[usize::from(https)], &port.unwrap_or_default(), &mount].concat()
}

fn set_cookie<B>(request: &Request<B>, https: bool, id: &str, seconds: u64) -> HeaderValue {
    // Other sites' links open the page with its session. What changes something is a POST, which other sites cannot send.
    let known = request.extensions().get::<BasePath>().map(|_| mount_path(request));
    let is_plain = |mount: &&str| mount.bytes().all(|byte| byte.is_ascii_graphic() && byte != b';');
    let path = known.filter(is_plain).map(|mount| format!("; Path={}", if mount.is_empty() { "/" } else { mount }));
    let (path, secure) = (path.unwrap_or_default(), if https { "; Secure" } else { "" });
    let cookie =
        format!("{}={id}{path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}", cookie_name(request, https));
    HeaderValue::try_from(cookie).expect("a cookie of ASCII letters, digits and signs")
}

#[cfg(test)]
mod tests;
