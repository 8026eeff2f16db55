//! The limit on open files: raised at the start, since each request takes two.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What the kernel allows if the hard limit is none (`fs.nr_open`).
const KERNELS_LIMIT: u64 = 1 << 20;

/// Raises the soft limit to the hard one. Returns the limit that holds.
pub(crate) fn raise_descriptor_limit() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let maximum = limit.maximum.unwrap_or(KERNELS_LIMIT);
    let current = limit.current.unwrap_or(maximum);
    if current >= maximum {
        return current;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: Some(maximum), ..limit }) {
        Ok(()) => maximum,
        Err(error) => {
            tracing::warn!(%error, "the limit on open files stays at {current}");
            current
        }
    }
}
