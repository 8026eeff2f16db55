//! Forwards, removes and adds headers (RFC 9110, 7.6), and describes the client to the application.

use std::time::Duration;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri, Version, header,
    uri::{Authority, Scheme},
};

use watchboard::Sessions;

use crate::serve::{
    Arrival,
    client::{X_FORWARDED_FOR, X_FORWARDED_PROTO},
};

/// Names the proxies that a request has passed, so that a loop ends (RFC 8586). `Via` would make some applications leave out compression.
pub(super) const CDN_LOOP: HeaderName = HeaderName::from_static("cdn-loop");
const FORWARDED: HeaderName = header::FORWARDED;
const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
/// Hop-by-hop headers beside `Connection`, `Keep-Alive`, `TE`, `Transfer-Encoding` and `Upgrade`. `Connection` may name more.
static HOP_BY_HOP: [HeaderName; 2] = [HeaderName::from_static("proxy-connection"), header::PROXY_AUTHENTICATE];

/// Headers that `Connection` cannot remove, since the application needs them.
static NEEDED: [HeaderName; 4] = [header::HOST, header::CONTENT_LENGTH, X_FORWARDED_FOR, FORWARDED];

/// The headers of a message that this proxy handles. One pass over all names costs less than a look-up for each.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "one flag for each header, all set in one pass")]
pub(super) struct HeaderFlags {
    pub(super) accept: bool,
    connection: bool,
    pub(super) cookie: bool,
    pub(super) expect: bool,
    /// One of [`HOP_BY_HOP`].
    hop: bool,
    keep_alive: bool,
    /// A header that describes the client.
    describes_client: bool,
    pub(super) te: bool,
    transfer_encoding: bool,
    pub(super) upgrade: bool,
    pub(super) cdn_loop: bool,
}

impl From<&HeaderMap> for HeaderFlags {
    fn from(headers: &HeaderMap) -> Self {
        let mut flags = Self::default();
        for name in headers.keys() {
            let flag = match name.as_str() {
                "accept" => &mut flags.accept,
                "cdn-loop" => &mut flags.cdn_loop,
                "connection" => &mut flags.connection,
                "cookie" => &mut flags.cookie,
                "expect" => &mut flags.expect,
                "keep-alive" => &mut flags.keep_alive,
                "te" => &mut flags.te,
                "transfer-encoding" => &mut flags.transfer_encoding,
                "upgrade" => &mut flags.upgrade,
                _ if is_about_client(name) => &mut flags.describes_client,
                _ if HOP_BY_HOP.contains(name) => &mut flags.hop,
                _ => continue,
            };
            *flag = true;
        }
        flags
    }
}

impl HeaderFlags {
    /// Whether the body has a transfer coding other than chunked. The proxy removes none.
    pub(super) fn is_coded(&self, headers: &HeaderMap) -> bool {
        let is_chunked = |coding: &HeaderValue| coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked");
        self.transfer_encoding && !headers.get_all(header::TRANSFER_ENCODING).iter().all(is_chunked)
    }

    /// For how long the application keeps an idle connection, if its response says so. Zero: it takes no further request.
    pub(super) fn idle_for(&self, headers: &HeaderMap) -> Option<Duration> {
        if !self.keep_alive {
            return None;
        }
        let number = |name: &str| {
            let (_, number) = list_items(headers, &KEEP_ALIVE)
                .filter_map(|item| item.split_once('='))
                .find(|(known, _)| known.trim().eq_ignore_ascii_case(name))?;
            number.trim().trim_matches('"').parse::<u32>().ok()
        };
        if number("max") == Some(0) {
            return Some(Duration::ZERO);
        }
        number("timeout").map(|seconds| Duration::from_secs(seconds.into()))
    }

    /// Removes what concerns the connection alone, and what the chunks of the body overrule.
    pub(super) fn make_response_end_to_end<B>(&self, response: &mut Response<B>) {
        // A response with this status says which protocols the application wants instead.
        let requires_upgrade = self.upgrade && response.status() == StatusCode::UPGRADE_REQUIRED;
        let upgrades: Vec<HeaderValue> = if requires_upgrade {
            response.headers().get_all(header::UPGRADE).iter().cloned().collect()
        } else {
            vec![]
        };
        let headers = response.headers_mut();
        self.remove_hop_by_hop(headers);
        if self.transfer_encoding {
            // Chunks overrule a length (RFC 9112, 6.3).
            headers.remove(header::CONTENT_LENGTH);
        }
        for protocol in upgrades {
            headers.append(header::UPGRADE, protocol);
            headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        }
    }

    /// Removes the headers that concern this connection alone.
    pub(super) fn remove_hop_by_hop(&self, headers: &mut HeaderMap) {
        if self.connection && !headers.get_all(header::CONNECTION).iter().all(names_nothing) {
            let names = list_items(headers, &header::CONNECTION).filter_map(|item| HeaderName::try_from(item).ok());
            for name in names.filter(|name| !NEEDED.contains(name)).collect::<Vec<_>>() {
                headers.remove(name);
            }
        }
        if self.connection {
            headers.remove(header::CONNECTION);
        }
        if self.te {
            headers.remove(header::TE);
        }
        if self.transfer_encoding {
            headers.remove(header::TRANSFER_ENCODING);
        }
        if self.upgrade {
            headers.remove(header::UPGRADE);
        }
        if self.keep_alive {
            headers.remove(KEEP_ALIVE);
        }
        if self.hop {
            for name in &HOP_BY_HOP {
                headers.remove(name);
            }
        }
    }
}

/// Whether a header describes the client to the application. An underscore counts as a hyphen: CGI makes no difference.
fn is_about_client(name: &HeaderName) -> bool {
    let begins = |start: &str| {
        let mut pairs = name.as_str().bytes().zip(start.bytes());
        name.as_str().len() >= start.len() && pairs.all(|(byte, of)| byte == of || (byte == b'_' && of == b'-'))
    };
    begins("x-forwarded-") || (begins("x-real-ip") && name.as_str().len() == X_REAL_IP.as_str().len())
}

/// Whether `Connection` names no header. Most values are `keep-alive` or `close`.
fn names_nothing(connection: &HeaderValue) -> bool {
    ["keep-alive", "close"].iter().any(|word| connection.as_bytes().eq_ignore_ascii_case(word.as_bytes()))
}

/// The protocol of an upgrade, if the client asks for one. An upgrade to HTTP/2 is ignored: its requests would bypass this proxy, which speaks
/// HTTP/2 itself.
pub(super) fn upgrade<B>(request: &Request<B>) -> Option<HeaderValue> {
    let asks = |_: &&HeaderValue| {
        request.version() == Version::HTTP_11
            && lists_token(request.headers(), &header::CONNECTION, "upgrade")
            && !lists_token(request.headers(), &header::UPGRADE, "h2c")
    };
    request.headers().get(header::UPGRADE).filter(asks).cloned()
}

/// Removes the board's own cookies. Browsers send them to all ports of a host, and the application must not see them.
pub(super) fn remove_session_cookies(headers: &mut HeaderMap) {
    let pairs =
        || headers.get_all(header::COOKIE).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    if !pairs().any(Sessions::is_cookie) {
        return;
    }
    let others: Vec<&[u8]> = pairs().filter(|pair| !Sessions::is_cookie(pair)).map(<[u8]>::trim_ascii).collect();
    match join(&others, b"; ") {
        Some(others) if !others.is_empty() => headers.insert(header::COOKIE, others),
        _ => headers.remove(header::COOKIE),
    };
}

/// One header value from several.
fn join(values: &[&[u8]], separator: &[u8]) -> Option<HeaderValue> {
    HeaderValue::from_bytes(&values.join(separator)).ok()
}

/// The items of a comma-separated list, which may span several headers.
fn list_items<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

/// Whether a comma-separated list has this token.
pub(super) fn lists_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    list_items(headers, name).any(|item| item.eq_ignore_ascii_case(token))
}

/// Describes the client to the application. Headers of untrusted clients are removed. Those of a trusted proxy stay, and this proxy adds to
/// their lists.
pub(super) fn describe_client(
    headers: &mut HeaderMap,
    flags: &HeaderFlags,
    arrival: &Arrival,
    host: Option<&HeaderValue>,
) {
    let (client, peer) = (arrival.client, &arrival.peer);
    if flags.describes_client {
        // A proxy writes no underscores: a client behind it did.
        let is_untrusted =
            |name: &&HeaderName| is_about_client(name) && (!client.forwarded || name.as_str().contains('_'));
        for name in headers.keys().filter(is_untrusted).cloned().collect::<Vec<_>>() {
            headers.remove(name);
        }
    }
    if client.forwarded {
        append(headers, X_FORWARDED_FOR, &peer.text);
        // A new `Forwarded` would name the proxy alone, and take precedence over `X-Forwarded-For`.
        if headers.contains_key(FORWARDED) {
            append(headers, FORWARDED, &peer.forwarded);
        }
    } else {
        headers.insert(X_FORWARDED_FOR, peer.text.clone());
        headers.insert(FORWARDED, peer.forwarded.clone());
    }
    let proto = HeaderValue::from_static(if client.https { "https" } else { "http" });
    headers.entry(X_FORWARDED_PROTO).or_insert(proto);
    if let Some(host) = host {
        headers.entry(X_FORWARDED_HOST).or_insert_with(|| host.clone());
    }
}

/// Adds a word to a list, and joins the list into one header.
fn append(headers: &mut HeaderMap, name: HeaderName, word: &HeaderValue) {
    let values = headers.get_all(&name).iter().chain([word]);
    if let Some(list) = join(&values.map(HeaderValue::as_bytes).collect::<Vec<_>>(), b", ") {
        headers.insert(name, list);
    }
}

/// Joins the cookie headers: HTTP/2 may have several, HTTP/1.1 has one (RFC 9113, 8.2.3).
pub(super) fn join_cookies(headers: &mut HeaderMap) {
    let values: Vec<&[u8]> = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if values.len() > 1
        && let Some(cookies) = join(&values, b"; ")
    {
        headers.insert(header::COOKIE, cookies);
    }
}

/// The length that a response without a body declares all the same: that of the body which another request would get.
pub(super) fn length_without_body<B>(response: &Response<B>) -> Option<u64> {
    let has_none = matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let length = response.headers().get(header::CONTENT_LENGTH).filter(|_| has_none)?;
    length.to_str().ok()?.parse().ok()
}

/// The target without scheme and host: the path and the query.
pub(super) fn target(uri: Uri) -> Uri {
    let path = uri.into_parts().path_and_query;
    path.map_or_else(|| Uri::from_static("/"), Uri::from)
}

/// The same of a target as it came.
pub(super) fn origin_form(target: Bytes) -> Bytes {
    let Some(scheme) = target.windows(3).position(|part| part == b"://").filter(|_| target[0] != b'/') else {
        return target;
    };
    let behind = target.slice(scheme + 3..);
    match behind.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')) {
        Some(at) if behind[at] == b'/' => behind.slice(at..),
        Some(at) => [b"/", &behind[at..]].concat().into(),
        None => Bytes::from_static(b"/"),
    }
}

/// Whether a trailer of a request may pass: none may describe the client.
pub(super) fn may_be_trailer(name: &HeaderName) -> bool {
    !is_about_client(name) && *name != CDN_LOOP && !HOP_BY_HOP.contains(name) && *name != KEEP_ALIVE
}

/// Makes a request one of HTTP/2, which has its host in the target and no headers of the connection.
pub(super) fn make_http_2<B>(request: &mut Request<B>) {
    let host = request.headers_mut().remove(header::HOST);
    for name in [header::CONNECTION, header::UPGRADE, header::TRANSFER_ENCODING] {
        request.headers_mut().remove(name);
    }
    *request.version_mut() = Version::HTTP_2;
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    parts.scheme.get_or_insert(Scheme::HTTP);
    if let Some(host) = host {
        parts.authority = Authority::try_from(host.as_bytes()).ok();
    }
    // A host was checked before.
    *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
}
