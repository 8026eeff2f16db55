//! What went wrong, by cause and one by one; and what was slow.

use serde::{Deserialize, Serialize};

use super::RequestCommands;

/// In what way a request went wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// A 4xx status.
    Client,
    /// A 5xx status, or a body that failed on the way.
    #[default]
    Server,
    /// The handler panicked; the client got a 500.
    Panic,
    /// The client went away before the response had ended.
    Dropped,
}

impl ErrorKind {
    /// The word of the page.
    pub fn word(self) -> &'static str {
        match self {
            Self::Client => "client error",
            Self::Server => "server error",
            Self::Panic => "panic",
            Self::Dropped => "dropped by client",
        }
    }
}

/// One request that went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorEvent {
    /// When the request ended.
    pub at_unix_ms: u64,
    /// [`super::EndpointName::text`] of its endpoint.
    pub endpoint: String,
    /// The status sent, or 499 when the client went away before there was one.
    pub status: u16,
    /// In what way it went wrong.
    pub kind: ErrorKind,
    /// What the response's text or the panic said, cut to 200 characters; none where neither said anything.
    pub message: Option<String>,
    /// Where it panicked: file, line and column.
    pub location: Option<String>,
    /// How long it took.
    pub duration_us: u64,
}

/// Errors of one endpoint, status and message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ErrorCause {
    /// Its number in this run of the monitor.
    pub number: u32,
    /// The number of its endpoint.
    pub endpoint_id: u32,
    /// [`super::EndpointName::text`] of its endpoint.
    pub endpoint: String,
    /// The status sent, or 499 when the client went away before there was one.
    pub status: u16,
    /// In what way they went wrong.
    pub kind: ErrorKind,
    /// What they said, with `#` for each word with a digit in it, and where they panicked; none where they said nothing.
    pub message: Option<String>,
    /// When the first of them ended.
    pub first_at_unix_ms: u64,
    /// When the last of them ended.
    pub last_at_unix_ms: u64,
    /// How many there were since the start.
    pub total: u64,
    /// How many in each point of the window's timeline that had any.
    pub points: Vec<(u64, u32)>,
    /// The last of them, newest first.
    pub samples: Vec<ErrorSample>,
}

/// One error of a cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorSample {
    /// When the request ended.
    pub at_unix_ms: u64,
    /// How long it took.
    pub duration_us: u64,
    /// The trace id of its `traceparent`, or its `x-request-id`.
    pub request_id: Option<String>,
    /// What it said in full.
    pub message: Option<String>,
}

/// One of the slowest requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlowRequest {
    /// When the request ended.
    pub at_unix_ms: u64,
    /// [`super::EndpointName::text`] of its endpoint.
    pub endpoint: String,
    /// The status sent, or 499 when the client went away before there was one.
    pub status: u16,
    /// From its arrival to the last byte.
    pub duration_us: u64,
    /// From its arrival to the response's head, where the body came in parts after it.
    pub first_byte_us: Option<u64>,
    /// Of this, the making of a connection to the upstream; none where there was one, or there is no upstream.
    pub connect_us: Option<u64>,
    /// Bytes of the response's body.
    pub response_bytes: u64,
    /// The trace id of its `traceparent`, or its `x-request-id`.
    pub request_id: Option<String>,
    /// What it asked of the database; none where it asked nothing, or its client is not listened to.
    pub database: Option<RequestCommands>,
}
