//! Histograms of durations and sizes, in one layout. Many threads record, and one thread takes, adds up and reads.

mod buckets;
mod distribution;

#[cfg(test)]
pub(crate) use buckets::bucket;
pub(crate) use buckets::{BOUNDS_US, BUCKETS, BucketRecorder, lowest};
pub(crate) use distribution::Distribution;
