//! What keeps the monitor's own threads and tasks alive, and says so when one fails: it is started again, counted and shown. Looks at the
//! system that may block have threads of their own.

mod faults;
pub(crate) mod panics;
mod probe_thread;
pub mod program;
mod restart;
mod thread_end;

pub(crate) use faults::Faults;
pub(crate) use probe_thread::{AnyProbeThread, PROBE_WITHIN, ProbeThread, Supervision, no_answer, thread_cpu};
pub(crate) use restart::{ThreadRuntime, supervise, supervise_task};
pub(crate) use thread_end::ThreadEnd;
