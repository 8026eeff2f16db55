//! The times below a chart.

use leptos::prelude::*;
use watchboard_wire::{Window, format};

use super::crosshair::{ChartSpan, Crosshair};
use crate::context::context;

/// The times below a chart. Text and not elements, as the ticks of the other axis.
#[component]
pub(crate) fn TimeAxis() -> impl IntoView {
    let Crosshair { span, .. } = context();
    let text = move || ticks(&span()).iter().map(Tick::draw).collect::<String>();
    view! { <svg class="x-axis" aria-hidden="true" inner_html=text></svg> }
}

/// A time on the axis.
#[derive(Debug, PartialEq)]
struct Tick {
    /// 0 at the start of the axis, 1 now.
    place: f64,
    text: String,
    /// Whether a day begins there.
    is_midnight: bool,
    /// Whether a narrow axis leaves it out.
    is_between: bool,
}

impl Tick {
    fn new(place: f64, text: impl Into<String>) -> Self {
        Self { place, text: text.into(), is_midnight: false, is_between: false }
    }

    fn draw(&self) -> String {
        let percent = 100.0 * self.place;
        let anchor = match percent {
            ..10.0 => "start",
            90.0.. => "end",
            _ => "middle",
        };
        let class = if self.is_between { " class=\"between\"" } else { "" };
        let text = format!("<text{class} x=\"{percent:.2}%\" y=\"50%\" text-anchor=\"{anchor}\">{}</text>", self.text);
        let line = format!("<line x1=\"{percent:.2}%\" x2=\"{percent:.2}%\" y1=\"-4\" y2=\"2\"/>");
        if self.is_midnight { text + &line } else { text }
    }
}

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// The times of a span. Where a day begins stands its date, in the place of the times that are near.
fn ticks(shown: &ChartSpan) -> Vec<Tick> {
    let ChartSpan { span, started_ms, end_ms, is_past } = shown;
    if *is_past {
        let last = span.points - 1;
        return vec![
            Tick::new(0.0, shown.clock(0)),
            Tick::new(0.5, shown.clock(span.points / 2)),
            Tick::new(1.0, shown.clock(last)),
        ];
    }
    let seconds = span.seconds_before_now(0);
    if span.window.is_of_days() {
        let day = |place: f64| {
            let at_ms = end_ms.saturating_sub((seconds as f64 * (1.0 - place)) as u64 * 1000);
            let is_of_hours = seconds * 1000 < 4 * DAY_MS;
            if is_of_hours {
                format!("{}, {}", format::day(at_ms), &format::clock(at_ms)[..5])
            } else {
                format::day(at_ms)
            }
        };
        let days =
            [0.0, 0.25, 0.5, 0.75].map(|place| Tick { is_between: place % 0.5 > 0.0, ..Tick::new(place, day(place)) });
        return days.into_iter().chain([Tick::new(1.0, "now")]).collect();
    }
    let mut ticks: Vec<_> = if span.is_whole() {
        let words = words(span.window);
        let place = |at: usize| at as f64 / (words.len() - 1) as f64;
        words.iter().enumerate().map(|(at, word)| Tick::new(place(at), *word)).collect()
    } else {
        // A young monitor: the axis begins about when it was started, or before.
        let began = if end_ms.saturating_sub(*started_ms) / 1000 + span.window.step_seconds() < seconds {
            format!("{} ago", format::span(seconds))
        } else {
            format!("started {}", format::clock(*started_ms))
        };
        let between = ROUND_SECONDS.into_iter().rfind(|round| 2 * round <= seconds).map(|round| {
            let place = 1.0 - round as f64 / seconds as f64;
            Tick { is_between: true, ..Tick::new(place, format!("{} ago", format::span(round))) }
        });
        [Some(Tick::new(0.0, began)), between, Some(Tick::new(1.0, "now"))].into_iter().flatten().collect()
    };
    let since_midnight = end_ms % DAY_MS / 1000;
    if 0 < since_midnight && since_midnight < seconds {
        let place = 1.0 - since_midnight as f64 / seconds as f64;
        ticks.retain(|tick| (tick.place - place).abs() > 0.2);
        ticks.push(Tick { is_midnight: true, ..Tick::new(place, format::day(*end_ms)) });
    }
    ticks
}

/// Times between the ends of a young axis: the longest that is in its second half.
const ROUND_SECONDS: [u64; 14] = [5, 10, 20, 30, 60, 120, 180, 300, 600, 900, 1_800, 3_600, 7_200, 14_400];

/// The times of a whole window, evenly apart.
fn words(window: Window) -> &'static [&'static str] {
    match window {
        Window::Minute => &["60\u{a0}s ago", "40", "20", "now"],
        Window::FiveMinutes => &["5\u{a0}min ago", "4", "3", "2", "1", "now"],
        Window::FifteenMinutes => &["15\u{a0}min ago", "10", "5", "now"],
        Window::Hour => &["60\u{a0}min ago", "40", "20", "now"],
        Window::SixHours => &["6\u{a0}h ago", "4", "2", "now"],
        Window::Day => &["24\u{a0}h ago", "16", "8", "now"],
        // They have dates.
        Window::Week | Window::Month | Window::ThirteenMonths => &["", "now"],
    }
}

#[cfg(test)]
mod tests;
