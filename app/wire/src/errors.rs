//! Requests that failed, by cause and one by one; and the slowest requests.

use serde::{Deserialize, Serialize};

use super::RequestCommands;

/// The way in which a request failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// A 4xx status.
    Client,
    /// A 5xx status, or a response body that failed.
    #[default]
    Server,
    /// The handler panicked, and the client got a 500.
    Panic,
    /// The client closed the connection before the end of the response.
    Dropped,
}

impl ErrorKind {
    /// The words on the page.
    pub fn word(self) -> &'static str {
        match self {
            Self::Client => "client error",
            Self::Server => "server error",
            Self::Panic => "panic",
            Self::Dropped => "dropped by client",
        }
    }
}

/// One request that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorEvent {
    /// The time at which the request ended.
    pub at_unix_ms: u64,
    /// [`super::EndpointName::text`] of its endpoint.
    pub endpoint: String,
    /// The status of the response; 499 if the client left before there was one.
    pub status: u16,
    /// The way in which it failed.
    pub kind: ErrorKind,
    /// The text of the response or the panic, cut to 200 characters; `None` without a text.
    pub message: Option<String>,
    /// The place of the panic: file, line and column.
    pub location: Option<String>,
    /// The time from its arrival to its end.
    pub duration_us: u64,
}

/// The errors with the same endpoint, status and message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ErrorCause {
    /// Its number in this run of the monitor.
    pub number: u32,
    /// The number of its endpoint.
    pub endpoint_id: u32,
    /// [`super::EndpointName::text`] of its endpoint.
    pub endpoint: String,
    /// The status of the response; 499 if the client left before there was one.
    pub status: u16,
    /// The way in which they failed.
    pub kind: ErrorKind,
    /// Their message, with `#` for each word that has a digit, and the place of a panic; `None` without a message.
    pub message: Option<String>,
    /// The time at which the first of them ended.
    pub first_at_unix_ms: u64,
    /// The time at which the last of them ended.
    pub last_at_unix_ms: u64,
    /// Errors since the start.
    pub total: u64,
    /// Points of the window's timeline that have errors: number of the point, and errors.
    pub points: Vec<(u64, u32)>,
    /// The last errors, newest first.
    pub samples: Vec<ErrorSample>,
}

/// One error of a cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorSample {
    /// The time at which the request ended.
    pub at_unix_ms: u64,
    /// How long it took.
    pub duration_us: u64,
    /// The trace id of its `traceparent`, or its `x-request-id`.
    pub request_id: Option<String>,
    /// Its whole message.
    pub message: Option<String>,
}

/// One of the slowest requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlowRequest {
    /// The time at which the request ended.
    pub at_unix_ms: u64,
    /// [`super::EndpointName::text`] of its endpoint.
    pub endpoint: String,
    /// The status of the response; 499 if the client left before there was one.
    pub status: u16,
    /// The time from its arrival to the last byte.
    pub duration_us: u64,
    /// The time from its arrival to the head of the response; `None` if the body came with the head.
    pub first_byte_us: Option<u64>,
    /// The part of that time for a new connection to the upstream; `None` with a kept connection, or without an
    /// upstream.
    pub connect_us: Option<u64>,
    /// Bytes of the response body.
    pub response_bytes: u64,
    /// The trace id of its `traceparent`, or its `x-request-id`.
    pub request_id: Option<String>,
    /// Its database commands; `None` if it sent none, or without a command listener.
    pub database: Option<RequestCommands>,
}
