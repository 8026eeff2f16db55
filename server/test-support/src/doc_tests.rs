//! The Rust examples of the README and of `docs/` are compiled as documentation tests. Each page is a module, so that a failure names it.

#[doc = include_str!("../../../README.md")]
mod readme {}

#[doc = include_str!("../../../docs/access.md")]
mod access {}

#[doc = include_str!("../../../docs/database.md")]
mod database {}

#[doc = include_str!("../../../docs/embedding.md")]
mod embedding {}

#[doc = include_str!("../../../docs/fleet.md")]
mod fleet {}

#[doc = include_str!("../../../docs/memory.md")]
mod memory {}
