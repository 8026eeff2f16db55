//! Request metrics: a tower layer records into a registry of endpoints, and once a second the monitor takes the counts.
//! Knows neither the pages nor the monitor.

mod aliases;
mod body;
mod capacity;
mod client_left;
mod ending;
mod endpoint;
mod endpoint_state;
mod error_fields;
mod error_text;
mod grpc;
mod guard;
mod in_flight;
mod layer;
mod long_lived;
mod methods;
mod naming;
mod observed_body;
mod outer_layer;
mod reader;
mod recorder;
mod registry;
mod reports;
mod request_id;
mod response_kind;
mod rules;
mod tally;
mod tunnel;
mod upstream;
mod upstream_failures;
mod waiting;

pub(crate) use aliases::Aliases;
pub use body::RequestsBody;
pub use capacity::{Capacity, CapacityPlace};
pub use client_left::ClientLeft;
pub(crate) use ending::{CLASSES, Class, Ending, Outcome};
pub(crate) use endpoint::AwaitedCounts;
#[cfg(test)]
pub(crate) use error_text::ErrorText;
pub(crate) use error_text::KeptText;
pub use layer::{RequestsFuture, RequestsLayer, RequestsService};
pub use naming::{RouteError, Routes};
pub(crate) use reader::{Reader, RequestReports};
pub use recorder::Incoming;
#[cfg(any(test, feature = "measures"))]
pub(crate) use recorder::record;
pub(crate) use recorder::{Policy, Recorder, nanoseconds_to_record};
pub(crate) use reports::{ReportedError, RequestUsage, Sighting, SlowSighting};
#[cfg(test)]
pub(crate) use request_id::RequestId;
pub use response_kind::is_stream;
pub(crate) use rules::Rules;
pub(crate) use tally::{MemoryTally, Tally, UsageTally};
pub use tunnel::{Tunnel, is_websocket};
pub use upstream::UpstreamTiming;
pub(crate) use upstream::{UpstreamFailure, UpstreamTally};
