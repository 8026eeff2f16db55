//! When an instance was last seen, by the clock of the fleet's store, and what follows from it.

use mongodb::bson::{Document, doc};

/// An instance without a sign of life for so long is gone.
pub(super) const GONE_AFTER_MS: i64 = 10_000;
/// A time of the store that is so far ahead was written by nobody's clock.
pub(super) const AHEAD_MS: u64 = 60_000;

/// Whether the time at which an instance was last seen has come, as an expression of the store.
pub(super) fn seen_by_now() -> Document {
    doc! { "$lte": ["$seen", { "$add": ["$$NOW", AHEAD_MS.cast_signed()] }] }
}
