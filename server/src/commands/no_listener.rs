//! The stand-in for the listener in a build without the feature `mongodb`: there is no client to listen to.

use watchboard_wire::{CommandError, CommandName, CommandsSnapshot, Deployment, Pool};

use super::CommandTally;

/// No listener: there is no client to listen to.
pub(crate) struct Listener;

impl Listener {
    pub(crate) fn new() -> &'static Self {
        &Self
    }
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

    pub(crate) fn take(&mut self, _: impl FnMut(u16, &str, CommandTally)) {}

    pub(crate) fn snapshot(&self) -> Option<CommandsSnapshot> {
        None
    }

    pub(crate) fn sent_counts(&self) -> (u64, u64) {
        (0, 0)
    }

    pub(crate) fn in_flight(&self) -> u64 {
        0
    }

    pub(crate) fn faults(&self) -> u64 {
        0
    }

    pub(crate) fn number(&self, _: &CommandName) -> Option<u16> {
        None
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
