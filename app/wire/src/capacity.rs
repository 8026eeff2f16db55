//! The places of a server around the application.

use serde::{Deserialize, Serialize};

/// How many places of a bound are taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapacityUse {
    /// What has the places, as a plural: "tunnels".
    pub name: String,
    /// Places that are taken.
    pub in_use: u64,
    /// All places.
    pub limit: u64,
    /// Clients since the start that found no place, and waited or were refused.
    pub exceeded: u64,
}
