//! Why the application gave no answer: what its clients are told, and what the board shows.

use http::StatusCode;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    Refused,
    Unreachable,
    NoConnectionInTime,
    Closed,
    NotHttp,
    Late,
    Busy,
    Loop,
    /// The client broke its request off, or what it sent is no body.
    Client,
}

impl Failure {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Refused | Self::Unreachable | Self::Closed | Self::NotHttp => StatusCode::BAD_GATEWAY,
            Self::NoConnectionInTime | Self::Late => StatusCode::GATEWAY_TIMEOUT,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Loop => StatusCode::LOOP_DETECTED,
            Self::Client => StatusCode::BAD_REQUEST,
        }
    }

    /// For its clients.
    pub(super) fn sentence(self) -> &'static str {
        match self {
            Self::Refused | Self::Unreachable => "The application is not running. Please try again in a moment.",
            Self::Closed => "The application broke off. Please try again.",
            Self::NotHttp | Self::Loop => "The application cannot be reached here.",
            Self::NoConnectionInTime | Self::Late => {
                "The application did not answer in time. Please try again in a moment."
            }
            Self::Busy => "The application has too much to do. Please try again in a moment.",
            Self::Client => "The request's body is not complete.",
        }
    }

    /// For the board.
    pub(super) fn cause(self) -> &'static str {
        match self {
            Self::Refused => "the application refuses connections: it is not running, or listens elsewhere",
            Self::Unreachable => "the application cannot be reached",
            Self::NoConnectionInTime => "the application took no connection in time",
            Self::Closed => "the application closed the connection before it answered",
            Self::NotHttp => "what the application answered is not HTTP/1.1",
            Self::Late => "the application did not begin to answer in time",
            Self::Busy => "too many requests were under way",
            Self::Loop => "the request came back to this proxy: it is its own upstream",
            Self::Client => "the client broke its request off",
        }
    }
}

impl From<hyper::Error> for Failure {
    fn from(error: hyper::Error) -> Self {
        if error.is_parse() {
            Self::NotHttp
        } else if error.is_user() {
            // The only thing that the caller can fail in is the body.
            Self::Client
        } else {
            Self::Closed
        }
    }
}
