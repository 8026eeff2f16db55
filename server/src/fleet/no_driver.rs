//! The stand-in for the fleet in a build without the feature `mongodb`: there is no driver to share a store by.

use std::sync::Arc;

use serde_json::Value;
use watchboard_wire::{FullSnapshot, InstanceRow, Reading, RefreshCursor, RefreshQuery, RefreshResponse};

use crate::{history::store::Outbox, requests::Rules, supervision::Faults};

/// Nobody can make one.
#[derive(Debug)]
pub(crate) enum FleetOptions {}

impl FleetOptions {
    pub(crate) fn instance(&self) -> &str {
        match *self {}
    }
}

#[expect(dead_code, reason = "there is no fleet that reads it")]
pub(crate) struct Published {
    pub(crate) full: Box<dyn Fn() -> Arc<FullSnapshot> + Send + Sync>,
    pub(crate) health: Box<dyn Fn(&FullSnapshot) -> Value + Send + Sync>,
}

/// Nobody can make one.
pub(crate) enum Fleet {}

#[expect(clippy::unused_async, reason = "it stands for a fleet that waits for its store")]
impl Fleet {
    pub(crate) fn start(options: FleetOptions, _: (Arc<Outbox>, Rules), _: Published, _: &Arc<Faults>) -> Self {
        match options {}
    }

    pub(crate) async fn refresh(
        &self,
        _: RefreshQuery,
        _: Option<RefreshCursor>,
        _: Arc<FullSnapshot>,
    ) -> Reading<RefreshResponse> {
        match *self {}
    }

    pub(crate) async fn instances(&self) -> Reading<Vec<InstanceRow>> {
        match *self {}
    }

    pub(crate) async fn instance_health(&self, _: String) -> Reading<Option<String>> {
        match *self {}
    }

    pub(crate) async fn sums_of_runs(&self) -> Reading<String> {
        match *self {}
    }

    pub(crate) fn finish(&self) {
        match *self {}
    }
}
