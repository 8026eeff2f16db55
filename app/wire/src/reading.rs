//! A figure, or the reason why it is unknown.

use serde::{Deserialize, Serialize};

/// A figure, or the reason why it is unknown. A failed probe is never shown as a zero.
pub type Reading<T> = Result<T, Unknown>;

/// Borrows the value of a reading, so that `?` passes the reason on.
///
/// # Errors
/// The reading's own reason.
pub fn reading_ref<T>(reading: &Reading<T>) -> Reading<&T> {
    reading.as_ref().map_err(Clone::clone)
}

/// Why a figure is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{reason}")]
pub struct Unknown {
    /// The cause, in a sentence for the operator.
    pub reason: String,
}

impl Unknown {
    /// An unknown figure with its reason.
    pub fn because(reason: impl ToString) -> Self {
        Self { reason: reason.to_string() }
    }
}
