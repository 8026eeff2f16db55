//! Stands for the listener in a build without the feature `mongodb`: there is no client to listen to.

use watchboard_wire::{CommandError, CommandName, CommandsSnapshot, Deployment, Pool};

use crate::histograms::Distribution;

/// The number of waiting for a connection among the commands.
pub(crate) const CHECK_OUT: u16 = 0;

pub(crate) struct Listener;

impl Listener {
    pub(crate) fn new() -> &'static Self {
        &Self
    }
}

/// What ended of one command.
pub(crate) struct TakenShape {
    pub(crate) fine: u64,
    pub(crate) failed: u64,
    pub(crate) cancelled: u64,
    pub(crate) documents: u64,
    pub(crate) duration_sum_us: u64,
    pub(crate) times: Distribution,
}

/// Reads nothing.
pub(crate) struct CommandReader;

#[expect(clippy::unused_self, reason = "it stands for a reader that has a listener")]
impl CommandReader {
    pub(crate) fn new(_: &'static Listener) -> Self {
        Self
    }

    pub(crate) fn listens(&self) -> bool {
        false
    }

    pub(crate) fn take(&mut self, _: impl FnMut(u16, TakenShape)) {}

    pub(crate) fn frozen(&self) -> Option<CommandsSnapshot> {
        None
    }

    pub(crate) fn sent(&self) -> (u64, u64) {
        (0, 0)
    }

    pub(crate) fn in_flight(&self) -> u64 {
        0
    }

    pub(crate) fn faults(&self) -> u64 {
        0
    }

    pub(crate) fn name(&self, _: u16) -> CommandName {
        CommandName::default()
    }

    pub(crate) fn errors(&self) -> Vec<CommandError> {
        vec![]
    }

    pub(crate) fn pools(&self) -> Vec<Pool> {
        vec![]
    }

    pub(crate) fn take_most_connections(&self) -> Option<[u64; 2]> {
        None
    }

    pub(crate) fn deployments(&self) -> Vec<Deployment> {
        vec![]
    }

    pub(crate) fn held_bytes(&self) -> u64 {
        0
    }
}
