//! A heat map of latency over time. It shows a separate band of slow requests, which lines of percentiles hide.

use std::fmt::Write;

use leptos::prelude::*;
use watchboard_wire::{Band, ShownSpan, format};

use super::chart::{Crosshair, CrosshairLine, Series, TimeAxis, stretches};
use crate::context::context;

/// Shades, from few to many.
const SHADES: f64 = 5.0;

/// Requests by latency band for each point, the oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct HeatData {
    pub(crate) span: ShownSpan,
    pub(crate) points: Vec<Vec<(Band, u32)>>,
    /// Percentiles in microseconds, as lines over the map.
    pub(crate) lines: Vec<Series>,
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

    /// The counts of a point of the span, by its index.
    fn point(&self, index: usize) -> Option<&Vec<(Band, u32)>> {
        self.points.get((index + self.points.len()).checked_sub(self.span.points)?)
    }

    /// The height of a latency, as a part of the map's height from the top.
    fn height(&self, us: f64) -> f64 {
        let (lowest, end) = self.bands();
        (f64::from(end) - Band::place(us)) / f64::from(end - lowest)
    }
}

/// A box of the map: the index of its point, and its band.
type HeatBox = (usize, u8);

/// The map with its title, its axes and its key. Each box can be read, by the pointer and by the arrow keys.
#[component]
pub(crate) fn HeatMap(title: &'static str, note: &'static str, data: Memo<HeatData>) -> impl IntoView {
    let Crosshair { index: crosshair, span, .. } = context();
    let chosen = RwSignal::new(None::<HeatBox>);
    // A click keeps the box.
    let is_kept = RwSignal::new(false);
    let choose = move |to: Option<HeatBox>| {
        chosen.set(to);
        crosshair.set(to.map(|(index, _)| index));
    };
    let point_at = move |event: leptos::ev::PointerEvent| {
        if is_kept.get_untracked() {
            return;
        }
        let target: leptos::web_sys::HtmlElement = event_target(&event);
        let part = |offset: i32, size: i32| (f64::from(offset) / f64::from(size.max(1))).clamp(0.0, 0.999);
        let (x, y) = (part(event.offset_x(), target.client_width()), part(event.offset_y(), target.client_height()));
        choose(Some(data.with_untracked(|data| {
            let (lowest, end) = data.bands();
            ((x * data.span.points as f64) as usize, end - 1 - (y * f64::from(end - lowest)) as u8)
        })));
    };
    let step = move |event: leptos::ev::KeyboardEvent| {
        let by = match event.key().as_str() {
            "ArrowLeft" => (-1, 0),
            "ArrowRight" => (1, 0),
            "ArrowUp" => (0, 1),
            "ArrowDown" => (0, -1),
            "Escape" => return choose(None),
            _ => return,
        };
        event.prevent_default();
        let (points, (lowest, end)) = data.with_untracked(|data| (data.span.points, data.bands()));
        let (index, band) = chosen.get_untracked().unwrap_or((points - 1, lowest));
        let band = band.saturating_add_signed(by.1).clamp(lowest, end - 1);
        choose(Some((index.saturating_add_signed(by.0).min(points - 1), band)));
    };
    let leave = move || {
        // A map that leaves the page loses the pointer and the focus after its state is gone.
        if is_kept.try_get_untracked() == Some(false) {
            choose(None);
        }
    };
    let is_empty = Memo::new(move |_| data.with(|data| data.counts().next().is_none()));
    let readout = move || match chosen.get() {
        None if is_empty.get() => "No request of this window succeeded: there is no latency to show.".to_owned(),
        None => "Point at a box, or go by the arrow keys, to read it. A click keeps it.".to_owned(),
        Some((index, band)) => data.with(|data| {
            let count = data.point(index).and_then(|point| point.iter().find(|(it, _)| it.0 == band));
            let count = count.map_or(0, |(_, count)| *count);
            let requests = if count == 1 { "request" } else { "requests" };
            format!("{}, {} to {}: {count} {requests}", span().clock(index), begins(band), begins(band + 1))
        }),
    };
    view! {
        <figure class="chart heat">
            <figcaption>
                <h2>{title}</h2>
                <p class="note">{note}</p>
                <ul class="legend" inner_html=move || data.with(key)></ul>
            </figcaption>
            <svg class="y-axis" aria-hidden="true" inner_html=move || data.with(ticks)></svg>
            <div
                class="plot"
                role="img"
                tabindex="0"
                aria-label=move || data.with(describe)
                on:pointermove=point_at
                on:pointerleave=move |_| leave()
                on:keydown=step
                on:blur=move |_| leave()
                on:click=move |_| is_kept.update(|kept| *kept = !*kept && chosen.get_untracked().is_some())
            >
                <div class="drawing" inner_html=move || data.with(draw)></div>
                <div class="drawing" inner_html=move || chosen.get().map(|it| data.with(|data| draw_chosen(data, it)))></div>
                <CrosshairLine />
            </div>
            <TimeAxis />
            <p class="readout" role="status">{readout}</p>
        </figure>
    }
}

fn view_box(data: &HeatData) -> String {
    let (lowest, end) = data.bands();
    format!("<svg viewBox=\"0 0 {} {}\" preserveAspectRatio=\"none\">", data.span.points, end - lowest)
}

/// Draws a rectangle for each band of a point, in the shade of its count, and the lines. The maximum has the strongest shade, and each
/// lighter shade is a quarter of the one before.
fn draw(data: &HeatData) -> String {
    let (lowest, end) = data.bands();
    let most = largest_count(data);
    let points = data.span.points;
    let mut svg = view_box(data);
    for index in 0..points {
        for (Band(band), count) in data.point(index).into_iter().flatten() {
            let below = (most / f64::from(*count)).log(4.0).floor();
            let shade = (SHADES - below).max(1.0) as u8;
            let y = end - 1 - band;
            let _ = write!(svg, "<rect class=\"shade-{shade}\" x=\"{index}\" y=\"{y}\" width=\"1\" height=\"1\"/>");
        }
    }
    for line in &data.lines {
        for stretch in stretches(points, |index| line.value_at(index, points)) {
            let place = |(x, us)| format!("{:.1},{:.2}", x + 0.5, data.height(us) * f64::from(end - lowest));
            let path: Vec<String> = stretch.into_iter().map(place).collect();
            let _ = write!(svg, "<polyline class=\"{}\" points=\"{}\"/>", line.hue, path.join(" "));
        }
    }
    svg + "</svg>"
}

fn draw_chosen(data: &HeatData, (index, band): HeatBox) -> String {
    let y = data.bands().1.saturating_sub(1 + band);
    view_box(data) + &format!("<rect class=\"chosen\" x=\"{index}\" y=\"{y}\" width=\"1\" height=\"1\"/></svg>")
}

fn largest_count(data: &HeatData) -> f64 {
    data.counts().map(|(_, count)| f64::from(count)).fold(1.0, f64::max)
}

/// Round latencies at their heights.
fn ticks(data: &HeatData) -> String {
    let (lowest, end) = data.bands();
    let axis = watchboard_wire::Unit::log_axis(Band(lowest).begins_us() as f64, Band(end).begins_us() as f64);
    let places = axis.ticks.iter().map(|us| (100.0 * data.height(*us), *us));
    let mut svg = String::new();
    for (y, us) in places.filter(|(y, _)| (-1.0..=101.0).contains(y)) {
        let _ = write!(svg, "<text x=\"100%\" y=\"{y:.2}%\">{}</text>", format::duration_us(us));
    }
    svg
}

/// What the lines and the shades mean. Only its end changes with the data, so that it moves nothing.
fn key(data: &HeatData) -> String {
    let swatch =
        |class: &str| format!("<svg class=\"swatch\"><rect class=\"{class}\" width=\"100%\" height=\"100%\"/></svg>");
    let item = |line: &Series| format!("<li>{}{}</li>", swatch(line.hue), line.name);
    let lines = data.lines.iter().map(item).collect::<String>();
    let shades = (1..=SHADES as u8).map(|shade| swatch(&format!("shade-{shade}"))).collect::<String>();
    let most = format::count(largest_count(data));
    format!("{lines}<li>{shades}requests in a box: 1 to {most}, each stronger shade up to four times as many</li>")
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
mod tests;
