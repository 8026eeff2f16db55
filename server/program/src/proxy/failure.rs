//! The reasons why the application gave no answer, with their texts for clients and for the board.

use std::{
    error::Error,
    io::{self, ErrorKind},
};

use http::StatusCode;
use rustix::io::Errno;
use watchboard::UpstreamTiming;

use super::{spoken_protocol::SpokenProtocol, upload::UploadError, upstream_certificates::CertificateFault};

/// Those of the client are no server errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    Refused,
    NoName,
    Unreachable,
    /// No file descriptor is left here.
    NoDescriptor,
    /// No port is left here.
    NoPort,
    NotAllowed,
    NoConnection,
    NoConnectionInTime,
    Certificate(CertificateFault),
    Closed,
    NotHttp,
    /// The application speaks another protocol than `--upstream` says.
    Speaks(SpokenProtocol),
    TooLarge,
    Late,
    Busy,
    /// Too many tunnels are open.
    NoTunnel,
    Loop,
    Client(UploadError),
}

impl Failure {
    /// Whether the client is to blame.
    pub(super) fn is_clients(self) -> bool {
        matches!(self, Self::Client(_))
    }

    /// The report to the layer.
    pub(super) fn timing(self) -> UpstreamTiming {
        match self {
            Self::Busy | Self::NoTunnel => UpstreamTiming::from_refusal(self.cause()),
            _ => UpstreamTiming::from_failure(self.cause()),
        }
    }

    /// The failure, if the application had waited for the rest of an upload: an application that gives up on it has not failed.
    pub(super) fn while_stalled(self) -> Self {
        if self == Self::Closed { Self::Client(UploadError::Slow) } else { self }
    }

    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Refused
            | Self::NoName
            | Self::Unreachable
            | Self::NoDescriptor
            | Self::NoPort
            | Self::NotAllowed
            | Self::NoConnection
            | Self::Certificate(_)
            | Self::Closed
            | Self::NotHttp
            | Self::Speaks(_)
            | Self::TooLarge => StatusCode::BAD_GATEWAY,
            Self::NoConnectionInTime | Self::Late => StatusCode::GATEWAY_TIMEOUT,
            Self::Busy | Self::NoTunnel => StatusCode::SERVICE_UNAVAILABLE,
            Self::Loop => StatusCode::LOOP_DETECTED,
            Self::Client(UploadError::Slow) => StatusCode::REQUEST_TIMEOUT,
            Self::Client(_) => StatusCode::BAD_REQUEST,
        }
    }

    /// The text for clients.
    pub(super) fn sentence(self) -> &'static str {
        match self {
            Self::Refused => "The application is not running. Please try again in a moment.",
            Self::NoName
            | Self::Unreachable
            | Self::NoDescriptor
            | Self::NoPort
            | Self::NotAllowed
            | Self::NoConnection
            | Self::Certificate(_) => "The application cannot be reached. Please try again in a moment.",
            Self::Closed => "The application broke off. Please try again.",
            Self::NotHttp | Self::Speaks(_) => "The application's answer is not to be understood.",
            Self::TooLarge => "The head of the application's answer is too large.",
            Self::Loop => "The application cannot be reached here.",
            Self::NoConnectionInTime | Self::Late => {
                "The application did not answer in time. Please try again in a moment."
            }
            Self::Busy => "The application has too much to do. Please try again in a moment.",
            Self::NoTunnel => "Too many WebSockets are open. Please try again in a moment.",
            Self::Client(UploadError::Aborted) => "The request's body is not complete.",
            Self::Client(UploadError::Malformed) => "The request's body is malformed.",
            Self::Client(UploadError::Slow) => "The request's body did not arrive in time.",
        }
    }

    /// The text for the board.
    pub(super) fn cause(self) -> &'static str {
        match self {
            Self::Refused => "the application refused connections: it was not running, or listens elsewhere",
            Self::NoName => "the name of the application's host cannot be resolved: look at --upstream and at the DNS",
            Self::Unreachable => "no way leads to the application's host: look at --upstream and at the network",
            Self::NoDescriptor => "no file descriptor was left here for a connection to the application",
            Self::NoPort => "no port was left here for a connection to the application",
            Self::NotAllowed => "the system does not allow connections to the application: look at its firewall",
            Self::NoConnection => "no connection to the application could be made",
            Self::Certificate(fault) => fault.cause(),
            Self::NoConnectionInTime => "the application took no connection in time",
            Self::Closed => "the application closed the connection before it answered",
            Self::NotHttp => "what the application answered is not HTTP/1.1",
            Self::Speaks(SpokenProtocol::Http1) => "the application speaks HTTP/1: use --upstream http:// (or unix:)",
            Self::Speaks(SpokenProtocol::Http2) => {
                "the application speaks HTTP/2: use --upstream h2c:// (or h2c+unix:)"
            }
            Self::Speaks(SpokenProtocol::Tls) => "the application speaks TLS: use --upstream https://",
            Self::TooLarge => "the head of the application's answer is too large: 2000 fields and 128 KiB are taken",
            Self::Late => "the application did not begin to answer in time",
            Self::Busy => "too many requests were under way",
            Self::Loop => "the request came back to this proxy: it is its own upstream",
            Self::NoTunnel => "too many WebSockets were open",
            Self::Client(UploadError::Aborted) => "the client broke its request off",
            Self::Client(UploadError::Malformed) => "the client sent a malformed body",
            Self::Client(UploadError::Slow) => "the client sent its body too slowly",
        }
    }
}

/// From the error of an attempt to connect.
impl From<&io::Error> for Failure {
    fn from(error: &io::Error) -> Self {
        if let Some(fault) = CertificateFault::from_error(error) {
            return Self::Certificate(fault);
        }
        match error.kind() {
            ErrorKind::ConnectionRefused => Self::Refused,
            // The application accepted the connection and broke it off at once.
            ErrorKind::ConnectionReset => Self::Closed,
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Self::Unreachable,
            ErrorKind::AddrNotAvailable => Self::NoPort,
            ErrorKind::PermissionDenied => Self::NotAllowed,
            ErrorKind::TimedOut => Self::NoConnectionInTime,
            _ => match Errno::from_io_error(error) {
                Some(Errno::MFILE | Errno::NFILE) => Self::NoDescriptor,
                // Failed look-ups have no kind of their own.
                None if error.to_string().contains("lookup") => Self::NoName,
                _ => Self::NoConnection,
            },
        }
    }
}

impl From<hyper::Error> for Failure {
    fn from(error: hyper::Error) -> Self {
        if error.is_parse_too_large() {
            Self::TooLarge
        } else if error.is_parse() {
            Self::NotHttp
        } else if error.is_user() {
            // Of all that the caller provides, only the body can fail. HTTP/2 says the same of a connection that takes no further request.
            let reason = error.source().and_then(|source| source.downcast_ref::<UploadError>());
            reason.map_or(Self::Closed, |reason| Self::Client(*reason))
        } else {
            Self::Closed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_there_is_no_connection_is_told_by_its_error() {
        for (error, failure) in [
            (ErrorKind::ConnectionRefused.into(), Failure::Refused),
            (ErrorKind::ConnectionReset.into(), Failure::Closed),
            (ErrorKind::NetworkUnreachable.into(), Failure::Unreachable),
            (io::Error::other("failed to lookup address information: Name or service not known"), Failure::NoName),
            (Errno::MFILE.into(), Failure::NoDescriptor),
            (Errno::ADDRNOTAVAIL.into(), Failure::NoPort),
            (Errno::NOBUFS.into(), Failure::NoConnection),
        ] {
            assert_eq!(Failure::from(&error), failure);
        }
    }
}
