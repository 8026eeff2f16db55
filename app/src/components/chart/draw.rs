//! Draws the paths of a chart with plotters. The drawing has no text and no colours. The browser stretches it, and each
//! line has the class of its hue.

use plotters::{coord::types::RangedCoordf64, prelude::*};

use super::data::ChartData;

/// The size of the drawing in pixels. It is twice the usual size of a chart, because plotters rounds to whole pixels.
const CHART: (u32, u32) = (895, 240);
const SPARKLINE: (u32, u32) = (358, 60);

type Plot<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// Draws a chart: grid, limit, marks, lines.
pub(super) fn chart(data: &ChartData) -> String {
    let axis = data.axis();
    let end = axis.end;
    let last = (data.points() - 1) as f64;
    let grid = axis.ticks().map(|y| (0, vec![(0.0, y), (last, y)]));
    let limit = data.limit.iter().map(|(_, y)| (1, vec![(0.0, *y), (last, *y)]));
    let marks = data.marks.iter().map(|(index, _)| (2, vec![(*index as f64, 0.0), (*index as f64, end)]));
    let classes: Vec<&str> =
        ["grid", "limit", "mark"].into_iter().chain(data.series.iter().map(|series| series.hue)).collect();
    let paths = grid.chain(limit).chain(marks).chain(lines(data).map(|(index, line)| (index + 3, line)));
    draw(CHART, (last, end), paths, &classes)
}

/// Draws the lines alone.
pub(crate) fn sparkline(data: &ChartData) -> String {
    let classes: Vec<&str> = data.series.iter().map(|series| series.hue).collect();
    let end = ((data.points() - 1) as f64, data.axis().end);
    draw(SPARKLINE, end, lines(data), &classes)
}

/// The stretches of each series between gaps, with the index of the series. A point between two gaps becomes a short
/// dash.
fn lines(data: &ChartData) -> impl Iterator<Item = (usize, Vec<(f64, f64)>)> {
    let points = data.points();
    data.series.iter().enumerate().flat_map(move |(index, series)| {
        let mut stretches = vec![vec![]];
        for index in 0..points {
            match (series.value_at(index, points), stretches.last_mut()) {
                (Some(value), Some(stretch)) => stretch.push((index as f64, value)),
                _ => stretches.push(vec![]),
            }
        }
        for stretch in &mut stretches {
            if let [(x, y)] = stretch[..] {
                *stretch = vec![((x - 0.5).max(0.0), y), ((x + 0.5).min((points - 1) as f64), y)];
            }
        }
        stretches.into_iter().filter(|stretch| !stretch.is_empty()).map(move |stretch| (index, stretch))
    })
}

/// Draws `paths`, each in the class of its index.
fn draw(
    size: (u32, u32),
    end: (f64, f64),
    paths: impl Iterator<Item = (usize, Vec<(f64, f64)>)>,
    classes: &[&str],
) -> String {
    let mut svg = String::new();
    // Writing into a string cannot fail. If it did, the drawing would be incomplete.
    let _ = plot(&mut svg, size, end).map(|mut plot| {
        for (class, path) in paths {
            let _ = plot.draw_series(LineSeries::new(path, marker(class)));
        }
    });
    stretchable(svg, size, classes)
}

fn plot(
    svg: &mut String,
    size: (u32, u32),
    (last, end): (f64, f64),
) -> Result<Plot<'_>, DrawingAreaErrorKind<std::io::Error>> {
    let area = SVGBackend::with_string(svg, size).into_drawing_area();
    // A margin of two pixels keeps a line at zero or at the top whole.
    ChartBuilder::on(&area).margin_top(2).margin_bottom(2).build_cartesian_2d(0.0..last, 0.0..end)
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
        .replace(" fill=\"none\" opacity=\"1\"", "")
        .replace(" stroke-width=\"1\"", "")
        .replace('\n', "");
    for (index, class) in classes.iter().enumerate() {
        svg = svg.replace(&format!("stroke=\"#0000{index:02X}\""), &format!("class=\"{class}\""));
    }
    svg
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::chart::data::Series;
    use watchboard_wire::{ShownSpan, Unit, Window};

    fn data(values: &[Option<f32>]) -> ChartData {
        ChartData {
            series: vec![Series::new("rate", "hue-rate", values)],
            ..ChartData::new(ShownSpan { window: Window::Minute, points: 60 }, Unit::PerSecond)
        }
    }

    fn lines_of(svg: &str) -> usize {
        svg.matches("class=\"hue-rate\"").count()
    }

    #[test]
    fn gaps_are_gaps_and_a_lone_point_is_seen() {
        let svg = sparkline(&data(&[Some(1.0), Some(2.0), None, None, Some(4.0), None, Some(1.0), Some(1.0)]));
        assert_eq!(lines_of(&svg), 3, "{svg}");
    }

    #[test]
    fn a_drawing_has_neither_text_nor_colour_nor_size() {
        let svg = chart(&ChartData { limit: Some(("limit", 9.0)), ..data(&[Some(1.0), Some(8.0)]) });
        assert!(svg.starts_with("<svg preserveAspectRatio=\"none\""), "{svg}");
        assert_eq!(
            (svg.matches("class=\"grid\"").count(), svg.matches("class=\"limit\"").count(), lines_of(&svg)),
            (6, 1, 1)
        );
        for absent in ["<text", "stroke=", "style=", " width=", "opacity"] {
            assert!(!svg.contains(absent), "{absent} in {svg}");
        }
    }

    #[test]
    fn what_happened_stands_upright_at_its_place() {
        let marks = vec![(0, "restarted".to_owned()), (59, "restarted".to_owned())];
        let svg = chart(&ChartData { marks, ..data(&[Some(1.0), Some(8.0)]) });
        assert_eq!((svg.matches("class=\"mark\"").count(), lines_of(&svg)), (2, 1), "{svg}");
    }

    #[test]
    fn no_data_draws_the_grid_alone() {
        let svg = chart(&data(&[]));
        assert_eq!((svg.matches("class=\"grid\"").count(), lines_of(&svg)), (6, 0));
    }
}
