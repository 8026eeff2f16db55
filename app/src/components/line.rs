//! Small lines and bars in tables. They are too small and too many for plotters.

use std::fmt::Write;

use watchboard_wire::format;

/// Fewer values are drawn as steps: a slope between two would tell a rise that nobody saw.
const FEW: usize = 8;

/// Draws the values, the oldest first, between zero and the largest.
pub(crate) fn small_line(values: &[f64], hue: &'static str) -> String {
    let largest = values.iter().copied().fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    let mut points = String::new();
    for (index, value) in values.iter().enumerate() {
        let y = 20 - (value / largest * 18.0) as i64 - 1;
        // Writing into a string cannot fail.
        let _ = write!(points, "{index},{y} ");
        if values.len() < FEW {
            let _ = write!(points, "{},{y} ", index + 1);
        }
    }
    let width = if values.len() < FEW { values.len() } else { values.len() - 1 };
    format!(
        "<svg viewBox=\"0 0 {width} 20\" preserveAspectRatio=\"none\"><polyline class=\"{hue}\" points=\"{}\"/></svg>",
        points.trim_end()
    )
}

/// A small bar between two places in percent, in a cell of a table or a line of a list.
pub(crate) fn cell_bar(from: f64, to: f64) -> String {
    // What is very small is still seen.
    let wide = (to - from).max(2.0);
    let [x, width] = [from.clamp(0.0, 98.0), wide.min(100.0)].map(|percent| format::fixed(percent, 1));
    format!("<svg><rect height=\"100%\" x=\"{x}%\" width=\"{width}%\"/></svg>")
}
