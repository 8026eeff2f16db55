//! How things are, in one word and its reasons.

use serde::{Deserialize, Serialize};

/// The state of the whole, as `/health` names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Nothing that is watched is wrong.
    #[default]
    Healthy,
    /// Something is wrong, and requests are still being served.
    Degraded,
    /// Most requests fail.
    Unhealthy,
}

impl Status {
    /// The word of `/health`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// The judgement over the three things that are watched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// The worst that any reason calls for.
    pub status: Status,
    /// When the status last changed.
    pub since_unix_ms: u64,
    /// One sentence with a figure for each thing that is wrong, the worst first; empty when healthy.
    pub reasons: Vec<String>,
}
