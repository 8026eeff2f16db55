//! The kinds of failure of a database or of a server of its deployment.

use serde::{Deserialize, Serialize};

/// The kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// Nothing listens at the address.
    Refused,
    /// The address cannot be resolved or reached, or the file does not exist.
    Unreachable,
    /// No connection within the time limit: the network drops the packets.
    TimedOut,
    /// The server accepts connections and does not answer: it is stopped, hanging or overloaded.
    Frozen,
    /// The server lives, and answers later than the probe waits.
    TooSlow,
    /// Connections open and then break off.
    BrokenOff,
    /// No secure connection: the server has no TLS, or its certificate is not trusted.
    TlsFailed,
    /// A wrong user or password, or a user that was removed.
    AuthenticationFailed,
    /// The server requires a login, or the login lacks a privilege.
    NotAuthorised,
    /// Members of the replica set answer, and no member accepts writes.
    NoPrimary,
    /// It answers and accepts no writes.
    ReadOnly,
    /// The server answers in another protocol than the database's.
    WrongProtocol,
    /// Another process has locked it.
    Busy,
    /// The file is not a database, or it is damaged.
    Damaged,
    /// The connection string is invalid.
    BadUri,
    /// The server or the driver reported another error.
    Other,
    /// The monitor's own probe failed: nothing is known of the database.
    NotProbed,
}

impl FailureKind {
    /// The words on the page and in `/health`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Refused => "connection refused",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed out",
            Self::Frozen => "frozen",
            Self::TooSlow => "too slow",
            Self::BrokenOff => "connection broken off",
            Self::TlsFailed => "TLS failed",
            Self::AuthenticationFailed => "authentication failed",
            Self::NotAuthorised => "not authorised",
            Self::NoPrimary => "no primary",
            Self::ReadOnly => "read-only",
            Self::WrongProtocol => "wrong protocol",
            Self::Busy => "busy",
            Self::Damaged => "damaged",
            Self::BadUri => "bad connection string",
            Self::Other => "error",
            Self::NotProbed => "not probed",
        }
    }

    /// What to do about it, in a sentence.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Refused => "Start the server, or correct the address and the port.",
            Self::Unreachable => "Look at the name or path, at the DNS and at the network between here and there.",
            Self::TimedOut => "Look at firewalls and security groups on the way, and whether the machine runs.",
            Self::Frozen => {
                "Look at the server's process: is it stopped, is its disk full or slow, is its machine short of memory?"
            }
            Self::TooSlow => {
                "Look at what it is doing: running operations, processor, disk. Then at the network's delay."
            }
            Self::BrokenOff => "Look at the server's log and at its limit of connections, and at what stands between.",
            Self::TlsFailed => "Compare the TLS settings of both sides: tls, tlsCAFile, tlsCertificateKeyFile.",
            Self::AuthenticationFailed => "Correct user, password or authSource of the connection string.",
            Self::NotAuthorised => "Give the login a role for its database, or the file to the monitor's user.",
            Self::NoPrimary => "Bring back a majority of the set's members: without it nobody accepts writes.",
            Self::ReadOnly => "Name all members of the set, without directConnection.",
            Self::WrongProtocol => "Correct the port or the address: another service answers there.",
            Self::Busy => "Find the connection that holds the lock: a long transaction.",
            Self::Damaged => "Run PRAGMA integrity_check, and restore the file from a backup.",
            Self::BadUri => "Correct the connection string and start again.",
            Self::Other => "Look at the server's log at the time of the last answer.",
            Self::NotProbed => "Nothing: the monitor starts its probe again by itself.",
        }
    }
}
