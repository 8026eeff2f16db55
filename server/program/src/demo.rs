//! `watchboard demo`: a small shop with generated traffic, watched as any axum app.

pub(crate) mod shop;
pub(crate) mod traffic;
