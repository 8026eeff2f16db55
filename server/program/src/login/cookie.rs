//! The cookie that holds a session's id.

use axum::http::{HeaderMap, HeaderValue, header};

use super::sessions::LONGEST;

/// Its names, with and without https.
pub(crate) const NAMES: [&str; 2] = ["__Host-watchboard", "watchboard_session"];

/// Over https by a name that browsers take only with `Secure`, for this host alone and for all its paths.
fn name(https: bool) -> &'static str {
    NAMES[usize::from(!https)]
}

/// The session's id.
pub(super) fn read(headers: &HeaderMap, https: bool) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name(https)).map(|(_, id)| id)
}

/// Has the browser keep `id`.
pub(super) fn keep(id: &str, https: bool) -> Option<HeaderValue> {
    set(id, LONGEST.as_secs(), https)
}

/// Has the browser forget its id.
pub(super) fn forget(https: bool) -> Option<HeaderValue> {
    set("", 0, https)
}

fn set(value: &str, seconds: u64, https: bool) -> Option<HeaderValue> {
    let secure = if https { "; Secure" } else { "" };
    let cookie = format!("{}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}", name(https));
    HeaderValue::try_from(cookie).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_https_it_is_bound_to_the_host() {
        assert_eq!(
            keep("a1", true).unwrap(),
            "__Host-watchboard=a1; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict; Secure"
        );
        assert_eq!(
            keep("a1", false).unwrap(),
            "watchboard_session=a1; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict"
        );
        assert_eq!(forget(true).unwrap(), "__Host-watchboard=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict; Secure");
    }

    #[test]
    fn over_https_no_cookie_counts_that_plain_http_could_have_set() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("theme=dark; watchboard_session=plain"));
        assert_eq!(read(&headers, true), None);
        assert_eq!(read(&headers, false), Some("plain"));
        headers.append(header::COOKIE, HeaderValue::from_static("__Host-watchboard=bound"));
        assert_eq!(read(&headers, true), Some("bound"));
    }
}
