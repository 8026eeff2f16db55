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
    /// What is wrong, the worst first; empty when healthy.
    pub findings: Vec<Finding>,
}

impl Health {
    /// The sentences of the findings.
    pub fn sentences(&self) -> impl Iterator<Item = &str> {
        self.findings.iter().map(|finding| &*finding.sentence)
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What it calls for.
    pub status: Status,
    /// What is wrong, with a figure.
    pub sentence: String,
    /// Where it can be looked at.
    pub about: FindingSubject,
}

/// What a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FindingSubject {
    /// All requests.
    Requests,
    /// One endpoint, by [`super::EndpointName::text`].
    Endpoint(String),
    /// Memory, or something else that runs out.
    Memory,
    /// The database.
    Database,
}
