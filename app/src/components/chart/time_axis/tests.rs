use super::*;
use watchboard_wire::ShownSpan;

/// The ticks of the last `window` at a time of the first of March 2026.
fn texts(window: Window, seconds_of_day: u64) -> Vec<String> {
    let first_of_march_ms = 1_772_323_200_000;
    let end_ms = first_of_march_ms + seconds_of_day * 1000;
    let span = ChartSpan { span: ShownSpan { window, points: window.points() }, is_past: false, started_ms: 0, end_ms };
    ticks(&span).into_iter().map(|tick| tick.text.replace('\u{a0}', " ")).collect()
}

#[test]
fn the_date_stands_where_the_day_begins() {
    assert_eq!(texts(Window::Day, 12 * 3600), ["24 h ago", "now", "1 Mar"]);
    assert_eq!(texts(Window::Day, 3600), ["24 h ago", "16", "8", "1 Mar"], "a date takes the place of a near time");
    assert_eq!(texts(Window::Month, 3600), ["30 Jan", "6 Feb", "14 Feb", "21 Feb", "now"]);
    assert_eq!(texts(Window::SixHours, 12 * 3600), ["6 h ago", "4", "2", "now"], "no day begins");
}

#[test]
fn a_young_axis_has_a_round_time_between_its_ends() {
    let texts = |points: usize| {
        let span = ShownSpan { window: Window::FifteenMinutes, points };
        let end_ms = 1_772_323_200_000 + 43_200_000;
        let span = ChartSpan { span, is_past: false, started_ms: end_ms - points as u64 * 10_000, end_ms };
        ticks(&span).into_iter().map(|tick| tick.text.replace('\u{a0}', " ")).collect::<Vec<_>>()
    };
    let between = |points: usize| texts(points)[1].clone();
    let all = [6, 13, 20, 37, 62].map(between);
    assert_eq!(all, ["20 s ago", "1 m ago", "1 m ago", "3 m ago", "5 m ago"]);
}

#[test]
fn a_date_stands_at_its_place() {
    let day = Tick { is_midnight: true, ..Tick::new(0.5, "1 Mar") };
    assert!(day.draw().starts_with("<text x=\"50.00%\" y=\"50%\" text-anchor=\"middle\">1 Mar</text><line"));
}
