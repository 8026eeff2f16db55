//! The options of a monitor for its fleet.

#[cfg(feature = "mongodb")]
use super::names::instance_name;
#[cfg(feature = "mongodb")]
use crate::fleet::InstanceLabel;
use crate::{fleet::FleetOptions, history::store::KeptTimes};

/// The fleet that is named, and the name of the instance.
#[derive(Debug, Default)]
pub(super) struct FleetChoice {
    #[cfg(feature = "mongodb")]
    pub(super) uri: Option<String>,
    #[cfg(feature = "mongodb")]
    pub(super) instance: Option<String>,
}

impl FleetChoice {
    /// The options of the fleet; `None` if none is named.
    #[cfg(feature = "mongodb")]
    pub(super) fn options(
        self,
        (service, version, url): (Option<String>, Option<String>, Option<String>),
        (max_bytes, kept_times): (u64, KeptTimes),
    ) -> Option<FleetOptions> {
        let label = InstanceLabel { name: instance_name(self.instance), service, version, url };
        Some(FleetOptions { uri: self.uri?, label, max_bytes, kept_times })
    }

    #[cfg(not(feature = "mongodb"))]
    #[expect(clippy::unused_self, reason = "it stands for a choice of a fleet")]
    pub(super) fn options(
        self,
        _: (Option<String>, Option<String>, Option<String>),
        _: (u64, KeptTimes),
    ) -> Option<FleetOptions> {
        None
    }
}
