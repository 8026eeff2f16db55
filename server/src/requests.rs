//! Request metrics: a tower layer records into a registry of endpoints; once a second the monitor freezes that.
//! Knows neither the pages nor the monitor.

mod body;
mod endpoint;
mod errors;
mod freeze;
mod guard;
mod layer;
mod registry;

pub use body::WatchedBody;
pub(crate) use freeze::{Freezer, Interval, latency};
pub use layer::{RequestsLayer, Watched, WatchedFuture};
pub(crate) use registry::Registry;
