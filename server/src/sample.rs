//! What the monitor's thread does once a second: it freezes, reads, judges and remembers.

mod cost;
mod runtime;
mod sampler;

pub(crate) use self::{runtime::RuntimeProbe, sampler::Sampler};
