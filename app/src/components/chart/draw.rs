//! Draws the paths of a chart with plotters. The drawing has no text and no colours. The browser stretches it, and each
//! line has the class of its hue.

use plotters::{coord::types::RangedCoordf64, prelude::*};

use watchboard_wire::Axis;

use super::data::{ChartData, ChartShape};

/// The size of the drawing in pixels. It is twice the usual size of a chart, because plotters rounds to whole pixels.
const CHART: (u32, u32) = (895, 240);
const SPARKLINE: (u32, u32) = (358, 60);

type Plot<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// Places of points: across from 0 on, up from 0 to 1.
type Path = Vec<(f64, f64)>;

/// A part of a drawing, with the index of its class.
enum DrawnShape {
    Line(usize, Path),
    Area(usize, Path),
}

/// Draws a chart: grid, areas, lines, limit.
pub(super) fn chart(data: &ChartData) -> String {
    let axis = data.axis();
    let last = (data.points() - 1) as f64;
    let across = |class, value| DrawnShape::Line(class, vec![(0.0, axis.place(value)), (last, axis.place(value))]);
    let grid = axis.ticks.iter().map(|tick| across(0, *tick));
    let limit = data.drawn_limit().into_iter().map(|value| across(1, value));
    let hues = data.series.iter().map(|series| series.hue);
    let classes: Vec<&str> = ["grid", "limit", "earlier"].into_iter().chain(hues).collect();
    draw(CHART, last, grid.chain(series(data, 3)).chain(earlier(data, &axis)).chain(limit), &classes)
}

/// The lines of the earlier span, at the points of the chart.
fn earlier(data: &ChartData, axis: &Axis) -> Vec<DrawnShape> {
    let (first, each) = data.earlier.as_ref().map_or((0.0, 1.0), |earlier| earlier.place);
    let last = (data.points() - 1) as f64;
    // A point of many stands in the middle of them.
    let across = |(x, place): (f64, f64)| (first + (x + 0.5) * each - 0.5, place);
    let line = |values: Vec<Option<f64>>| {
        let stretches = stretches(values.len(), |at| values[at].map(|value| axis.place(value)));
        let moved = stretches.into_iter().map(|path| within(&path.into_iter().map(across).collect::<Path>(), last));
        moved.filter(|path| !path.is_empty()).map(|path| DrawnShape::Line(2, path)).collect::<Vec<_>>()
    };
    data.earlier_lines().into_iter().flat_map(line).collect()
}

/// What a path has from 0 to `last`.
fn within(path: &Path, last: f64) -> Path {
    let part = |ends: &[(f64, f64)]| {
        let [(x0, y0), (x1, y1)] = [ends[0], ends[1]];
        let cut = |x: f64| (x, y0 + (y1 - y0) * (x - x0) / (x1 - x0));
        (x0 <= last && x1 >= 0.0).then(|| [cut(x0.max(0.0)), cut(x1.min(last))])
    };
    path.windows(2).filter_map(part).flatten().collect()
}

/// Draws the series alone.
pub(crate) fn sparkline(data: &ChartData) -> String {
    let classes: Vec<&str> = data.series.iter().map(|series| series.hue).collect();
    draw(SPARKLINE, (data.points() - 1) as f64, series(data, 0).into_iter(), &classes)
}

/// The series in their shape. The first has the class of index `class`.
fn series(data: &ChartData, class: usize) -> Vec<DrawnShape> {
    let (axis, points) = (data.axis(), data.points());
    let place = |index: usize, at: usize| data.series[index].value_at(at, points).map(|value| axis.place(value));
    let line = |index: usize| {
        stretches(points, |at| place(index, at)).into_iter().map(move |path| DrawnShape::Line(class + index, path))
    };
    let area = |index: usize, stretch: Vec<(f64, (f64, f64))>| {
        let upper = stretch.iter().map(|(x, (_, upper))| (*x, *upper));
        let lower = stretch.iter().rev().map(|(x, (lower, _))| (*x, *lower));
        DrawnShape::Area(class + index, upper.chain(lower).collect())
    };
    let all = 0..data.series.len();
    match data.shape {
        ChartShape::Lines => all.flat_map(line).collect(),
        ChartShape::Stack | ChartShape::Mirror | ChartShape::Ribbon => {
            let stacked = data.stacked();
            let between = |index: usize, at: usize| {
                let (lower, upper) = if index < stacked {
                    (data.sum_at(index, at)?, data.sum_at(index + 1, at)?)
                } else {
                    (-data.series[index].value_at(at, points)?, 0.0)
                };
                let (lower, upper) = (axis.place(lower), axis.place(upper));
                // What is not the last of a ribbon is half as high, so that its shape tells it too.
                let is_half = data.shape == ChartShape::Ribbon && index + 1 < stacked;
                Some((lower, if is_half { lower + (upper - lower) / 2.0 } else { upper }))
            };
            // The two edges of a cell have the same heights.
            let (edges, last) = (if data.shape == ChartShape::Ribbon { 2 } else { 1 }, (points - 1) as f64);
            let across = |x: f64| if edges == 2 { (x - (x / 2.0).floor() - 0.5).clamp(0.0, last) } else { x };
            let areas = |index: usize| {
                let stretches = stretches(points * edges, |at| between(index, at / edges));
                let moved = |it: Vec<_>| it.into_iter().map(|(x, heights)| (across(x), heights)).collect();
                stretches.into_iter().map(move |it| area(index, moved(it))).collect::<Vec<_>>()
            };
            // The upper edge of each part of a whole is a line, where there is something of it: nothing would hide the part below.
            let edge = |index: usize| {
                let is_there = |at: usize| between(index, at).is_some_and(|(lower, upper)| upper > lower);
                let is_all_nothing = |at: usize| data.sum_at(stacked, at) == Some(0.0);
                let is_edge = |at: usize| is_all_nothing(at) || (at.saturating_sub(1)..=at + 1).any(is_there);
                let upper = |at: usize| between(index, at).filter(|_| is_edge(at)).map(|(_, upper)| upper);
                stretches(points, upper).into_iter().map(move |path| DrawnShape::Line(class + index, path))
            };
            let edges = all.clone().filter(|_| data.shape == ChartShape::Stack).flat_map(edge);
            all.clone().flat_map(areas).chain(edges).collect()
        }
        ChartShape::Bands => {
            let between = |index: usize, at: usize| Some((place(index - 1, at)?, place(index, at)?));
            let areas =
                |index: usize| stretches(points, |at| between(index, at)).into_iter().map(move |it| area(index, it));
            all.clone().skip(1).flat_map(areas).chain(all.flat_map(line)).collect()
        }
    }
}

/// The stretches of a series between gaps. A point between two gaps becomes a short dash.
pub(crate) fn stretches<T: Copy>(points: usize, value_at: impl Fn(usize) -> Option<T>) -> Vec<Vec<(f64, T)>> {
    let mut stretches = vec![vec![]];
    for index in 0..points {
        match (value_at(index), stretches.last_mut()) {
            (Some(value), Some(stretch)) => stretch.push((index as f64, value)),
            _ => stretches.push(vec![]),
        }
    }
    for stretch in &mut stretches {
        if let [(x, value)] = stretch[..] {
            *stretch = vec![((x - 0.5).max(0.0), value), ((x + 0.5).min((points - 1) as f64), value)];
        }
    }
    stretches.retain(|stretch| !stretch.is_empty());
    stretches
}

/// Draws `parts`, each in the class of its index.
fn draw(size: (u32, u32), last: f64, parts: impl Iterator<Item = DrawnShape>, classes: &[&str]) -> String {
    let mut svg = String::new();
    // Writing into a string cannot fail. If it did, the drawing would be incomplete.
    let _ = plot(&mut svg, size, last).map(|mut plot| {
        for part in parts {
            let _ = match part {
                DrawnShape::Line(class, path) => plot.draw_series(LineSeries::new(path, marker(class))).map(|_| ()),
                DrawnShape::Area(class, path) => plot.draw_series([Polygon::new(path, marker(class))]).map(|_| ()),
            };
        }
    });
    stretchable(svg, size, classes)
}

fn plot(svg: &mut String, size: (u32, u32), last: f64) -> Result<Plot<'_>, DrawingAreaErrorKind<std::io::Error>> {
    let area = SVGBackend::with_string(svg, size).into_drawing_area();
    // A margin of two pixels keeps a line at zero or at the top whole.
    ChartBuilder::on(&area).margin_top(2).margin_bottom(2).build_cartesian_2d(0.0..last, 0.0..1.0)
}

/// A colour that stands for a class until [`stretchable`] replaces it, because plotters writes colours.
fn marker(class: usize) -> RGBColor {
    RGBColor(0, 0, class as u8)
}

/// Makes the drawing stretchable, and replaces the marker colours by classes.
fn stretchable(svg: String, (width, height): (u32, u32), classes: &[&str]) -> String {
    let mut svg = svg
        .replacen(
            &format!("width=\"{width}\" height=\"{height}\""),
            "preserveAspectRatio=\"none\" focusable=\"false\"",
            1,
        )
        .replace(" fill=\"none\"", "")
        .replace(" opacity=\"1\"", "")
        .replace(" stroke-width=\"1\"", "")
        .replace('\n', "");
    for (index, class) in classes.iter().enumerate() {
        for paint in ["stroke", "fill"] {
            svg = svg.replace(&format!("{paint}=\"#0000{index:02X}\""), &format!("class=\"{class}\""));
        }
    }
    svg
}

#[cfg(test)]
mod tests;
