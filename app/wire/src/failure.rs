//! The kinds of failure of a database or of a server of its deployment.

use serde::{Deserialize, Serialize};

/// The kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// Nothing listens at the address.
    Refused,
    /// The address cannot be resolved or reached; the file is not there.
    Unreachable,
    /// Not even a connection in time: cut off on the way.
    TimedOut,
    /// Connections are taken, and no answer comes: stopped, hanging or overloaded.
    Frozen,
    /// Connections are made and break off.
    BrokenOff,
    /// No secure connection: the server speaks no TLS, or shows a certificate that is not trusted.
    TlsFailed,
    /// Wrong user or password, or a user that is not there any more.
    AuthenticationFailed,
    /// Not logged in where a login is asked for, or logged in and not permitted.
    NotAuthorised,
    /// Members of the replica set answer, and none of them takes writes.
    NoPrimary,
    /// It answers, and takes no writes.
    ReadOnly,
    /// Somebody else holds it.
    Busy,
    /// What is there is not a database, or a damaged one.
    Damaged,
    /// The connection string cannot be used.
    BadUri,
    /// The server answered with an error, or the driver did.
    Other,
}

impl FailureKind {
    /// The words of the page and of `/health`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Refused => "connection refused",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed out",
            Self::Frozen => "frozen",
            Self::BrokenOff => "connection broken off",
            Self::TlsFailed => "TLS failed",
            Self::AuthenticationFailed => "authentication failed",
            Self::NotAuthorised => "not authorised",
            Self::NoPrimary => "no primary",
            Self::ReadOnly => "read-only",
            Self::Busy => "busy",
            Self::Damaged => "damaged",
            Self::BadUri => "bad connection string",
            Self::Other => "error",
        }
    }
}
