//! The status of the whole in one word, with its reasons.

use serde::{Deserialize, Serialize};

/// The status of the whole, as `/health` names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// There is no finding.
    #[default]
    Healthy,
    /// There is a finding, and most requests succeed.
    Degraded,
    /// At least half of the requests fail, or the application does not run.
    Unhealthy,
}

impl Status {
    /// The word in `/health`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// The verdict on requests, memory and database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// The worst status of the findings.
    pub status: Status,
    /// The time at which the status last changed.
    pub since_unix_ms: u64,
    /// The findings, the worst first; empty if healthy.
    pub findings: Vec<Finding>,
}

impl Health {
    /// The sentences of the findings.
    pub fn sentences(&self) -> impl Iterator<Item = &str> {
        self.findings.iter().map(|finding| &*finding.sentence)
    }
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The status that it causes.
    pub status: Status,
    /// The problem in a sentence with a figure.
    pub sentence: String,
    /// Its subject, which decides the view that shows it.
    pub about: FindingSubject,
}

/// The subject of a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FindingSubject {
    /// All requests.
    Requests,
    /// One endpoint, by [`super::EndpointName::text`].
    Endpoint(String),
    /// Memory, or another resource with a limit.
    Memory,
    /// The database.
    Database,
}
