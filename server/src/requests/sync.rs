//! What threads share of the registry. The model of it (`tests/model.rs`) reads the same sources with the checker's own
//! types in this module's place, which is why they are named here alone.

pub(super) use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize};

/// Route templates are the host's own, so that nobody chooses keys that collide.
pub(super) use foldhash::fast::RandomState as Hashing;
pub(super) use once_cell::race::OnceBox;
