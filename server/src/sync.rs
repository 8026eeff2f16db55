//! The types that threads share. The model checker (`tests/model.rs`) compiles the registry's sources with its own types in
//! place of these, so those sources name them through this module alone.

pub(crate) mod free_list;
pub(crate) mod slots;

use std::sync::atomic::Ordering::Relaxed;

pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize};

thread_local! {
    static NUMBER: usize = NEXT_NUMBER.fetch_add(1, Relaxed);
}
static NEXT_NUMBER: AtomicUsize = AtomicUsize::new(0);

/// The number of this thread, in the order in which threads first ask. A thread that is ending gets zero.
pub(crate) fn thread_number() -> usize {
    NUMBER.try_with(|number| *number).unwrap_or_default()
}

/// A fast hash is safe here: the keys are the host's route templates, so that no client can choose keys that collide.
pub(crate) use foldhash::fast::RandomState as Hashing;
pub(crate) use once_cell::race::OnceBox;
