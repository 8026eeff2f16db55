//! Which headers go on and which end here (RFC 9110, 7.6), and what is told of the client.

use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Version, header,
    uri::{Authority, Uri},
};

use crate::{
    login::SESSION_COOKIES,
    serve::{
        Arrival,
        client::{X_FORWARDED_FOR, X_FORWARDED_PROTO},
    },
};

const FORWARDED: HeaderName = header::FORWARDED;
const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
/// They speak of one connection alone, as `Connection` itself, `TE`, `Transfer-Encoding` and `Upgrade` do; `Connection` may name more.
static HOP_BY_HOP: [HeaderName; 3] =
    [HeaderName::from_static("keep-alive"), HeaderName::from_static("proxy-connection"), header::PROXY_AUTHENTICATE];

/// What a message cannot do without is not a client's to take away.
static NEEDED: [HeaderName; 4] = [header::HOST, header::CONTENT_LENGTH, X_FORWARDED_FOR, FORWARDED];

/// Which of those headers a message has that mean something here. One look at all names: messages have few, and to ask for each takes longer.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is the answer to one question, and all come of one look")]
pub(super) struct Seen {
    pub(super) accept: bool,
    connection: bool,
    pub(super) cookie: bool,
    pub(super) expect: bool,
    /// One of [`HOP_BY_HOP`].
    hop: bool,
    /// What somebody says of the client.
    told: bool,
    pub(super) te: bool,
    transfer_encoding: bool,
    pub(super) upgrade: bool,
    pub(super) via: bool,
}

impl Seen {
    pub(super) fn among(headers: &HeaderMap) -> Self {
        let mut seen = Self::default();
        for name in headers.keys() {
            let flag = match name.as_str() {
                "accept" => &mut seen.accept,
                "connection" => &mut seen.connection,
                "cookie" => &mut seen.cookie,
                "expect" => &mut seen.expect,
                "te" => &mut seen.te,
                "transfer-encoding" => &mut seen.transfer_encoding,
                "upgrade" => &mut seen.upgrade,
                "via" => &mut seen.via,
                _ if tells_of_client(name) => &mut seen.told,
                _ if HOP_BY_HOP.contains(name) => &mut seen.hop,
                _ => continue,
            };
            *flag = true;
        }
        seen
    }

    /// Whether a body is in a coding beside its chunks: such a one ends here, and nobody takes it off.
    pub(super) fn is_coded(&self, headers: &HeaderMap) -> bool {
        let is_chunked = |coding: &HeaderValue| coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked");
        self.transfer_encoding && !headers.get_all(header::TRANSFER_ENCODING).iter().all(is_chunked)
    }

    /// Takes out what is of this connection alone.
    pub(super) fn end_hop(&self, headers: &mut HeaderMap) {
        if self.connection && !headers.get_all(header::CONNECTION).iter().all(names_nothing) {
            let lists = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
            let names =
                lists.flat_map(|list| list.split(',')).filter_map(|word| HeaderName::try_from(word.trim()).ok());
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
        if self.hop {
            for name in &HOP_BY_HOP {
                headers.remove(name);
            }
        }
    }
}

/// Whether this is what somebody says of the client, for the application to believe. To one that reads names as CGI has them an underscore is a
/// hyphen.
fn tells_of_client(name: &HeaderName) -> bool {
    let begins = |start: &str| {
        let mut pairs = name.as_str().bytes().zip(start.bytes());
        name.as_str().len() >= start.len() && pairs.all(|(byte, of)| byte == of || (byte == b'_' && of == b'-'))
    };
    begins("x-forwarded-") || (begins("x-real-ip") && name.as_str().len() == X_REAL_IP.as_str().len())
}

/// Most say only whether the connection stays open.
fn names_nothing(connection: &HeaderValue) -> bool {
    ["keep-alive", "close"].iter().any(|word| connection.as_bytes().eq_ignore_ascii_case(word.as_bytes()))
}

/// What the client wants to speak after an upgrade, if it asks for one. HTTP/2 is none of these: requests would go to the application past this
/// proxy, which speaks HTTP/2 itself.
pub(super) fn upgrade<B>(request: &Request<B>) -> Option<HeaderValue> {
    let asks = |_: &&HeaderValue| {
        request.version() == Version::HTTP_11
            && has_token(request.headers(), &header::CONNECTION, "upgrade")
            && !has_token(request.headers(), &header::UPGRADE, "h2c")
    };
    request.headers().get(header::UPGRADE).filter(asks).cloned()
}

/// Takes the board's own cookies out, which browsers send to all ports of a name: they are no business of the application.
pub(super) fn hide_sessions(headers: &mut HeaderMap) {
    let is_ours = |pair: &[u8]| {
        let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii();
        SESSION_COOKIES.iter().any(|ours| ours.as_bytes() == name)
    };
    let values = headers.get_all(header::COOKIE);
    let pairs = || values.iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    if !pairs().any(is_ours) {
        return;
    }
    let others: Vec<&[u8]> = pairs().filter(|pair| !is_ours(pair)).map(<[u8]>::trim_ascii).collect();
    match HeaderValue::from_bytes(&others.join(&b"; "[..])) {
        Ok(others) if !others.is_empty() => headers.insert(header::COOKIE, others),
        _ => headers.remove(header::COOKIE),
    };
}

/// Whether a list of words in these headers has this one.
pub(super) fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|word| word.trim().eq_ignore_ascii_case(token))
}

/// The name of the host that a request is for. HTTP/2, and a request to a proxy, have it in their target, HTTP/1.1 in exactly one header.
///
/// # Errors
/// What is wrong with it: such a request could mean one host to us and another to the application.
pub(super) fn host<B>(request: &Request<B>) -> Result<Option<HeaderValue>, &'static str> {
    let mut values = request.headers().get_all(header::HOST).iter();
    let (named, more) = (values.next(), values.next());
    if more.is_some() {
        return Err("the request has more than one Host header");
    }
    match (named, request.uri().authority()) {
        (None, _) if request.version() == Version::HTTP_11 => Err("the request has no Host header"),
        (Some(value), _) if !is_host(value.as_bytes()) => Err("the request's Host header is not a host"),
        (_, Some(_)) if request.uri().scheme().is_none() => Err("the request's target is a host alone"),
        (_, Some(authority)) if !is_host(authority.as_str().as_bytes()) => Err("the request's target names no host"),
        (_, Some(authority)) => {
            HeaderValue::from_str(authority.as_str()).map(Some).map_err(|_| "the target names no host")
        }
        (named, None) => Ok(named.cloned()),
    }
}

/// Whether this is a host with a port or without, and without a user.
fn is_host(text: &[u8]) -> bool {
    // Most are a name and a port, of which there is nothing more to ask.
    let (name, port) = text.iter().position(|byte| *byte == b':').map_or((text, &[][..]), |at| text.split_at(at));
    let is_name =
        !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    let is_port = port.is_empty() || (2..=6).contains(&port.len()) && port[1..].iter().all(u8::is_ascii_digit);
    is_name && is_port || (!text.contains(&b'@') && Authority::try_from(text).is_ok())
}

/// Tells the application for whom this is. What strangers say of themselves is taken out; a trusted proxy's word goes on, and its lists
/// get longer.
pub(super) fn forward(headers: &mut HeaderMap, seen: &Seen, arrival: &Arrival, host: Option<&HeaderValue>) {
    let (client, peer) = (arrival.client, &arrival.peer);
    if seen.told {
        // A proxy writes no underscores: those are of somebody behind it.
        let is_lie = |name: &&HeaderName| tells_of_client(name) && (!client.forwarded || name.as_str().contains('_'));
        for name in headers.keys().filter(is_lie).cloned().collect::<Vec<_>>() {
            headers.remove(name);
        }
    }
    if client.forwarded {
        append(headers, X_FORWARDED_FOR, &peer.text);
        // Begun here it would tell of the proxy alone, and be believed before the other.
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

/// Adds a word to a list, which may come in several headers.
fn append(headers: &mut HeaderMap, name: HeaderName, word: &HeaderValue) {
    let mut list: Vec<&[u8]> = headers.get_all(&name).iter().map(HeaderValue::as_bytes).collect();
    list.push(word.as_bytes());
    if let Ok(list) = HeaderValue::from_bytes(&list.join(&b", "[..])) {
        headers.insert(name, list);
    }
}

/// HTTP/2 may split a cookie header, HTTP/1.1 has one (RFC 9113, 8.2.3).
pub(super) fn join_cookies(headers: &mut HeaderMap) {
    let cookies = headers.get_all(header::COOKIE);
    if cookies.iter().nth(1).is_some() {
        let joined = cookies.iter().map(HeaderValue::as_bytes).collect::<Vec<_>>().join(&b"; "[..]);
        if let Ok(joined) = HeaderValue::from_bytes(&joined) {
            headers.insert(header::COOKIE, joined);
        }
    }
}

/// Where the request goes: its own path and query, whatever host the client named before them.
pub(super) fn target(uri: Uri) -> Uri {
    let path = uri.into_parts().path_and_query;
    path.map_or_else(|| Uri::from_static("/"), Uri::from)
}
