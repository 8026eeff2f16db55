//! Request metrics: a tower layer records into a registry of endpoints; once a second the monitor takes what has ended.
//! Knows neither the pages nor the monitor.

mod body;
mod endpoint;
mod guard;
mod latencies;
mod latency;
mod layer;
mod panics;
mod reader;
mod recorder;
mod registry;
mod reports;
mod request_id;
mod rules;
mod sync;
mod tally;

pub use body::WatchedBody;
pub(crate) use endpoint::BOUNDS_US;
#[cfg(test)]
pub(crate) use endpoint::{Ending, Outcome};
#[cfg(test)]
pub(crate) use latency::bucket;
pub(crate) use latency::lowest;
pub use layer::{RequestsLayer, Watched, WatchedFuture};
pub(crate) use panics::note_locations;
pub(crate) use reader::{Reader, Told};
pub use recorder::Incoming;
pub(crate) use recorder::{Policy, Recorder};
pub(crate) use reports::{ReportedError, Sighting};
pub(crate) use tally::{Class, Tally};
