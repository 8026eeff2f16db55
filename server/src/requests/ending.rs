//! How a request ended, and the class that follows from it.

use serde::{Deserialize, Serialize};

/// The status of a request that its client closed before there was a response, as in nginx.
pub(crate) const CLIENT_CLOSED_REQUEST: u16 = 499;

/// How a request ended. The history on disk has them by this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Outcome {
    Complete,
    /// The body failed on the way, or the handler panicked.
    Failed,
    Dropped,
}

/// The class of a request. Each request has exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Fine,
    /// A 4xx that was sent.
    ClientError,
    /// 5xx, panics and broken bodies.
    ServerError,
    /// The client disconnected before the response ended.
    Dropped,
}

pub(crate) const CLASSES: [Class; 4] = [Class::Fine, Class::ClientError, Class::ServerError, Class::Dropped];

/// A status and an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ending {
    pub(crate) status: u16,
    pub(crate) outcome: Outcome,
}

impl Ending {
    /// OpenTelemetry's `error.type`: the status of a server error, or why the response did not end. `None` for all other endings.
    pub(super) fn error(self) -> Option<String> {
        match self.outcome {
            _ if self.status >= 500 => Some(self.status.to_string()),
            Outcome::Failed => Some("response_failed".to_owned()),
            Outcome::Dropped => Some("client_disconnected".to_owned()),
            Outcome::Complete => None,
        }
    }

    pub(crate) fn class(self) -> Class {
        match self.outcome {
            Outcome::Failed => Class::ServerError,
            _ if self.status >= 500 => Class::ServerError,
            Outcome::Dropped => Class::Dropped,
            Outcome::Complete if self.status >= 400 => Class::ClientError,
            Outcome::Complete => Class::Fine,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_ending_has_one_class() {
        for (status, outcome, class) in [
            (200, Outcome::Complete, Class::Fine),
            (404, Outcome::Complete, Class::ClientError),
            (503, Outcome::Complete, Class::ServerError),
            (503, Outcome::Dropped, Class::ServerError),
            // RFC 9110, 15: such a status is invalid, and handled as a 5xx.
            (700, Outcome::Complete, Class::ServerError),
            (200, Outcome::Failed, Class::ServerError),
            (200, Outcome::Dropped, Class::Dropped),
            (499, Outcome::Dropped, Class::Dropped),
        ] {
            assert_eq!(Ending { status, outcome }.class(), class, "{status} {outcome:?}");
        }
    }
}
