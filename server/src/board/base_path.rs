//! The addresses of the board as browsers have them. They are relative, so that they hold behind a proxy that strips a prefix.

use std::{fmt, str::FromStr, sync::Arc};

use axum::extract::OriginalUri;
use http::{Request, Uri, uri::PathAndQuery};
use thiserror::Error;

/// The longest prefix that is accepted.
const MAX_BYTES: usize = 256;

/// The path in front of an application's own paths, as browsers have it: `/ops`, if a proxy serves the application below that path.
///
/// The board needs it only if a proxy strips the slash behind the prefix too. Otherwise its relative addresses are right without it.
///
/// ```
/// use watchboard::BasePath;
///
/// assert_eq!("/ops/".parse::<BasePath>()?.as_str(), "/ops");
/// assert!("//other.example".parse::<BasePath>().is_err());
/// # Ok::<(), watchboard::BasePathError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BasePath(Arc<str>);

/// Why a text is no base path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BasePathError {
    /// It is empty: the root is `/`.
    #[error("it is empty: the root is /")]
    Empty,
    /// It has too many bytes.
    #[error("it has more than {MAX_BYTES} bytes")]
    TooLong,
    /// It is no path of plain segments.
    #[error("it is not a path, as in /ops: letters, digits, and any of - . _ ~ between single slashes")]
    NotPlain,
}

impl FromStr for BasePath {
    type Err = BasePathError;

    /// # Errors
    /// The text is not a path of plain segments.
    fn from_str(text: &str) -> Result<Self, BasePathError> {
        let path = text.strip_suffix('/').unwrap_or(text);
        let is_plain = |segment: &str| {
            !matches!(segment, "" | "." | "..")
                && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
        };
        let is_path = path.is_empty() || path.strip_prefix('/').is_some_and(|path| path.split('/').all(is_plain));
        match text.len() {
            0 => Err(BasePathError::Empty),
            length if length > MAX_BYTES => Err(BasePathError::TooLong),
            _ if !is_path => Err(BasePathError::NotPlain),
            _ => Ok(Self(path.into())),
        }
    }
}

impl fmt::Display for BasePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl BasePath {
    /// The path, without a slash at its end; empty at the root.
    ///
    /// ```
    /// assert_eq!("/".parse::<watchboard::BasePath>()?.as_str(), "");
    /// # Ok::<(), watchboard::BasePathError>(())
    /// ```
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Applies the prefix to a request, before it enters the router: a proxy may have stripped the prefix, or passed it on. After it
    /// the request's path is without the prefix, and [`mount_path`] is with it.
    ///
    /// ```
    /// use axum::{body::Body, extract::Request};
    ///
    /// let mut request = Request::new(Body::empty());
    /// *request.uri_mut() = "/ops/health".parse()?;
    /// "/ops".parse::<watchboard::BasePath>()?.apply(&mut request);
    /// assert_eq!(request.uri(), "/health");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn apply<B>(&self, request: &mut Request<B>) {
        let path = request.uri().path();
        let rest = path.strip_prefix(&*self.0).filter(|rest| rest.is_empty() || rest.starts_with('/')).unwrap_or(path);
        let query = request.uri().query().map(|query| ["?", query].concat()).unwrap_or_default();
        let with_path = |path: String| {
            let mut parts = request.uri().clone().into_parts();
            parts.path_and_query = Some(PathAndQuery::try_from(path).ok()?);
            Uri::from_parts(parts).ok()
        };
        let slash = if rest.is_empty() { "/" } else { "" };
        let own = with_path([slash, rest, &query].concat());
        let original = with_path([&*self.0, slash, rest, &query].concat());
        if let (Some(own), Some(original)) = (own, original) {
            *request.uri_mut() = own;
            request.extensions_mut().insert(OriginalUri(original));
            request.extensions_mut().insert(self.clone());
        }
    }
}

/// The path of the board's mount, from a request below it: `/ops/board`, or nothing at the root. It is the original path without
/// the path below the mount. It is no route template, so a mount with parameters works too.
///
/// ```
/// use axum::{body::Body, extract::Request};
///
/// let request = Request::new(Body::empty()); // not nested, as at the root
/// assert_eq!(watchboard::mount_path(&request), "");
/// ```
pub fn mount_path<B>(request: &Request<B>) -> &str {
    let own = request.uri().path();
    original_path(request).strip_suffix(own).unwrap_or(original_path(request)).trim_end_matches('/')
}

fn original_path<B>(request: &Request<B>) -> &str {
    request.extensions().get::<OriginalUri>().map_or(request.uri().path(), |original| original.path())
}

/// The address of a path of the board, for links, forms and redirects in the answer to `request`. It is relative to the request, so
/// that it is right also if a proxy stripped a prefix. With a [`BasePath`] it begins at the root.
///
/// ```
/// use axum::{body::Body, extract::Request};
///
/// let request = Request::new(Body::empty()); // for `/`
/// assert_eq!(watchboard::board_address(&request, "/sign-in"), "./sign-in");
/// ```
pub fn board_address<B>(request: &Request<B>, path: &str) -> String {
    let mount = mount_path(request);
    if path != "/" || mount.is_empty() {
        return [&base_address(request), path].concat();
    }
    if request.extensions().get::<BasePath>().is_some() {
        // An application mounts the board without the slash; the prefix alone has one.
        let is_root = request.extensions().get::<BasePath>().is_some_and(|base| base.as_str() == mount);
        return [mount, if is_root { "/" } else { "" }].concat();
    }
    let name = mount.rsplit('/').next().unwrap_or_default();
    if is_mount_itself(request) { ["./", name].concat() } else { [&base_address(request), "/../", name].concat() }
}

/// The address of the mount, to be followed by a path below it.
pub(super) fn base_address<B>(request: &Request<B>) -> String {
    let mount = mount_path(request);
    if request.extensions().get::<BasePath>().is_some() {
        return mount.to_owned();
    }
    if is_mount_itself(request) {
        // The last segment stays: `./` keeps a colon in it from being a scheme.
        return ["./", mount.rsplit('/').next().unwrap_or_default()].concat();
    }
    let folders = request.uri().path().matches('/').count().saturating_sub(1);
    if folders == 0 { ".".to_owned() } else { vec![".."; folders].join("/") }
}

/// Whether the request is for the mount without a slash behind it, which is then no folder to the browser.
fn is_mount_itself<B>(request: &Request<B>) -> bool {
    request.uri().path() == "/" && !original_path(request).ends_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{body::Body, extract::Request};

    fn request(original: &'static str, own: &'static str) -> Request {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = Uri::from_static(own);
        request.extensions_mut().insert(OriginalUri(Uri::from_static(original)));
        request
    }

    #[test]
    fn the_mount_is_what_the_path_has_before_its_own() {
        for (original, own, expected) in [
            ("/", "/", ""),
            ("/health", "/health", ""),
            ("/ops/board", "/", "/ops/board"),
            ("/ops/board/", "/", "/ops/board"),
            ("/tenants/7/board/health", "/health", "/tenants/7/board"),
        ] {
            assert_eq!(mount_path(&request(original, own)), expected, "{original}");
        }
    }

    #[test]
    fn addresses_are_relative_to_the_request() {
        for (original, own, form, page) in [
            ("/", "/", "./sign-in", "./"),
            ("/sign-in", "/sign-in", "./sign-in", "./"),
            ("/api/v1/health", "/api/v1/health", "../../sign-in", "../../"),
            ("/ops/board", "/", "./board/sign-in", "./board"),
            ("/ops/board/", "/", "./sign-in", "./../board"),
            ("/ops/board/sign-in", "/sign-in", "./sign-in", "./../board"),
            ("/ops/a:b", "/", "./a:b/sign-in", "./a:b"),
        ] {
            let request = request(original, own);
            assert_eq!(board_address(&request, "/sign-in"), form, "{original}");
            assert_eq!(board_address(&request, "/"), page, "{original}");
        }
    }

    #[test]
    fn a_prefix_is_the_same_whether_it_was_stripped_or_kept() {
        let base: BasePath = "/ops".parse().unwrap();
        for (sent, own) in
            [("/", "/"), ("/ops", "/"), ("/ops/", "/"), ("/ops/sign-in?a=b", "/sign-in"), ("/opsy", "/opsy")]
        {
            let mut request = Request::new(Body::empty());
            *request.uri_mut() = Uri::from_static(sent);
            base.apply(&mut request);
            assert_eq!((request.uri().path(), mount_path(&request)), (own, "/ops"), "{sent}");
            assert_eq!(request.uri().query(), Uri::from_static(sent).query());
            assert_eq!(board_address(&request, "/sign-in"), "/ops/sign-in");
            assert_eq!(board_address(&request, "/"), "/ops/");
        }
    }

    #[test]
    fn a_prefix_is_plain_segments() {
        for text in ["/", "/ops", "/ops/", "/a/b-c_d.e~f"] {
            assert!(text.parse::<BasePath>().is_ok(), "{text}");
        }
        let long = format!("/{}", "a".repeat(MAX_BYTES));
        for text in
            ["", "ops", "//", "//a", "/a//b", "/..", "/a/./b", "https://a", "/a b", "/a\"", "/a;b", "/%2e", "/ä", &long]
        {
            assert!(text.parse::<BasePath>().is_err(), "{text}");
        }
    }
}
