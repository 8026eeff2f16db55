//! Histograms of durations and of sizes, all in one layout: recorded by many threads, taken by one, added up and read.

mod buckets;
mod distribution;

#[cfg(test)]
pub(crate) use buckets::bucket;
pub(crate) use buckets::{BOUNDS_US, BucketRecorder, lowest};
pub(crate) use distribution::Distribution;
