//! The span of time of the page. The viewer chooses it once, in the URL, for all views.

use serde::{Deserialize, Serialize};

/// A span of time that ends now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Window {
    /// The last minute.
    Minute,
    /// The last five minutes.
    FiveMinutes,
    /// The last fifteen minutes.
    #[default]
    FifteenMinutes,
    /// The last hour.
    Hour,
    /// The last six hours.
    SixHours,
    /// The last 24 hours.
    Day,
    /// The last seven days.
    Week,
    /// The last 30 days.
    Month,
    /// The last thirteen months: 396 days.
    ThirteenMonths,
}

impl Window {
    /// Every window, the shortest first. The index of each is its discriminant.
    pub const ALL: [Self; 9] = [
        Self::Minute,
        Self::FiveMinutes,
        Self::FifteenMinutes,
        Self::Hour,
        Self::SixHours,
        Self::Day,
        Self::Week,
        Self::Month,
        Self::ThirteenMonths,
    ];

    /// The word for it in the URL and on the page.
    pub fn word(self) -> &'static str {
        match self {
            Self::Minute => "1m",
            Self::FiveMinutes => "5m",
            Self::FifteenMinutes => "15m",
            Self::Hour => "1h",
            Self::SixHours => "6h",
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
            Self::ThirteenMonths => "13mo",
        }
    }

    /// Its length in words, for sentences.
    pub fn long_word(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::FiveMinutes => "5 minutes",
            Self::FifteenMinutes => "15 minutes",
            Self::Hour => "hour",
            Self::SixHours => "6 hours",
            Self::Day => "24 hours",
            Self::Week => "7 days",
            Self::Month => "30 days",
            Self::ThirteenMonths => "13 months",
        }
    }

    /// The number of points of a chart, and the seconds of each.
    const fn grid(self) -> (usize, u64) {
        match self {
            Self::Minute => (60, 1),
            Self::FiveMinutes => (150, 2),
            Self::FifteenMinutes => (90, 10),
            Self::Hour => (60, 60),
            Self::SixHours => (72, 300),
            Self::Day => (96, 900),
            Self::Week => (168, 3_600),
            Self::Month => (120, 21_600),
            Self::ThirteenMonths => (198, 172_800),
        }
    }

    /// The number of points of a chart: 60 to 300.
    pub const fn points(self) -> usize {
        self.grid().0
    }

    /// The seconds of a point of a chart.
    pub const fn step_seconds(self) -> u64 {
        self.grid().1
    }

    /// The points of a chart in each point of the small line in a table's row, which has 28 to 36 points.
    pub fn points_per_line_point(self) -> u64 {
        match self {
            Self::Minute | Self::Hour | Self::SixHours => 2,
            Self::FiveMinutes => 5,
            Self::FifteenMinutes | Self::Day => 3,
            Self::Month => 4,
            Self::Week | Self::ThirteenMonths => 6,
        }
    }

    /// Whether it is longer than a day.
    pub fn is_of_days(self) -> bool {
        self.seconds() > Self::Day.seconds()
    }

    /// The number of points of the small line.
    pub fn line_points(self) -> usize {
        self.points() / self.points_per_line_point() as usize
    }

    /// The seconds of a point of the small line.
    pub fn line_step_seconds(self) -> u64 {
        self.step_seconds() * self.points_per_line_point()
    }

    /// The seconds from the start of its oldest point to now, at most.
    pub const fn seconds(self) -> u64 {
        self.points() as u64 * self.step_seconds()
    }

    /// The part of it that a chart shows at a tick: what there is since the first tick if that is less, but a minute at least.
    pub fn span(self, first_tick: u64, tick: u64) -> ShownSpan {
        let least = (60 / self.step_seconds()).max(LEAST_POINTS);
        let lived = (tick / self.step_seconds()).saturating_sub(first_tick / self.step_seconds()) + 1;
        ShownSpan { window: self, points: lived.max(least).min(self.points() as u64) as usize }
    }

    /// The shortest window from 15 minutes on that has all that there is of this one at a tick: its points are finer.
    #[must_use]
    pub fn that_suffices(self, oldest_tick: u64, tick: u64) -> Self {
        let has_all = |window: &Self| window.first_point(tick) * window.step_seconds() <= oldest_tick;
        let shorter = Self::ALL
            .into_iter()
            .filter(|window| (Self::FifteenMinutes.seconds()..self.seconds()).contains(&window.seconds()));
        shorter.into_iter().find(has_all).unwrap_or(self)
    }

    /// The number of its oldest point at a tick. Points are numbered from 1970.
    pub fn first_point(self, tick: u64) -> u64 {
        (tick / self.step_seconds() + 1).saturating_sub(self.points() as u64)
    }
}

/// A chart of fewer points shows nothing.
const LEAST_POINTS: u64 = 4;

/// The part of a window that charts show. It ends now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShownSpan {
    /// The window.
    pub window: Window,
    /// Its points.
    pub points: usize,
}

impl ShownSpan {
    /// Its length in seconds.
    pub fn seconds(self) -> u64 {
        self.points as u64 * self.window.step_seconds()
    }

    /// Whether it is the whole window.
    pub fn is_whole(self) -> bool {
        self.points == self.window.points()
    }

    /// The seconds from the point of an index to the newest, 0 the oldest.
    pub fn seconds_before_now(self, index: usize) -> u64 {
        self.points.saturating_sub(index + 1) as u64 * self.window.step_seconds()
    }

    /// The points of the small line in a table's row.
    pub fn line_points(self) -> usize {
        self.points.div_ceil(self.window.points_per_line_point() as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_as_long_as_they_say() {
        let seconds = Window::ALL.map(Window::seconds);
        assert_eq!(seconds, [60, 300, 900, 3600, 21_600, 86_400, 604_800, 2_592_000, 396 * 86_400]);
        for window in Window::ALL {
            assert!((60..=300).contains(&window.points()), "{window:?}");
            assert_eq!(window.points() as u64 % window.points_per_line_point(), 0, "{window:?}");
            assert!((28..=36).contains(&window.line_points()), "{window:?}");
        }
    }
    #[test]
    fn a_young_history_is_shown_in_the_points_of_a_shorter_window() {
        let day = 1_000 * 86_400;
        let shown = |window: Window, lived: u64| window.that_suffices(day, day + lived).word();
        assert_eq!(
            [60, 900, 3_599, 3_600, 86_399, 86_400].map(|lived| shown(Window::Day, lived)),
            ["15m", "1h", "1h", "6h", "24h", "24h"]
        );
        assert_eq!(
            [60, 3_600, 86_400, 604_800].map(|lived| shown(Window::ThirteenMonths, lived)),
            ["15m", "6h", "7d", "30d"]
        );
        assert_eq!(
            [Window::Minute, Window::FiveMinutes, Window::FifteenMinutes].map(|window| shown(window, 10)),
            ["1m", "5m", "15m"]
        );
    }
    #[test]
    fn a_young_monitor_shows_its_life_and_a_minute_at_least() {
        let points = |window: Window, tick: u64| window.span(1_000, 1_000 + tick).points;
        assert_eq!([0, 59, 60, 125, 899, 5000].map(|tick| points(Window::FifteenMinutes, tick)), [6, 6, 7, 13, 90, 90]);
        assert_eq!((points(Window::Day, 0), points(Window::Minute, 3)), (4, 60));
        let span = Window::FiveMinutes.span(0, 100);
        assert_eq!((span.seconds(), span.line_points(), span.is_whole()), (102, 11, false));
        assert_eq!((span.seconds_before_now(0), span.seconds_before_now(50)), (100, 0));
    }
}
