//! Finds the host that a request is for, and checks it.

use http::{HeaderValue, Request, Version, header, uri::Authority};
use thiserror::Error;

/// The host is missing, doubled or malformed.
#[derive(Clone, Copy, Debug, Error)]
pub(super) enum HostError {
    #[error("the request has more than one Host header")]
    Several,
    #[error("the request has no Host header")]
    Missing,
    #[error("the request's Host header is not a host")]
    Malformed,
    #[error("the request's target is a host alone")]
    TargetIsHost,
    #[error("the request's target names no host")]
    NoHostInTarget,
    #[error("the target names no host")]
    NoText,
}

/// The host that a request is for. HTTP/2 and requests to a proxy have it in their target, HTTP/1.1 in exactly one header.
///
/// # Errors
/// The host is missing, doubled or malformed: the application could read another host than this proxy does.
pub(super) fn find_host<B>(request: &Request<B>) -> Result<Option<HeaderValue>, HostError> {
    let mut values = request.headers().get_all(header::HOST).iter();
    let (named, more) = (values.next(), values.next());
    if more.is_some() {
        return Err(HostError::Several);
    }
    match (named, request.uri().authority()) {
        (None, _) if request.version() == Version::HTTP_11 => Err(HostError::Missing),
        (Some(value), _) if !is_host(value.as_bytes()) => Err(HostError::Malformed),
        (_, Some(_)) if request.uri().scheme().is_none() => Err(HostError::TargetIsHost),
        (_, Some(authority)) if !is_host(authority.as_str().as_bytes()) => Err(HostError::NoHostInTarget),
        (_, Some(authority)) => HeaderValue::from_str(authority.as_str()).map(Some).map_err(|_| HostError::NoText),
        (named, None) => Ok(named.cloned()),
    }
}

/// Whether this is a host, with or without a port, and without a user.
fn is_host(text: &[u8]) -> bool {
    // Most are a name and a port, and need no full parse.
    let (name, port) = text.iter().position(|byte| *byte == b':').map_or((text, &[][..]), |at| text.split_at(at));
    let is_name =
        !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    let is_port = port.is_empty() || (2..=6).contains(&port.len()) && port[1..].iter().all(u8::is_ascii_digit);
    is_name && is_port || (!text.contains(&b'@') && Authority::try_from(text).is_ok())
}
