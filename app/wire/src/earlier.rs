//! The earlier span that a page lays under its own.

use serde::{Deserialize, Serialize};

use super::{RefreshQuery, RefreshResponse, WindowBefore};

/// How much earlier the span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Earlier {
    /// By a day.
    Day,
    /// By a week.
    Week,
}

impl Earlier {
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

impl RefreshQuery {
    /// The same question of the earlier span; `None` unless both spans are chosen.
    pub fn of_earlier(&self) -> Option<Self> {
        let ((from, to), seconds) = (self.span?, self.earlier?.seconds());
        let span = Some((from.saturating_sub(seconds), to.saturating_sub(seconds)));
        Some(Self { span, earlier: None, ..self.clone() })
    }
}

impl RefreshResponse {
    /// With the figures of the earlier span, unless the history has none of it.
    pub fn with_earlier(mut self, earlier: Self) -> Self {
        if earlier.span.is_some() && earlier.unread.is_none() && earlier.totals.seconds > 0 {
            let totals = &earlier.totals;
            self.totals.before = Some(WindowBefore {
                seconds: totals.seconds,
                requests: totals.requests,
                server_errors: totals.server_errors,
                latency_p99_us: totals.latency.map(|latency| latency.p99_us),
            });
            self.earlier = Some(Box::new(earlier));
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WindowTotals;

    #[test]
    fn the_earlier_span_is_as_long_and_asked_for_once() {
        let query =
            RefreshQuery { span: Some((700_000, 700_060)), earlier: Some(Earlier::Week), ..RefreshQuery::default() };
        let earlier = query.of_earlier().expect("a span");
        assert_eq!((earlier.span, earlier.of_earlier()), (Some((95_200, 95_260)), None));
        assert_eq!(RefreshQuery { span: None, ..query }.of_earlier(), None, "a window that ends now has none");
    }

    #[test]
    fn an_earlier_span_without_history_is_none() {
        let of = |seconds, span| RefreshResponse {
            span,
            totals: WindowTotals { seconds, requests: 7, ..WindowTotals::default() },
            ..RefreshResponse::default()
        };
        let now = || of(60, Some((700_000, 700_060)));
        assert_eq!(now().with_earlier(of(60, None)), now(), "these are the figures of now");
        assert_eq!(now().with_earlier(of(0, Some((95_200, 95_260)))), now());
        let both = now().with_earlier(of(60, Some((95_200, 95_260))));
        assert_eq!(both.totals.before.map(|before| before.requests), Some(7));
        assert!(both.earlier.is_some());
    }
}
