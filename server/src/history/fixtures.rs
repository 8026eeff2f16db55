//! What tests and measures of the history begin with.

use watchboard_wire::{CommandName, Snapshot};

use super::NameLookup;
use crate::{
    commands::Listener,
    database::ProbeResult,
    memory::Probes,
    requests::{Policy, Reader, Recorder},
    sample::Sampler,
    supervision::Supervision,
};

/// The snapshot of a monitor without a database or a runtime.
pub(super) fn snapshot() -> Snapshot {
    let recorder = Recorder::new(Policy::default());
    let supervision = Supervision::default();
    let probes = Probes::new(None, &supervision);
    let mut sampler = Sampler::new(None, probes, recorder, Listener::new(), None, supervision.faults);
    Snapshot { started_at_unix_ms: 0, ..sampler.tick(0, &ProbeResult::default(), false).snapshot }
}

/// Looks up the names of endpoints alone.
pub(super) fn endpoint_names(reader: &Reader) -> NameLookup<'_> {
    NameLookup { reader, command: &|_| CommandName::default() }
}
