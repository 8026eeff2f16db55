//! A heat map of latency over time. It shows a separate band of slow requests, which lines of percentiles hide.

use std::fmt::Write;

use leptos::prelude::*;
use watchboard_wire::{Band, ShownSpan, format};

use super::chart::{CrosshairLine, TimeAxis};

/// Shades, from few to many.
const SHADES: f64 = 5.0;

/// Requests by latency band for each point, the oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct HeatData {
    pub(crate) span: ShownSpan,
    pub(crate) points: Vec<Vec<(Band, u32)>>,
}

impl HeatData {
    fn counts(&self) -> impl Iterator<Item = (Band, u32)> {
        self.points.iter().flatten().copied()
    }

    /// The lowest band, and one past the highest.
    fn bands(&self) -> (u8, u8) {
        let bands = || self.counts().map(|(Band(band), _)| band);
        let lowest = bands().min().unwrap_or(20);
        (lowest, bands().max().unwrap_or(lowest) + 1)
    }
}

/// The map with its title and its axes.
#[component]
pub(crate) fn HeatMap(title: &'static str, note: &'static str, data: Memo<HeatData>) -> impl IntoView {
    let drawing = Memo::new(move |_| data.with(draw));
    let ticks = move || {
        let (lowest, end) = data.with(HeatData::bands);
        let tick = |band: u8| view! { <span>{begins(band)}</span> };
        // The highest and the lowest band have labels, and as many bands between as there is room for.
        let bands = usize::from(end - lowest);
        let step = (1..=bands).find(|step| bands % step == 0 && bands / step <= 6).unwrap_or(bands);
        (lowest..=end).rev().step_by(step).map(tick).collect_view()
    };
    view! {
        <figure class="chart heat">
            <figcaption>
                <h2>{title}</h2>
                <p class="note">{note}</p>
            </figcaption>
            <div class="y-axis" aria-hidden="true">{ticks}</div>
            <div class="plot" role="img" aria-label=move || data.with(describe)>
                <div class="drawing" inner_html=move || drawing.get()></div>
                <CrosshairLine />
            </div>
            <TimeAxis />
        </figure>
    }
}

/// Draws a rectangle for each band of a point, in the shade of its count. The maximum has the darkest shade, and each
/// lighter shade is a quarter of the one before.
fn draw(data: &HeatData) -> String {
    let (lowest, end) = data.bands();
    let most = data.counts().map(|(_, count)| f64::from(count)).fold(1.0, f64::max);
    let points = data.span.points;
    let (young, hidden) = (points.saturating_sub(data.points.len()), data.points.len().saturating_sub(points));
    let mut svg = format!("<svg viewBox=\"0 0 {points} {}\" preserveAspectRatio=\"none\">", end - lowest);
    for (index, point) in data.points.iter().skip(hidden).enumerate() {
        for (Band(band), count) in point {
            let below = (most / f64::from(*count)).log(4.0).floor();
            let shade = (SHADES - below).max(1.0) as u8;
            let (x, y) = (young + index, end - 1 - band);
            let _ = write!(svg, "<rect class=\"shade-{shade}\" x=\"{x}\" y=\"{y}\" width=\"1\" height=\"1\"/>");
        }
    }
    svg + "</svg>"
}

fn begins(band: u8) -> String {
    format::duration_us(Band(band).begins_us() as f64)
}

fn describe(data: &HeatData) -> String {
    let (lowest, end) = data.bands();
    match data.counts().next() {
        None => "Latency distribution: no requests".to_owned(),
        Some(_) => format!("Latency distribution, from {} to {}", begins(lowest), begins(end)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use watchboard_wire::Window;

    #[test]
    fn each_band_of_a_point_is_a_rectangle_and_the_most_is_darkest() {
        let data =
            HeatData { span: Window::Minute.span(99), points: vec![vec![(Band(10), 1), (Band(12), 100)], vec![]] };
        let svg = draw(&data);
        assert_eq!(svg.matches("<rect").count(), 2);
        assert!(svg.contains("viewBox=\"0 0 60 3\""), "three bands: {svg}");
        assert!(svg.contains("<rect class=\"shade-5\" x=\"58\" y=\"0\""), "{svg}");
        assert!(svg.contains("<rect class=\"shade-2\" x=\"58\" y=\"2\""), "{svg}");
        assert!(!draw(&HeatData::default()).contains("rect"));
    }
}
