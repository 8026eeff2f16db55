//! The counts of one command on one collection, between two readings.

use crate::histograms::Distribution;

/// The number of waiting for a connection among the commands' shapes, which is counted like a command.
pub(crate) const CHECK_OUT: u16 = 0;

/// The commands of one shape that ended between two readings.
#[cfg_attr(not(feature = "mongodb"), expect(dead_code, reason = "only a listener makes one"))]
#[derive(Default)]
pub(crate) struct ShapeDelta {
    pub(crate) fine: u64,
    pub(crate) failed: u64,
    pub(crate) cancelled: u64,
    pub(crate) documents: u64,
    pub(crate) duration_sum_us: u64,
    pub(crate) times: Distribution,
}
