//! What threads share of the registries. The model of it (`tests/model.rs`) reads the same sources with the checker's own
//! types in this module's place, which is why they are named here alone.

use std::sync::atomic::Ordering::Relaxed;
pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize};

thread_local! {
    static NUMBER: usize = NEXT_NUMBER.fetch_add(1, Relaxed);
}
static NEXT_NUMBER: AtomicUsize = AtomicUsize::new(0);

/// The number of this thread, in the order in which they came; one that is ending is the first.
pub(crate) fn thread_number() -> usize {
    NUMBER.try_with(|number| *number).unwrap_or_default()
}

/// Route templates are the host's own, so that nobody chooses keys that collide.
pub(crate) use foldhash::fast::RandomState as Hashing;
pub(crate) use once_cell::race::OnceBox;
