//! The Rust examples of the README and of `docs/` are compiled as documentation tests. Each page is a module, so that a failure names it.

#[doc = include_str!("../README.md")]
mod readme {}

#[doc = include_str!("../docs/access.md")]
mod access {}

#[cfg(feature = "sqlite")]
#[doc = include_str!("../docs/database.md")]
mod database {}

#[cfg(feature = "mongodb")]
#[doc = include_str!("../docs/embedding.md")]
mod embedding {}

#[cfg(feature = "jemalloc")]
#[doc = include_str!("../docs/memory.md")]
mod memory {}
