//! The earlier span that a page lays under its own.

use serde::{Deserialize, Serialize};

/// How much earlier the span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EarlierSpan {
    /// By a day.
    Day,
    /// By a week.
    Week,
}

impl EarlierSpan {
    /// Each of them.
    pub const ALL: [Self; 2] = [Self::Day, Self::Week];

    /// The word for it in the URL and on the page.
    pub fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
        }
    }

    /// The seconds between the beginnings of both spans.
    pub fn seconds(self) -> u64 {
        match self {
            Self::Day => 86_400,
            Self::Week => 7 * 86_400,
        }
    }
}
