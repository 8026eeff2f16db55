//! Request metrics: a tower layer records into a registry of endpoints; once a second the monitor takes what has ended.
//! Knows neither the pages nor the monitor.

mod body;
mod endpoint;
mod guard;
mod layer;
mod naming;
mod panics;
mod passed_on;
mod reader;
mod recorder;
mod registry;
mod reports;
mod request_id;
mod rules;
mod tally;

pub use body::WatchedBody;
#[cfg(test)]
pub(crate) use endpoint::{Ending, Outcome};
pub use layer::{RequestsLayer, Watched, WatchedFuture};
pub use naming::{RouteError, Routes};
pub(crate) use panics::note_locations;
pub use passed_on::PassedOn;
pub(crate) use passed_on::PassedOnTally;
pub(crate) use reader::{Reader, Reports};
pub use recorder::Incoming;
pub(crate) use recorder::{Policy, Recorder, nanoseconds_to_record};
pub(crate) use reports::{KeptSighting, ReportedError, RequestUsage, Sighting};
pub(crate) use tally::{CLASSES, Class, MemoryTally, Tally, UsageTally};
