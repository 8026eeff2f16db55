//! The work of the monitor's thread once a second: it takes the counts, reads the probes, makes the findings and feeds the history.

mod cost;
mod host_figures;
mod mark_watch;
mod page_answer;
mod run_record;
mod runtime;
mod sampler;
mod stored_steps;
mod version;

pub(crate) use self::{
    page_answer::PastPage,
    runtime::RuntimeProbe,
    sampler::{Sampler, ServiceLabel},
    version::version,
};
