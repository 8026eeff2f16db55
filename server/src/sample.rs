//! The work of the monitor's thread once a second: it takes the counts, reads the probes, makes the findings and feeds the history.

mod cost;
mod runtime;
mod sampler;
mod stored_steps;

pub(crate) use self::{
    runtime::RuntimeProbe,
    sampler::{Sampler, ServiceLabel},
};
