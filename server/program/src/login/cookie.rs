//! The cookie that holds a session's id.
//!
//! Not by the crate `cookie`: it writes the attributes in another order, takes values as UTF-8 alone and brings the crate `time`.

use axum::http::{HeaderMap, HeaderValue, header};

use super::sessions::LONGEST;

/// Its names, with and without https.
const NAMES: [&str; 2] = ["__Host-watchboard", "watchboard_session"];

/// Over https browsers take this name only with `Secure`, for this host alone and for all its paths.
fn name(https: bool) -> &'static str {
    NAMES[usize::from(!https)]
}

/// The name and the value of a pair of a `Cookie` header; without `=` the pair has no value.
fn name_and_value(pair: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut parts = pair.splitn(2, |byte| *byte == b'=');
    (parts.next().unwrap_or_default().trim_ascii(), parts.next())
}

/// Whether a pair of a `Cookie` header is the board's own, with or without https.
pub(crate) fn is_session_cookie(pair: &[u8]) -> bool {
    NAMES.iter().any(|name| name.as_bytes() == name_and_value(pair).0)
}

/// The session's id.
pub(super) fn read(headers: &HeaderMap, https: bool) -> Option<&str> {
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = values.flat_map(|value| value.split(';')).map(|pair| name_and_value(pair.trim().as_bytes()));
    let id = pairs.find_map(|(found, id)| id.filter(|_| found == name(https).as_bytes()))?;
    std::str::from_utf8(id).ok()
}

/// Makes the browser keep `id`.
pub(super) fn keep(id: &str, https: bool) -> Option<HeaderValue> {
    set(id, LONGEST.as_secs(), https)
}

/// Makes the browser forget its id.
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
