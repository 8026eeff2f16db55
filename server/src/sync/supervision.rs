//! What keeps the monitor's own threads and tasks alive, and says so when one fails: it is started again, counted and shown. Looks at the
//! system that may block have threads of their own.

mod faults;
mod lookout;
pub(crate) mod panics;
pub mod program;
mod supervisor;

pub(crate) use faults::Faults;
pub(crate) use lookout::{LOOK_WITHIN, Look, Lookout, Supervision, thread_cpu};
pub(crate) use supervisor::{ThreadRuntime, supervise, supervise_task};
