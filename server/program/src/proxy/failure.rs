//! The reasons why the application gave no answer, with their texts for clients and for the board.

use std::io::{self, ErrorKind};

use http::StatusCode;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    Refused,
    NoName,
    Unreachable,
    NoConnection,
    NoConnectionInTime,
    Closed,
    NotHttp,
    TooLarge,
    Late,
    Busy,
    Loop,
    /// The client broke its request off, or sent a malformed body.
    Client,
}

impl Failure {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Refused
            | Self::NoName
            | Self::Unreachable
            | Self::NoConnection
            | Self::Closed
            | Self::NotHttp
            | Self::TooLarge => StatusCode::BAD_GATEWAY,
            Self::NoConnectionInTime | Self::Late => StatusCode::GATEWAY_TIMEOUT,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Loop => StatusCode::LOOP_DETECTED,
            Self::Client => StatusCode::BAD_REQUEST,
        }
    }

    /// The text for clients.
    pub(super) fn sentence(self) -> &'static str {
        match self {
            Self::Refused => "The application is not running. Please try again in a moment.",
            Self::NoName | Self::Unreachable | Self::NoConnection => {
                "The application cannot be reached. Please try again in a moment."
            }
            Self::Closed => "The application broke off. Please try again.",
            Self::NotHttp => "The application's answer is not to be understood.",
            Self::TooLarge => "The head of the application's answer is too large.",
            Self::Loop => "The application cannot be reached here.",
            Self::NoConnectionInTime | Self::Late => {
                "The application did not answer in time. Please try again in a moment."
            }
            Self::Busy => "The application has too much to do. Please try again in a moment.",
            Self::Client => "The request's body is not complete.",
        }
    }

    /// The text for the board.
    pub(super) fn cause(self) -> &'static str {
        match self {
            Self::Refused => "the application refuses connections: it is not running, or listens elsewhere",
            Self::NoName => "the name of the application's host cannot be resolved: look at --upstream and at the DNS",
            Self::Unreachable => "no way leads to the application's host: look at --upstream and at the network",
            Self::NoConnection => {
                "no connection to the application could be made: too many files may be open here, or no port be free"
            }
            Self::NoConnectionInTime => "the application took no connection in time",
            Self::Closed => "the application closed the connection before it answered",
            Self::NotHttp => "what the application answered is not HTTP/1.1",
            Self::TooLarge => "the head of the application's answer is too large: 100 fields and 400 KiB are taken",
            Self::Late => "the application did not begin to answer in time",
            Self::Busy => "too many requests were under way",
            Self::Loop => "the request came back to this proxy: it is its own upstream",
            Self::Client => "the client broke its request off",
        }
    }
}

/// From the error of an attempt to connect.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::ConnectionRefused => Self::Refused,
            // The application accepted the connection and broke it off at once.
            ErrorKind::ConnectionReset => Self::Closed,
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Self::Unreachable,
            // Failed look-ups have no kind of their own.
            _ if error.to_string().contains("lookup") => Self::NoName,
            _ => Self::NoConnection,
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
            // Of all that the caller provides, only the body can fail.
            Self::Client
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
            // Too many open files.
            (io::Error::from_raw_os_error(24), Failure::NoConnection),
        ] {
            assert_eq!(Failure::from(error), failure);
        }
    }
}
