//! Checks the `Host` of requests against DNS rebinding: another site can point its name at this machine and read the board as its own. The
//! browser then still sends that name.

use std::{fmt, net::IpAddr, str::FromStr};

use axum::{
    extract::Request,
    http::{StatusCode, header, uri::Authority},
    response::{IntoResponse, Response},
};
use thiserror::Error;

#[derive(Debug)]
pub(super) struct Hosts {
    names: Vec<HostName>,
    /// The address that the board listens on.
    listen: IpAddr,
}

/// A host, without a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HostName {
    Name(String),
    Address(IpAddr),
}

impl From<&Authority> for HostName {
    fn from(authority: &Authority) -> Self {
        let host = authority.host();
        host.trim_matches(['[', ']']).parse::<IpAddr>().map_or_else(
            |_| Self::Name(host.trim_end_matches('.').to_ascii_lowercase()),
            |address| Self::Address(address.to_canonical()),
        )
    }
}

/// Text that is not a host alone.
#[derive(Debug, Error)]
#[error("it is not a name as in a URL, without scheme and port: board.example.com")]
pub(crate) struct HostNameError;

impl FromStr for HostName {
    type Err = HostNameError;

    fn from_str(text: &str) -> Result<Self, HostNameError> {
        let parsed =
            text.parse::<Authority>().ok().filter(|authority| authority.port().is_none() && !text.contains('@'));
        parsed.as_ref().map(Self::from).ok_or(HostNameError)
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => formatter.write_str(name),
            Self::Address(address) => address.fmt(formatter),
        }
    }
}

impl Hosts {
    pub(super) fn new(mut names: Vec<HostName>, listen: IpAddr) -> Self {
        names.push(HostName::Name("localhost".to_owned()));
        Self { names, listen: listen.to_canonical() }
    }

    /// Refuses a request for another name. Every browser sends a name.
    #[expect(clippy::result_large_err, reason = "a response, for `?`")]
    pub(super) fn check(&self, request: &Request) -> Result<(), Response> {
        let named = request.headers().get_all(header::HOST).iter();
        let mut named = named.map(|host| host.to_str().ok().and_then(|host| host.parse::<Authority>().ok()));
        // HTTP/2 has it in the request's target.
        let is_answered = request.uri().authority().is_none_or(|authority| self.answers_to(authority))
            && named.all(|authority| authority.is_some_and(|authority| self.answers_to(&authority)));
        if is_answered {
            return Ok(());
        }
        let reason = "the board does not answer to the name in this request's Host header. Whoever runs it can add the name: --host NAME\n";
        Err((StatusCode::MISDIRECTED_REQUEST, reason).into_response())
    }

    /// An address cannot be rebound: each address that the board listens on is accepted.
    fn answers_to(&self, authority: &Authority) -> bool {
        let host = HostName::from(authority);
        self.names.contains(&host)
            || matches!(host, HostName::Address(address)
                if address == self.listen || self.listen.is_unspecified() || (address.is_loopback() && self.listen.is_loopback()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(listen: &str, names: &[&str], host: &str) -> bool {
        let names = names.iter().map(|name| name.parse().unwrap()).collect();
        Hosts::new(names, listen.parse().unwrap()).answers_to(&host.parse().unwrap())
    }

    #[test]
    fn on_loopback_it_answers_to_loopback_and_to_what_it_was_told() {
        for host in ["localhost:3000", "LOCALHOST", "127.0.0.1:3000", "127.0.0.9", "[::1]:3000", "localhost."] {
            assert!(answers("127.0.0.1", &[], host), "{host}");
        }
        for host in ["board.example", "192.0.2.1", "localhost.evil.example", "127.0.0.1.nip.io"] {
            assert!(!answers("127.0.0.1", &[], host), "{host}");
        }
        assert!(answers("127.0.0.1", &["Board.example"], "board.example:8443"));
    }

    #[test]
    fn elsewhere_it_answers_to_the_addresses_that_it_listens_on() {
        assert!(answers("192.0.2.1", &[], "192.0.2.1:3000") && !answers("192.0.2.1", &[], "192.0.2.2"));
        for listen in ["0.0.0.0", "::"] {
            assert!(answers(listen, &[], "192.0.2.7:3000") && answers(listen, &[], "[2001:db8::1]:3000"));
            assert!(!answers(listen, &[], "board.example"));
        }
    }

    #[test]
    fn a_name_is_a_name_alone() {
        for text in
            ["", "https://board.example", "board.example:3000", "a b", "user@board.example", "board.example/path"]
        {
            assert!(text.parse::<HostName>().is_err(), "{text}");
        }
    }
}
