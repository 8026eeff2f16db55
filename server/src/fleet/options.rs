//! What a member of the fleet is told at its start.

use std::sync::Arc;

use serde_json::Value;
use watchboard_wire::FullSnapshot;

use crate::history::store::KeptTimes;

/// Who an instance is.
#[derive(Clone, Debug, Default)]
pub(crate) struct InstanceLabel {
    pub(crate) name: String,
    /// The application; `None` for the name that its process has.
    pub(crate) service: Option<String>,
    pub(crate) version: Option<String>,
    /// The address of its own board.
    pub(crate) url: Option<String>,
}

/// The fleet's store, and who this instance is in it.
#[derive(Clone, Debug)]
pub(crate) struct FleetOptions {
    pub(crate) uri: String,
    pub(crate) label: InstanceLabel,
    pub(crate) max_bytes: u64,
    pub(crate) kept_times: KeptTimes,
}

impl FleetOptions {
    /// The name of this instance.
    pub(crate) fn instance(&self) -> &str {
        &self.label.name
    }
}

/// Reads what the monitor last published.
pub(crate) struct Published {
    pub(crate) full: Box<dyn Fn() -> Arc<FullSnapshot> + Send + Sync>,
    /// The body of `/health`.
    pub(crate) health: Box<dyn Fn(&FullSnapshot) -> Value + Send + Sync>,
}
