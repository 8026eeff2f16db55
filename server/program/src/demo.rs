//! `watchboard demo`: a small shop with traffic of its own, watched as any axum app would be.

pub(crate) mod shop;
pub(crate) mod traffic;
