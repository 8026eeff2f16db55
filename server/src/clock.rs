//! The wall clock, in the unit that crosses the network.

use std::time::{SystemTime, UNIX_EPOCH};

/// The time in Unix milliseconds. A clock that is set before 1970 gives zero.
pub(crate) fn now_unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
