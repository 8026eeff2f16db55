//! The live history: one frame a second for the last fifteen minutes, and the points that charts draw of it.
//! Knows neither the pages nor the monitor.

mod ring;
mod rollup;

pub(crate) use ring::{Frame, Ring};
pub(crate) use rollup::point;
