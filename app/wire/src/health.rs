//! The status of the whole in one word, with its reasons.

use serde::{Deserialize, Serialize};

use super::format;

/// The status of the whole, as `/health` names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// There is no finding but advice.
    #[default]
    Healthy,
    /// There is a warning, and most requests succeed.
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
    /// The status of the gravest finding.
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

/// How grave a finding is, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The application could do better. The status stays healthy.
    Advice,
    /// Something is wrong. The status is degraded.
    Warning,
    /// Most of it does not work. The status is unhealthy.
    Incident,
}

impl Severity {
    /// The status that such a finding causes.
    pub fn status(self) -> Status {
        match self {
            Self::Advice => Status::Healthy,
            Self::Warning => Status::Degraded,
            Self::Incident => Status::Unhealthy,
        }
    }

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Advice => "advice",
            Self::Warning => "warning",
            Self::Incident => "incident",
        }
    }
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How grave it is.
    pub severity: Severity,
    /// The problem in a sentence with a figure.
    pub sentence: String,
    /// Its subject, which decides the view that shows it.
    pub about: FindingSubject,
    /// The time at which it was found.
    pub since_unix_ms: u64,
    /// The time at which it was last found, if it is over. Its sentence is of that time.
    pub over_since_unix_ms: Option<u64>,
}

impl Finding {
    /// Its age in words at a time: `for 3 m`, or how long it has been over.
    pub fn age(&self, now_unix_ms: u64) -> String {
        let span = |since: u64| format::span(now_unix_ms.saturating_sub(since) / 1000);
        match self.over_since_unix_ms {
            None => format!("for {}", span(self.since_unix_ms)),
            Some(over) => format!("over for {}", span(over)),
        }
    }
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
    /// One instance of the fleet, by its name.
    Instance(String),
}
